import type { Connection } from '../connections/connection.ts'
import {
  type Arrival,
  firstSession,
  isOfSameBrowser,
  isWaitingFor,
  mayHaveCrossed,
  newId,
  type Session,
  type Shows,
  turned
} from '../session.ts'
import { carriedAgain, createOwners, exists, type OwnerParts, type Records, type Step, stands } from './owner-sessions.ts'
import { type Put, sessionField, unchanged, type Versioned } from './records.ts'

/** How a session begins and its id turns, when the response that carries the new id may be lost. */
export type Turning = {
  /**
   * Keeps a new connection and turns the session's id, or begins a session.
   * @param presented the session that the browser showed; `undefined` for its first.
   * @param arrival the sign-in that made the connection. A pasted key has none.
   * @returns the session to hand out, whose owner is a new one where the given has records that are not this browser's; `joined` when the
   * connection is in a session that the browser has or will get by another response; `ended` when the session was ended in the meantime,
   * with nothing kept; `unproven` when the owner has a session of which this browser may have the cookie by now, with nothing kept.
   */
  connect(owner: string, presented: Session | undefined, connection: Connection, arrival?: Arrival, browser?: Shows): Promise<Outcome>
}

type Outcome = Session | 'joined' | 'ended' | 'unproven'
type Decided = { readonly outcome: Outcome }

export function createTurning(parts: OwnerParts): Turning {
  const {
    records: { sealSession, sealConnection },
    clock,
    commit
  } = parts
  const { ttlOf, liveIn, sessionsIn, endedIn, settled } = createOwners(parts)

  function inSession(
    records: Records,
    presented: Session,
    provider: string,
    kept: Put,
    arrival?: Arrival,
    browser?: Shows
  ): Step<Outcome> | Decided {
    const standing = liveIn(records, presented)
    if (standing && !standing.value.superseded) {
      const { successor, predecessor } = turned(standing.value, clock.now(), provider, arrival?.flow)
      const put = [sealSession(successor), sealSession(predecessor), kept]
      return {
        change: { expect: [stands(standing)], put, erase: endedIn(presented.owner, records), ttlMs: ttlOf(successor) },
        outcome: successor
      }
    }
    const { superseded } = standing?.value ?? {}
    const next = superseded && liveIn(records, { owner: presented.owner, id: superseded.by })
    if (standing && superseded && !superseded.isOver && next) return behind(standing, next, provider, kept, browser)
    // Shown when the request began, and another tab's sign-in has turned it since: its response has arrived.
    const [other] = sessionsIn(presented.owner, records)
    return other ? { change: { expect: [exists(other.value)], put: [kept] }, outcome: 'joined' } : { outcome: 'ended' }
  }

  /** Of a browser that does not have the successor yet. */
  function behind(
    { value: session, version }: Versioned<Session>,
    next: Versioned<Session>,
    provider: string,
    kept: Put,
    browser?: Shows
  ): Step<Outcome> {
    const superseded = session.superseded && { ...session.superseded, hidden: [...new Set([...session.superseded.hidden, provider])] }
    const hides = sealSession({ ...session, ...(superseded && { superseded }) })
    const step = beside(next, kept, browser)
    const { expect = [], put = [] } = step.change
    return { ...step, change: { expect: [...expect, unchanged(sessionField(session.id), version)], put: [...put, hides] } }
  }

  /** Into a session that the request does not show. It is given once more to the browser that waits for it, and to no other. */
  function beside(session: Versioned<Session>, kept: Put, browser?: Shows): Step<Outcome> {
    if (!session.value.unshown || !isWaitingFor(session.value.unshown.flow, browser))
      return { change: { expect: [exists(session.value)], put: [kept] }, outcome: 'joined' }
    const again = carriedAgain(session.value)
    return { change: { expect: [stands(session)], put: [kept, sealSession(again)] }, outcome: again }
  }

  async function first(owner: string, connection: Connection, arrival?: Arrival, browser?: Shows): Promise<Outcome> {
    const session = firstSession(owner, clock.now(), arrival)
    const kept = sealConnection(owner, connection)
    const put = [sealSession(session), kept]
    if (await commit(owner, { expectNone: true, put, ttlMs: ttlOf(session) })) return session
    const outcome = await settled<Outcome | 'none'>(owner, records => {
      const sessions = sessionsIn(owner, records)
      const own = arrival && sessions.find(({ value }) => isOfSameBrowser(value, arrival))
      if (own) return beside(own, kept, browser)
      return { outcome: arrival && sessions.some(({ value }) => mayHaveCrossed(value, arrival)) ? 'unproven' : 'none' }
    })
    return outcome === 'none' ? first(newId(), connection, arrival, browser) : outcome
  }

  return {
    connect(owner, presented, connection, arrival, browser) {
      if (!presented) return first(owner, connection, arrival, browser)
      const kept = sealConnection(presented.owner, connection)
      return settled<Outcome>(presented.owner, records => inSession(records, presented, connection.provider, kept, arrival, browser))
    }
  }
}
