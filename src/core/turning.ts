import type { Connection } from './connection.ts'
import { GatewayError } from './errors.ts'
import type { Change, Clock, Store } from './ports.ts'
import { type createRecords, type Put, sessionField, sessionPrefix, unchanged, type Versioned, versionOf } from './records.ts'
import {
  type Arrival,
  afterlifeMs,
  endsAtMs,
  firstSession,
  isLive,
  isOfSameBrowser,
  isWaitingFor,
  mayHaveCrossed,
  newId,
  type Session,
  type SessionLimits,
  type Shows,
  type Ticket,
  turned
} from './session.ts'

/** How a session begins and its id turns, when the response that carries the new id may be lost. */
export type Turning = {
  /**
   * Keeps a new connection and turns the session's id, or begins a session.
   * @param presented the session that the browser showed; `undefined` for its first.
   * @param arrival the sign-in that made the connection. A pasted key has none.
   * @returns the session to hand out, whose owner is a new one where the given has records that are not this browser's; `joined` when the connection is
   * in a session that the browser has or will get by another response; `ended` when the session was ended in the meantime, with nothing
   * kept; `unproven` when the owner has a session of which this browser may have the cookie by now, with nothing kept.
   */
  connect(
    owner: string,
    presented: Session | undefined,
    connection: Connection,
    arrival?: Arrival,
    browser?: Shows
  ): Promise<Session | 'joined' | 'ended' | 'unproven'>
  /**
   * A session that nobody has shown yet, for another response to carry it.
   * @param presented its predecessor, where it has one. @returns `undefined` when the browser does not prove that it is its own.
   */
  giveAgain(ticket: Ticket, browser: Shows, presented?: Ticket): Promise<Session | undefined>
  /** The response with it has not arrived: the predecessor is as it was, and this one is gone. False where somebody may have it all the same. */
  takeBack(session: Session): Promise<boolean>
  /** Ends a first session that nobody has shown. @returns the connections that were in it, as they stood then. */
  endUnshown(session: Session): Promise<Connection[]>
  /** Notes that its cookie has arrived, so that the predecessor is dead from now on. @returns the session as it is kept now. */
  noteShown(session: Versioned<Session>): Promise<Versioned<Session>>
}

/** What changes while it is decided about is read again; somebody else gets on at each. */
const trials = 20

/** Every record begins with no bytes: an expectation that it exists, in whatever version. */
const anyVersion = Buffer.alloc(0)

type Records = ReadonlyMap<string, Buffer>
type Parts = {
  store: Store
  records: ReturnType<typeof createRecords>
  limits: SessionLimits
  clock: Clock
  commit(owner: string, change: Change): Promise<boolean>
}

export function createTurning({ store, records: sealed, limits, clock, commit }: Parts): Turning {
  const { sealSession, openSession, sealConnection, connectionsIn } = sealed

  const ttlOf = (session: Session) => endsAtMs(session, limits) + afterlifeMs - clock.now()

  const sessionIn = (records: Records, { owner, id }: Ticket) => openSession(owner, id, records.get(sessionField(id)))

  function liveIn(records: Records, ticket: Ticket): Versioned<Session> | undefined {
    const session = sessionIn(records, ticket)
    return session && isLive(session.value, limits, clock.now()) ? session : undefined
  }

  /** Those that live, but for the ones whose ids have turned. */
  const sessionsIn = (owner: string, records: Records): Session[] =>
    [...records.keys()]
      .filter(field => field.startsWith(sessionPrefix))
      .map(field => liveIn(records, { owner, id: field.slice(sessionPrefix.length) })?.value)
      .filter(session => session !== undefined && !session.superseded) as Session[]

  const stands = ({ value: { id }, version }: Versioned<Session>) => unchanged(sessionField(id), version)
  const exists = ({ id }: Ticket) => [sessionField(id), anyVersion] as const
  const predecessorOf = ({ unshown }: Session) => (unshown?.predecessor === undefined ? [] : [sessionField(unshown.predecessor)])
  const carriedAgain = (session: Session): Session =>
    session.unshown ? { ...session, unshown: { ...session.unshown, given: session.unshown.given + 1 } } : session

  type Step<T> = { readonly change: Change; readonly outcome: T }

  /** Takes the step that the owner's records ask for, and decides anew when they have changed meanwhile. */
  async function settled<T>(owner: string, decide: (records: Records) => Step<T> | T): Promise<T> {
    for (let trial = 0; trial < trials; trial++) {
      const step = decide(await store.readAll(owner))
      if (typeof step !== 'object' || step === null || !('change' in step)) return step as T
      if (await commit(owner, step.change)) return step.outcome
    }
    throw new GatewayError('store_unavailable', 'Too much has changed in this session at once. Try again.', { retryAfter: 1 })
  }

  type Outcome = Session | 'joined' | 'ended' | 'unproven'

  function inSession(
    records: Records,
    presented: Session,
    provider: string,
    kept: Put,
    arrival?: Arrival,
    browser?: Shows
  ): Step<Outcome> | 'ended' {
    const standing = liveIn(records, presented)
    if (standing && !standing.value.superseded) {
      const { successor, predecessor } = turned(standing.value, clock.now(), provider, arrival?.flow)
      const put = [sealSession(successor), sealSession(predecessor), kept]
      return {
        change: { expect: [stands(standing)], put, erase: predecessorOf(standing.value), ttlMs: ttlOf(successor) },
        outcome: successor
      }
    }
    const { superseded } = standing?.value ?? {}
    const next = superseded && liveIn(records, { owner: presented.owner, id: superseded.by })
    if (standing && superseded && next) return behind(standing, next, provider, kept, browser)
    // Shown when the request began, and another tab's sign-in has turned it since: its response has arrived.
    const [other] = sessionsIn(presented.owner, records)
    return other ? { change: { expect: [exists(other)], put: [kept] }, outcome: 'joined' } : 'ended'
  }

  /** Of a browser that does not have the successor yet. Only to the one that waits for it is it given once more. */
  function behind(
    { value: session, version }: Versioned<Session>,
    next: Versioned<Session>,
    provider: string,
    kept: Put,
    browser?: Shows
  ): Step<Outcome> {
    const superseded = session.superseded && { ...session.superseded, hidden: [...new Set([...session.superseded.hidden, provider])] }
    const put = [kept, sealSession({ ...session, ...(superseded && { superseded }) })]
    const expect = [unchanged(sessionField(session.id), version)]
    if (!next.value.unshown || !isWaitingFor(next.value.unshown.flow, browser))
      return { change: { expect: [...expect, exists(next.value)], put }, outcome: 'joined' }
    const again = carriedAgain(next.value)
    return { change: { expect: [...expect, stands(next)], put: [...put, sealSession(again)] }, outcome: again }
  }

  async function first(owner: string, connection: Connection, arrival?: Arrival): Promise<Outcome> {
    const session = firstSession(owner, clock.now(), arrival)
    const kept = sealConnection(owner, connection)
    const put = [sealSession(session), kept]
    if (await commit(owner, { expectNone: true, put, ttlMs: ttlOf(session) })) return session
    const outcome = await settled<Outcome | 'none'>(owner, records => {
      const sessions = sessionsIn(owner, records)
      const own = arrival && sessions.find(one => isOfSameBrowser(one, arrival))
      if (own) return { change: { expect: [exists(own)], put: [kept] }, outcome: 'joined' }
      return arrival && sessions.some(one => mayHaveCrossed(one, arrival)) ? 'unproven' : 'none'
    })
    return outcome === 'none' ? first(newId(), connection, arrival) : outcome
  }

  return {
    connect(owner, presented, connection, arrival, browser) {
      if (!presented) return first(owner, connection, arrival)
      const kept = sealConnection(presented.owner, connection)
      return settled<Outcome>(presented.owner, records => inSession(records, presented, connection.provider, kept, arrival, browser))
    },

    giveAgain: (ticket, browser, presented) =>
      settled<Session | undefined>(ticket.owner, records => {
        const session = liveIn(records, ticket)
        const unshown = session?.value.unshown
        if (!session || !unshown || unshown.predecessor !== presented?.id || !isWaitingFor(unshown.flow, browser)) return undefined
        const again = carriedAgain(session.value)
        return { change: { expect: [stands(session)], put: [sealSession(again)] }, outcome: again }
      }),

    takeBack: given =>
      settled<boolean>(given.owner, records => {
        const session = sessionIn(records, given)
        const { predecessor: id, given: times } = session?.value.unshown ?? {}
        const predecessor = id === undefined ? undefined : sessionIn(records, { owner: given.owner, id })
        if (!session || times !== given.unshown?.given || predecessor?.value.superseded?.by !== given.id) return false
        const { superseded: _, ...before } = predecessor.value
        const put = [sealSession({ ...before, seenAtMs: session.value.seenAtMs })]
        return { change: { expect: [stands(session), stands(predecessor)], put, erase: [sessionField(given.id)] }, outcome: true }
      }),

    endUnshown: given =>
      settled<Connection[]>(given.owner, records => {
        if (sessionIn(records, given)?.value.unshown?.given !== given.unshown?.given) return []
        return {
          change: { expect: [...records].map(([field, record]) => unchanged(field, versionOf(record))), erase: [...records.keys()] },
          outcome: [...connectionsIn(given.owner, records).values()].map(({ value }) => value)
        }
      }),

    noteShown: async session => {
      const { owner, id } = session.value
      for (let standing = session, trial = 0; trial < trials; trial++) {
        const { unshown, ...shown } = standing.value
        if (!unshown) return standing
        const put = sealSession(shown)
        if (await commit(owner, { expect: [stands(standing)], put: [put], erase: predecessorOf(standing.value) }))
          return { value: shown, version: versionOf(put[1]) }
        const [record] = await store.read(owner, [sessionField(id)])
        const read = openSession(owner, id, record)
        if (!read) return session
        standing = read
      }
      return session
    }
  }
}
