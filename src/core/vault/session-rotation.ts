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
  type Session,
  type Superseded
} from '../session.ts'
import { createOwnerSessions, type Decision, expectExists, expectUnchanged, markResent, type VaultDependencies } from './owner-sessions.ts'
import type { FieldMap, Put, Versioned } from './records.ts'

/** How a session starts and its id is rotated, although the response that carries the new id may be lost. */
export type SessionRotation = {
  /**
   * Stores a new connection and rotates the session's id, or starts a session.
   * @param presented the session whose cookie the browser presents; `undefined` before its first
   * @param callback of the sign-in that made the connection. A pasted key has none.
   */
  connect(
    owner: string,
    presented: Session | undefined,
    connection: Connection,
    callback?: CallbackRequest,
    browser?: PresentedFlows
  ): Promise<ConnectResult>
}

export type ConnectResult =
  /** Stored. The response carries this session's cookie. It has a new owner if the requested one has records of another browser. */
  | { readonly kind: 'session'; readonly session: Session }
  /** Stored in a session whose cookie the browser has, or gets with another response. */
  | { readonly kind: 'joined' }
  /** Not stored: the session was ended meanwhile. */
  | { readonly kind: 'ended' }
  /** Not stored: the owner has a session whose cookie this browser may have received meanwhile. */
  | { readonly kind: 'unproven' }

/** A connection to store, and the request that made it. */
type ConnectRequest = {
  readonly provider: string
  readonly put: Put
  readonly callback: CallbackRequest | undefined
  readonly browser: PresentedFlows | undefined
}

export function createSessionRotation(dependencies: VaultDependencies): SessionRotation {
  const {
    records: { sealSession, sealConnection },
    clock,
    commit
  } = dependencies
  const { ttlOf, findLive, currentSessions, expiredFields, transact } = createOwnerSessions(dependencies)

  const requestOf = (owner: string, connection: Connection, callback?: CallbackRequest, browser?: PresentedFlows): ConnectRequest => ({
    provider: connection.provider,
    put: sealConnection(new ConnectionKey(owner, connection.provider), connection),
    callback,
    browser
  })

  function connectPresented(fields: FieldMap, presented: Session, request: ConnectRequest): Decision<ConnectResult> {
    const { owner } = presented
    const session = findLive(fields, presented)
    const superseded = session?.value.superseded
    if (session && !superseded) {
      const { successor, predecessor } = rotateSession(session.value, clock.now(), request.provider, request.callback?.flow)
      const put = [sealSession(successor), sealSession(predecessor), request.put]
      return {
        change: { expect: [expectUnchanged(session)], put, remove: expiredFields(owner, fields), ttlMs: ttlOf(successor) },
        outcome: { kind: 'session', session: successor }
      }
    }
    const successor = superseded && findLive(fields, { owner, id: superseded.by })
    if (session && successor && !superseded.isConfirmed) return connectSuperseded(session, superseded, successor, request)
    // The session was live when the request began. If a sign-in in another tab has rotated it since, the browser has that response.
    const [other] = currentSessions(owner, fields)
    return other ? join(other.value, request) : { outcome: { kind: 'ended' } }
  }

  /** For a browser that does not have the successor's cookie yet. The connection is hidden from requests with the old cookie alone. */
  function connectSuperseded(
    session: Versioned<Session>,
    superseded: Superseded,
    successor: Versioned<Session>,
    request: ConnectRequest
  ): Decision<ConnectResult> {
    const hiddenProviders = [...new Set([...superseded.hiddenProviders, request.provider])]
    const hiding = sealSession({ ...session.value, superseded: { ...superseded, hiddenProviders } })
    const { change, outcome } = connectUnpresented(successor, request)
    const { expect = [], put = [] } = change
    return { change: { expect: [...expect, expectUnchanged(session)], put: [...put, hiding] }, outcome }
  }

  /** For a session whose cookie the request does not present. Only the browser that is waiting for the cookie gets it again. */
  function connectUnpresented(session: Versioned<Session>, request: ConnectRequest): Required<Decision<ConnectResult>> {
    const { undelivered } = session.value
    if (!undelivered || !isAwaitingResponse(undelivered.flow, request.browser)) return join(session.value, request)
    const resent = markResent(session.value)
    return {
      change: { expect: [expectUnchanged(session)], put: [request.put, sealSession(resent)] },
      outcome: { kind: 'session', session: resent }
    }
  }

  const join = (session: Session, { put }: ConnectRequest): Required<Decision<ConnectResult>> => ({
    change: { expect: [expectExists(session)], put: [put] },
    outcome: { kind: 'joined' }
  })

  async function startSession(
    owner: string,
    connection: Connection,
    callback?: CallbackRequest,
    browser?: PresentedFlows
  ): Promise<ConnectResult> {
    const session = firstSession(owner, clock.now(), callback)
    const request = requestOf(owner, connection, callback, browser)
    const put = [sealSession(session), request.put]
    if (await commit(owner, { expectNone: true, put, ttlMs: ttlOf(session) })) return { kind: 'session', session }
    const result = await transact<ConnectResult | undefined>(owner, fields => {
      const sessions = currentSessions(owner, fields)
      const own = callback && sessions.find(({ value }) => isOfSameBrowser(value, callback))
      if (own) return connectUnpresented(own, request)
      const isUnproven = callback && sessions.some(({ value }) => mayHaveOverlapped(value, callback))
      return { outcome: isUnproven ? { kind: 'unproven' } : undefined }
    })
    return result ?? startSession(newId(), connection, callback, browser)
  }

  return {
    connect(owner, presented, connection, callback, browser) {
      if (!presented) return startSession(owner, connection, callback, browser)
      const request = requestOf(presented.owner, connection, callback, browser)
      return transact(presented.owner, fields => connectPresented(fields, presented, request))
    }
  }
}
