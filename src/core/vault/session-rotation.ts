import type { Connection } from '../connections/connection.ts'
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
import { isUserOwner } from '../users/owner.ts'
import type { User } from '../users/user.ts'
import { createOwnerSessions, type Decision, expectExists, expectUnchanged, markResent, type VaultDependencies } from './owner-sessions.ts'
import { type AccountChoice, type Placement, placeConnection } from './placement.ts'
import type { FieldMap, Versioned } from './records.ts'

/** What is known of the request that made a connection. */
type ConnectOptions = {
  readonly account?: AccountChoice
  /** Of the sign-in that made the connection. A pasted key has none. */
  readonly callback?: CallbackRequest | undefined
  readonly browser?: PresentedFlows | undefined
  /** Who a user owner is, if the request says it. */
  readonly user?: User | undefined
}

/** How a session starts and its id is rotated, although the response that carries the new id may be lost. */
export type SessionRotation = {
  /**
   * Stores a new connection. For a browser that nobody is signed in to, it rotates the session's id or starts a session; a user's sessions
   * stay as they are.
   * @param presented the session whose cookie the browser presents; `undefined` before its first, and for a user without a browser
   */
  connect(owner: string, presented: Session | undefined, connection: Connection, options?: ConnectOptions): Promise<ConnectResult>
}

/** The connection as it was stored, and the one that it replaced. */
type Placed = Pick<Placement, 'stored' | 'isDefault' | 'replaced'>

export type ConnectResult =
  /** Stored. The response carries this session's cookie. It has a new owner if the requested one has records of another browser. */
  | (Placed & { readonly kind: 'session'; readonly session: Session })
  /** Stored for a user, or in a session whose cookie the browser has, or gets with another response. */
  | (Placed & { readonly kind: 'joined' })
  /** Not stored: the session was ended meanwhile. */
  | { readonly kind: 'ended' }
  /** Not stored: the owner has a session whose cookie this browser may have received meanwhile. */
  | { readonly kind: 'unproven' }
  /** Not stored: the owner has as many accounts at the provider as there may be. */
  | { readonly kind: 'full' }

/** What becomes of the sessions when a connection is stored. */
type SessionOutcome =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'joined' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unproven' }

/** A connection to store, and the request that made it. */
type ConnectRequest = ConnectOptions & { readonly connection: Connection }

export function createSessionRotation(dependencies: VaultDependencies): SessionRotation {
  const { records, clock, commit } = dependencies
  const { sealSession } = records
  const { ttlOf, findLive, currentSessions, expiredFields, transact } = createOwnerSessions(dependencies)

  /** Adds the connection's own place to what is decided of the sessions. */
  function withConnection(
    owner: string,
    fields: FieldMap,
    { connection, account }: ConnectRequest,
    { change, outcome }: Decision<SessionOutcome>
  ): Decision<ConnectResult> {
    if (outcome.kind === 'ended' || outcome.kind === 'unproven') return { outcome }
    const placement = placeConnection(records, owner, fields, connection, account)
    if (!placement) return { outcome: { kind: 'full' } }
    const { stored, isDefault, replaced, change: own } = placement
    return {
      change: {
        ...change,
        expect: [...(change?.expect ?? []), ...own.expect],
        put: [...(change?.put ?? []), ...own.put]
      },
      outcome: { ...outcome, stored, isDefault, replaced }
    }
  }

  function connectPresented(fields: FieldMap, presented: Session, request: ConnectRequest): Decision<SessionOutcome> {
    const { owner } = presented
    const session = findLive(fields, presented)
    const superseded = session?.value.superseded
    if (session && !superseded) {
      const { successor, predecessor } = rotateSession(session.value, clock.now(), request.connection.provider, request.callback?.flow)
      const put = [sealSession(successor), sealSession(predecessor)]
      return {
        change: { expect: [expectUnchanged(session)], put, remove: expiredFields(owner, fields), ttlMs: ttlOf(owner, successor) },
        outcome: { kind: 'session', session: successor }
      }
    }
    const successor = superseded && findLive(fields, { owner, id: superseded.by })
    if (session && successor && !superseded.isConfirmed) return connectSuperseded(session, superseded, successor, request)
    // The session was live when the request began. If a sign-in in another tab has rotated it since, the browser has that response.
    const [other] = currentSessions(owner, fields)
    return other ? join(other.value) : { outcome: { kind: 'ended' } }
  }

  /** For a browser that does not have the successor's cookie yet. The connection is hidden from requests with the old cookie alone. */
  function connectSuperseded(
    session: Versioned<Session>,
    superseded: Superseded,
    successor: Versioned<Session>,
    request: ConnectRequest
  ): Decision<SessionOutcome> {
    const hiddenProviders = [...new Set([...superseded.hiddenProviders, request.connection.provider])]
    const hiding = sealSession({ ...session.value, superseded: { ...superseded, hiddenProviders } })
    const { change, outcome } = connectUnpresented(successor, request)
    const { expect = [], put = [] } = change
    return { change: { expect: [...expect, expectUnchanged(session)], put: [...put, hiding] }, outcome }
  }

  /** For a session whose cookie the request does not present. Only the browser that is waiting for the cookie gets it again. */
  function connectUnpresented(session: Versioned<Session>, { browser }: ConnectRequest): Required<Decision<SessionOutcome>> {
    const { undelivered } = session.value
    if (!undelivered || !isAwaitingResponse(undelivered.flow, browser)) return join(session.value)
    const resent = markResent(session.value)
    return {
      change: { expect: [expectUnchanged(session)], put: [sealSession(resent)] },
      outcome: { kind: 'session', session: resent }
    }
  }

  const join = (session: Session): Required<Decision<SessionOutcome>> => ({
    change: { expect: [expectExists(session)] },
    outcome: { kind: 'joined' }
  })

  async function startSession(owner: string, request: ConnectRequest): Promise<ConnectResult> {
    const { callback } = request
    const session = firstSession(owner, clock.now(), callback)
    const first = withConnection(owner, new Map(), request, {
      change: { expectNone: true, put: [sealSession(session)], ttlMs: ttlOf(owner, session) },
      outcome: { kind: 'session', session }
    })
    if (first.change && (await commit(owner, { ...first.change, expect: [] }))) return first.outcome
    const result = await transact<ConnectResult | undefined>(owner, fields => {
      const sessions = currentSessions(owner, fields)
      const own = callback && sessions.find(({ value }) => isOfSameBrowser(value, callback))
      if (own) return withConnection(owner, fields, request, connectUnpresented(own, request))
      const isUnproven = callback && sessions.some(({ value }) => mayHaveOverlapped(value, callback))
      return { outcome: isUnproven ? { kind: 'unproven' } : undefined }
    })
    return result ?? startSession(newId(), request)
  }

  /** A user's connections need no session. One that was there when the request began may have been ended since. */
  function connectUser(
    owner: string,
    fields: FieldMap,
    presented: Session | undefined,
    { user }: ConnectRequest
  ): Decision<SessionOutcome> {
    if (presented && !findLive(fields, presented)) return { outcome: { kind: 'ended' } }
    const put = user ? records.sealUser(owner, fields, user) : undefined
    return {
      change: { put: put ? [put] : [], remove: expiredFields(owner, fields), ttlMs: ttlOf(owner) },
      outcome: { kind: 'joined' }
    }
  }

  return {
    connect(owner, presented, connection, options = {}) {
      const request = { ...options, connection }
      if (isUserOwner(owner))
        return transact(owner, fields => withConnection(owner, fields, request, connectUser(owner, fields, presented, request)))
      if (!presented) return startSession(owner, request)
      return transact(presented.owner, fields =>
        withConnection(presented.owner, fields, request, connectPresented(fields, presented, request))
      )
    }
  }
}
