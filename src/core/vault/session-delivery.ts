import type { Connection } from '../connections/connection.ts'
import { expireSuperseded, isAwaitingResponse, type PresentedFlows, type Session, type SessionRef } from '../session.ts'
import { createOwnerSessions, expectUnchanged, markResent, type VaultDependencies } from './owner-sessions.ts'
import { expectVersion, sessionField, type Versioned, versionOf } from './records.ts'

/** Sessions whose cookie was sent and that no request has presented yet: the response may have been lost. */
export type SessionDelivery = {
  /**
   * Prepares an undelivered session for another response with its cookie.
   * @param presented its predecessor, if it has one
   * @returns `undefined` when the session was delivered, or the browser does not prove that it is its own
   */
  resend(ref: SessionRef, browser: PresentedFlows, presented?: SessionRef): Promise<Session | undefined>
  /**
   * Whether the browser is waiting for the response to a first sign-in that started a session of this owner. True also for a browser in
   * which an attacker left that sign-in.
   */
  isResponsePending(owner: string, browser: PresentedFlows): Promise<boolean>
  /**
   * Deletes a session whose response was lost, and restores its predecessor.
   * @returns false, with nothing changed, when the browser may have the session's cookie
   */
  undoRotation(session: Session): Promise<boolean>
  /** Ends a first session whose response was lost. @returns its connections as they were last stored */
  endUndelivered(session: Session): Promise<Connection[]>
  /** Records that the cookie has arrived, and expires the predecessor. @returns the session as it is stored now, if it is live */
  confirmDelivery(session: Versioned<Session>): Promise<Versioned<Session> | undefined>
}

export function createSessionDelivery(dependencies: VaultDependencies): SessionDelivery {
  const {
    store,
    records: { sealSession, connectionsIn },
    clock
  } = dependencies
  const { findSession, findLive, currentSessions, transact } = createOwnerSessions(dependencies)

  return {
    resend: (ref, browser, presented) =>
      transact<Session | undefined>(ref.owner, fields => {
        const session = findLive(fields, ref)
        const undelivered = session?.value.undelivered
        if (!session || !undelivered || undelivered.predecessor !== presented?.id || !isAwaitingResponse(undelivered.flow, browser))
          return { outcome: undefined }
        const resent = markResent(session.value)
        return { change: { expect: [expectUnchanged(session)], put: [sealSession(resent)] }, outcome: resent }
      }),

    isResponsePending: async (owner, browser) =>
      currentSessions(owner, await store.readAll(owner)).some(({ value }) => isAwaitingResponse(value.undelivered?.flow, browser)),

    undoRotation: ({ owner, id, undelivered: sent }) =>
      transact<boolean>(owner, fields => {
        const session = findSession(fields, { owner, id })
        const { predecessor: predecessorId, sendCount } = session?.value.undelivered ?? {}
        const predecessor = predecessorId === undefined ? undefined : findSession(fields, { owner, id: predecessorId })
        if (!session || sendCount !== sent?.sendCount || predecessor?.value.superseded?.by !== id) return { outcome: false }
        const { superseded: _, ...restored } = predecessor.value
        return {
          change: {
            expect: [expectUnchanged(session), expectUnchanged(predecessor)],
            put: [sealSession({ ...restored, lastSeenAtMs: session.value.lastSeenAtMs })],
            remove: [sessionField(id)]
          },
          outcome: true
        }
      }),

    endUndelivered: ({ owner, id, undelivered: sent }) =>
      transact<Connection[]>(owner, fields => {
        if (findSession(fields, { owner, id })?.value.undelivered?.sendCount !== sent?.sendCount) return { outcome: [] }
        return {
          change: { expect: [...fields].map(([field, record]) => expectVersion(field, versionOf(record))), remove: [...fields.keys()] },
          outcome: [...connectionsIn(owner, fields)].map(({ value }) => value)
        }
      }),

    confirmDelivery: ({ value: { owner, id } }) =>
      transact<Versioned<Session> | undefined>(owner, fields => {
        const session = findLive(fields, { owner, id })
        if (!session?.value.undelivered) return { outcome: session }
        const { undelivered, ...delivered } = session.value
        const put = sealSession(delivered)
        const outcome = { value: delivered, version: versionOf(put[1]) }
        const predecessor = undelivered.predecessor === undefined ? undefined : findSession(fields, { owner, id: undelivered.predecessor })
        if (!predecessor) return { change: { expect: [expectUnchanged(session)], put: [put] }, outcome }
        const expect = [expectUnchanged(session), expectUnchanged(predecessor)]
        const expiring = expireSuperseded(predecessor.value, clock.now())
        return expiring
          ? { change: { expect, put: [put, sealSession(expiring)] }, outcome }
          : { change: { expect, put: [put], remove: [sessionField(predecessor.value.id)] }, outcome }
      })
  }
}
