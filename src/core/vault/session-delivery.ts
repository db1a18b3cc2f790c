import type { Connection } from '../connections/connection.ts'
import { isWaitingFor, overtaken, type Session, type Shows, type Ticket } from '../session.ts'
import { carriedAgain, createOwners, type OwnerParts, stands } from './owner-sessions.ts'
import { sessionField, unchanged, type Versioned, versionOf } from './records.ts'

/** What becomes of sessions that have been given, and that nobody has shown yet. */
export type Given = {
  /**
   * A session that nobody has shown yet, for another response to carry it.
   * @param presented its predecessor, where it has one. @returns `undefined` when the browser does not prove that it is its own.
   */
  giveAgain(ticket: Ticket, browser: Shows, presented?: Ticket): Promise<Session | undefined>
  /** Whether the browser waits for the response of a first sign-in that began a session of this owner. So does one in which somebody left it. */
  isAwaited(owner: string, browser: Shows): Promise<boolean>
  /** The response with it has not arrived: the predecessor is as it was, and this one is gone. False where somebody may have it all the same. */
  takeBack(session: Session): Promise<boolean>
  /** Ends a first session that nobody has shown. @returns the connections that were in it, as they stood then. */
  endUnshown(session: Session): Promise<Connection[]>
  /** Notes that its cookie has arrived, so that the predecessor is dead from now on. @returns the session as it is kept now, if it lives. */
  noteShown(session: Versioned<Session>): Promise<Versioned<Session> | undefined>
}

export function createGiven(parts: OwnerParts): Given {
  const {
    store,
    records: { sealSession, connectionsIn },
    clock
  } = parts
  const { sessionIn, liveIn, sessionsIn, settled } = createOwners(parts)

  return {
    giveAgain: (ticket, browser, presented) =>
      settled<Session | undefined>(ticket.owner, records => {
        const session = liveIn(records, ticket)
        const unshown = session?.value.unshown
        if (!session || !unshown || unshown.predecessor !== presented?.id || !isWaitingFor(unshown.flow, browser))
          return { outcome: undefined }
        const again = carriedAgain(session.value)
        return { change: { expect: [stands(session)], put: [sealSession(again)] }, outcome: again }
      }),

    isAwaited: async (owner, browser) =>
      sessionsIn(owner, await store.readAll(owner)).some(({ value }) => isWaitingFor(value.unshown?.flow, browser)),

    takeBack: given =>
      settled<boolean>(given.owner, records => {
        const session = sessionIn(records, given)
        const { predecessor: id, given: times } = session?.value.unshown ?? {}
        const predecessor = id === undefined ? undefined : sessionIn(records, { owner: given.owner, id })
        if (!session || times !== given.unshown?.given || predecessor?.value.superseded?.by !== given.id) return { outcome: false }
        const { superseded: _, ...before } = predecessor.value
        const put = [sealSession({ ...before, seenAtMs: session.value.seenAtMs })]
        return { change: { expect: [stands(session), stands(predecessor)], put, erase: [sessionField(given.id)] }, outcome: true }
      }),

    endUnshown: given =>
      settled<Connection[]>(given.owner, records => {
        if (sessionIn(records, given)?.value.unshown?.given !== given.unshown?.given) return { outcome: [] }
        return {
          change: { expect: [...records].map(([field, record]) => unchanged(field, versionOf(record))), erase: [...records.keys()] },
          outcome: [...connectionsIn(given.owner, records).values()].map(({ value }) => value)
        }
      }),

    noteShown: ({ value: { owner, id } }) =>
      settled<Versioned<Session> | undefined>(owner, records => {
        const session = liveIn(records, { owner, id })
        if (!session?.value.unshown) return { outcome: session }
        const { unshown, ...shown } = session.value
        const sealed = sealSession(shown)
        const put = [sealed]
        const outcome = { value: shown, version: versionOf(sealed[1]) }
        const predecessor = unshown.predecessor === undefined ? undefined : sessionIn(records, { owner, id: unshown.predecessor })
        if (!predecessor) return { change: { expect: [stands(session)], put }, outcome }
        const late = overtaken(predecessor.value, clock.now())
        const change = late ? { put: [...put, sealSession(late)] } : { put, erase: [sessionField(predecessor.value.id)] }
        return { change: { expect: [stands(session), stands(predecessor)], ...change }, outcome }
      })
  }
}
