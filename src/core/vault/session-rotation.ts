import type { Connection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import {
  type CallbackRequest,
  firstSession,
  isAwaitingResponse,
  isOfSameBrowser,
  mayHaveOverlapped,
  newId,
  type PresentedFlows,
  rotateSession,
  type Session
} from '../session.ts'
import {
  createOwnerSessions,
  expectExists,
  expectUnchanged,
  markResent,
  type Records,
  type Step,
  type VaultDependencies
} from './owner-sessions.ts'
import { expectVersion, type Put, sessionField, type Versioned } from './records.ts'

/** How a session begins and its id turns, when the response that carries the new id may be lost. */
export type SessionRotation = {
  /**
   * Keeps a new connection and turns the session's id, or begins a session.
   * @param presented the session that the browser showed; `undefined` for its first.
   * @param arrival the sign-in that made the connection. A pasted key has none.
   */
  connect(
    owner: string,
    presented: Session | undefined,
    connection: Connection,
    arrival?: CallbackRequest,
    browser?: PresentedFlows
  ): Promise<ConnectResult>
}

export type ConnectResult =
  /** Stored. The response carries this session's cookie. Its owner is a new one if the given owner has records that are not this browser's. */
  | { readonly kind: 'session'; readonly session: Session }
  /** Stored in a session of which the browser has the cookie, or gets it in another response. */
  | { readonly kind: 'joined' }
  /** Not stored: the session was ended in the meantime. */
  | { readonly kind: 'ended' }
  /** Not stored: the owner has a session of which this browser may have the cookie by now. */
  | { readonly kind: 'unproven' }

type Decided = { readonly outcome: ConnectResult }

export function createSessionRotation(parts: VaultDependencies): SessionRotation {
  const {
    records: { sealSession, sealConnection },
    clock,
    commit
  } = parts
  const { ttlOf, liveIn, sessionsIn, endedIn, commitDecided } = createOwnerSessions(parts)

  function inSession(
    records: Records,
    presented: Session,
    provider: string,
    kept: Put,
    arrival?: CallbackRequest,
    browser?: PresentedFlows
  ): Step<ConnectResult> | Decided {
    const standing = liveIn(records, presented)
    if (standing && !standing.value.superseded) {
      const { successor, predecessor } = rotateSession(standing.value, clock.now(), provider, arrival?.flow)
      const put = [sealSession(successor), sealSession(predecessor), kept]
      return {
        change: { expect: [expectUnchanged(standing)], put, remove: endedIn(presented.owner, records), ttlMs: ttlOf(successor) },
        outcome: { kind: 'session', session: successor }
      }
    }
    const { superseded } = standing?.value ?? {}
    const next = superseded && liveIn(records, { owner: presented.owner, id: superseded.by })
    if (standing && superseded && !superseded.isConfirmed && next) return behind(standing, next, provider, kept, browser)
    // Shown when the request began, and another tab's sign-in has turned it since: its response has arrived.
    const [other] = sessionsIn(presented.owner, records)
    return other
      ? { change: { expect: [expectExists(other.value)], put: [kept] }, outcome: { kind: 'joined' } }
      : { outcome: { kind: 'ended' } }
  }

  /** Of a browser that does not have the successor yet. */
  function behind(
    { value: session, version }: Versioned<Session>,
    next: Versioned<Session>,
    provider: string,
    kept: Put,
    browser?: PresentedFlows
  ): Step<ConnectResult> {
    const superseded = session.superseded && {
      ...session.superseded,
      hiddenProviders: [...new Set([...session.superseded.hiddenProviders, provider])]
    }
    const hides = sealSession({ ...session, ...(superseded && { superseded }) })
    const step = beside(next, kept, browser)
    const { expect = [], put = [] } = step.change
    return { ...step, change: { expect: [...expect, expectVersion(sessionField(session.id), version)], put: [...put, hides] } }
  }

  /** Into a session that the request does not show. It is given once more to the browser that waits for it, and to no other. */
  function beside(session: Versioned<Session>, kept: Put, browser?: PresentedFlows): Step<ConnectResult> {
    if (!session.value.undelivered || !isAwaitingResponse(session.value.undelivered.flow, browser))
      return { change: { expect: [expectExists(session.value)], put: [kept] }, outcome: { kind: 'joined' } }
    const again = markResent(session.value)
    return { change: { expect: [expectUnchanged(session)], put: [kept, sealSession(again)] }, outcome: { kind: 'session', session: again } }
  }

  async function first(owner: string, connection: Connection, arrival?: CallbackRequest, browser?: PresentedFlows): Promise<ConnectResult> {
    const session = firstSession(owner, clock.now(), arrival)
    const kept = sealConnection(new ConnectionKey(owner, connection.provider), connection)
    const put = [sealSession(session), kept]
    if (await commit(owner, { expectNone: true, put, ttlMs: ttlOf(session) })) return { kind: 'session', session }
    const outcome = await commitDecided<ConnectResult | undefined>(owner, records => {
      const sessions = sessionsIn(owner, records)
      const own = arrival && sessions.find(({ value }) => isOfSameBrowser(value, arrival))
      if (own) return beside(own, kept, browser)
      const isUnproven = arrival && sessions.some(({ value }) => mayHaveOverlapped(value, arrival))
      return { outcome: isUnproven ? { kind: 'unproven' } : undefined }
    })
    return outcome ?? first(newId(), connection, arrival, browser)
  }

  return {
    connect(owner, presented, connection, arrival, browser) {
      if (!presented) return first(owner, connection, arrival, browser)
      const kept = sealConnection(new ConnectionKey(presented.owner, connection.provider), connection)
      return commitDecided<ConnectResult>(presented.owner, records =>
        inSession(records, presented, connection.provider, kept, arrival, browser)
      )
    }
  }
}
