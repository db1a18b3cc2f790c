import type { Connection } from '../connections/connection.ts'
import { expireSuperseded, isAwaitingResponse, type PresentedFlows, type Session, type SessionRef } from '../session.ts'
import { createOwnerSessions, expectUnchanged, markResent, type VaultDependencies } from './owner-sessions.ts'
import { expectVersion, sessionField, type Versioned, versionOf } from './records.ts'

/** What becomes of sessions that have been given, and that nobody has shown yet. */
export type SessionDelivery = {
  /**
   * A session that nobody has shown yet, for another response to carry it.
   * @param presented its predecessor, where it has one. @returns `undefined` when the browser does not prove that it is its own.
   */
  resend(ticket: SessionRef, browser: PresentedFlows, presented?: SessionRef): Promise<Session | undefined>
  /** Whether the browser waits for the response of a first sign-in that began a session of this owner. So does one in which somebody left it. */
  isResponsePending(owner: string, browser: PresentedFlows): Promise<boolean>
  /** The response with it has not arrived: the predecessor is as it was, and this one is gone. False where somebody may have it all the same. */
  undoRotation(session: Session): Promise<boolean>
  /** Ends a first session that nobody has shown. @returns the connections that were in it, as they stood then. */
  endUndelivered(session: Session): Promise<Connection[]>
  /** Notes that its cookie has arrived, so that the predecessor is dead from now on. @returns the session as it is kept now, if it lives. */
  confirmDelivery(session: Versioned<Session>): Promise<Versioned<Session> | undefined>
}

export function createSessionDelivery(parts: VaultDependencies): SessionDelivery {
  const {
    store,
    records: { sealSession, connectionsIn },
    clock
  } = parts
  const { sessionIn, liveIn, sessionsIn, commitDecided } = createOwnerSessions(parts)

  return {
    resend: (ticket, browser, presented) =>
      commitDecided<Session | undefined>(ticket.owner, records => {
        const session = liveIn(records, ticket)
        const undelivered = session?.value.undelivered
        if (!session || !undelivered || undelivered.predecessor !== presented?.id || !isAwaitingResponse(undelivered.flow, browser))
          return { outcome: undefined }
        const again = markResent(session.value)
        return { change: { expect: [expectUnchanged(session)], put: [sealSession(again)] }, outcome: again }
      }),

    isResponsePending: async (owner, browser) =>
      sessionsIn(owner, await store.readAll(owner)).some(({ value }) => isAwaitingResponse(value.undelivered?.flow, browser)),

    undoRotation: given =>
      commitDecided<boolean>(given.owner, records => {
        const session = sessionIn(records, given)
        const { predecessor: id, sendCount: times } = session?.value.undelivered ?? {}
        const predecessor = id === undefined ? undefined : sessionIn(records, { owner: given.owner, id })
        if (!session || times !== given.undelivered?.sendCount || predecessor?.value.superseded?.by !== given.id) return { outcome: false }
        const { superseded: _, ...before } = predecessor.value
        const put = [sealSession({ ...before, lastSeenAtMs: session.value.lastSeenAtMs })]
        return {
          change: { expect: [expectUnchanged(session), expectUnchanged(predecessor)], put, remove: [sessionField(given.id)] },
          outcome: true
        }
      }),

    endUndelivered: given =>
      commitDecided<Connection[]>(given.owner, records => {
        if (sessionIn(records, given)?.value.undelivered?.sendCount !== given.undelivered?.sendCount) return { outcome: [] }
        return {
          change: { expect: [...records].map(([field, record]) => expectVersion(field, versionOf(record))), remove: [...records.keys()] },
          outcome: [...connectionsIn(given.owner, records).values()].map(({ value }) => value)
        }
      }),

    confirmDelivery: ({ value: { owner, id } }) =>
      commitDecided<Versioned<Session> | undefined>(owner, records => {
        const session = liveIn(records, { owner, id })
        if (!session?.value.undelivered) return { outcome: session }
        const { undelivered, ...shown } = session.value
        const sealed = sealSession(shown)
        const put = [sealed]
        const outcome = { value: shown, version: versionOf(sealed[1]) }
        const predecessor = undelivered.predecessor === undefined ? undefined : sessionIn(records, { owner, id: undelivered.predecessor })
        if (!predecessor) return { change: { expect: [expectUnchanged(session)], put }, outcome }
        const late = expireSuperseded(predecessor.value, clock.now())
        const change = late ? { put: [...put, sealSession(late)] } : { put, remove: [sessionField(predecessor.value.id)] }
        return { change: { expect: [expectUnchanged(session), expectUnchanged(predecessor)], ...change }, outcome }
      })
  }
}
