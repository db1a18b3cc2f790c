import { applyGrant, type Backoff, type Connection, type Grant } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import { connectionRequired, reconnectRequired, renewalFailed } from '../connections/errors.ts'
import { hasCode } from '../errors.ts'
import type { EndReason, Events } from '../events.ts'
import type { Clock } from '../ports.ts'
import { retryAtMs } from '../util/retry-after.ts'
import type { Versioned } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import { createRefreshAdmission } from './refresh-admission.ts'
import type { Revocation } from './revocation.ts'
import type { CredentialEndpoint } from './token-endpoint.ts'
import { createTokenEndpointPause, type PauseStore } from './token-endpoint-pause.ts'
import { TokenEndpointError } from './token-response.ts'

export type RefreshDependencies = {
  readonly vault: Vault
  readonly store: PauseStore
  readonly clock: Clock
  readonly events: Events
  /** Revokes grants that were refreshed although nobody can use them any more. */
  readonly revocation: Pick<Revocation, 'revoke' | 'revokeReplaced'>
  /** @returns `undefined` for a provider whose OAuth is off, and for a key that is sent itself. */
  readonly endpointOf: (connection: Connection) => Pick<CredentialEndpoint, 'refresh'> | undefined
  /** Resolves early when the signal is aborted. Never rejects. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Aborted when the gateway shuts down and waits no longer. */
  readonly closing: AbortSignal
}

type LeaseHolder = {
  /** Whether the lease lasts for at least one more token request. */
  readonly isLeaseHeld: () => boolean
  /** Resolves the waiters with a connection that the provider honours, though it is not stored yet. */
  readonly resolveUnsaved: (renewed: Versioned<Connection>) => void
}

/** Makes one token request and stores its result. Only the holder of the lease may call it. */
export type Refresh = (key: ConnectionKey, stored: Versioned<Connection>, holder: LeaseHolder) => Promise<Versioned<Connection>>

const minBackoffMs = 1_000
const maxBackoffMs = 60_000
/** A grant that got nothing but rejections for so long, and at least two, has ended: no refresh token becomes valid again. */
const maxRejectedMs = 10 * 60_000
/** A refreshed grant is held in memory and retried for so long: the provider may honour no other token any more. */
const saveEveryMs = 100
const maxUnsavedMs = 10 * 60_000

export function createRefresh(dependencies: RefreshDependencies): Refresh {
  const { vault, clock, events, revocation, endpointOf, pause, closing } = dependencies
  const endpointPause = createTokenEndpointPause(dependencies.store, clock)
  const admission = createRefreshAdmission(clock, pause)

  return async function refresh(key, stored, holder) {
    const { provider } = key
    const endpoint = endpointOf(stored.value)
    if (!endpoint || !stored.value.refreshToken) return endConnection(key, stored, endpoint ? 'no_refresh_token' : 'provider_off')
    assertNotBackingOff(stored.value, clock)
    const endpointName = nameOf(stored.value)
    const finish = await admission.admit(endpointName)
    let grant: Grant | undefined
    try {
      const pausedMs = (await endpointPause.until(endpointName)) - clock.now()
      if (pausedMs > 0) return await postpone(key, stored, pausedMs)
      if (!holder.isLeaseHeld()) throw renewalFailed(provider, 'provider_unavailable', minBackoffMs)
      grant = await requestGrant(key, endpoint, stored.value)
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      return error.isInvalidGrant ? endConnection(key, stored, 'invalid_grant', error) : backOff(key, stored, error)
    } finally {
      finish(grant !== undefined)
    }
    return save(key, stored, grant, holder)
  }

  /** Records a pause that the provider asks for before the next request is admitted. */
  async function requestGrant(key: ConnectionKey, endpoint: Pick<CredentialEndpoint, 'refresh'>, connection: Connection): Promise<Grant> {
    const { owner, provider } = key
    const { promise: abandoned, reject } = Promise.withResolvers<never>()
    const abandon = () => {
      events.publish('renewal.abandoned', { owner, provider })
      reject(renewalFailed(provider, 'provider_timeout', minBackoffMs))
    }
    closing.addEventListener('abort', abandon)
    try {
      return await Promise.race([endpoint.refresh(connection), abandoned])
    } catch (error) {
      const pauseMs = endpointPauseMs(error)
      if (pauseMs > 0) await endpointPause.record(nameOf(connection), clock.now() + pauseMs)
      throw error
    } finally {
      closing.removeEventListener('abort', abandon)
    }
  }

  /**
   * Retries until the store has the grant, or has what the user put in its place. Waiters get the grant after the first failed write: the
   * provider honours it, whether or not the store can be reached.
   */
  async function save(key: ConnectionKey, stored: Versioned<Connection>, grant: Grant, { resolveUnsaved }: LeaseHolder) {
    const { owner, provider } = key
    const renewed = applyGrant(stored.value, grant, clock.now())
    const deadlineMs = clock.now() + maxUnsavedMs
    for (const value of grant.ignoredValues ?? []) events.publish('renewal.value-ignored', { owner, provider, value })
    for (;;) {
      try {
        const { written, current } = await update(key, stored, ({ rateLimitedUntilMs }) => ({
          ...renewed,
          ...(rateLimitedUntilMs !== undefined && { rateLimitedUntilMs })
        }))
        if (written) {
          events.publish('connection.renewed', { owner, provider })
          return written
        }
        if (current?.value.status === 'connected') {
          // Else it is our own earlier write, of which only the store's response was lost.
          const isReplacedByUser = current.value.connectedAtMs !== renewed.connectedAtMs
          if (isReplacedByUser) revocation.revokeReplaced(renewed, current.value)
          else events.publish('connection.renewed', { owner, provider })
          return current
        }
        // Its session or the connection itself was deleted in the meantime.
        void revocation.revoke(renewed)
        throw current ? reconnectRequired(provider) : connectionRequired(provider)
      } catch (error) {
        if (!hasCode(error, 'store_unavailable')) throw error
        if (clock.now() > deadlineMs || closing.aborted) {
          events.publish('renewal.lost', { owner, provider })
          throw error
        }
        resolveUnsaved({ value: renewed, version: stored.version })
        await pause(saveEveryMs, closing)
      }
    }
  }

  /** The provider no longer honours the grant. It ends only if nobody has put a newer one in its place. */
  async function endConnection(key: ConnectionKey, stored: Versioned<Connection>, reason: EndReason, error?: TokenEndpointError) {
    const { owner, provider } = key
    const end = ({ backoff: _, refreshToken: _1, ...rest }: Connection): Connection => ({ ...rest, status: 'reconnect_required' })
    const { written } = await update(key, stored, end)
    if (!written) return readUsableConnection(vault, key)
    events.publish('connection.ended', { owner, provider, method: stored.value.method, reason, response: error && factsOf(error) })
    throw reconnectRequired(provider, error)
  }

  async function backOff(key: ConnectionKey, stored: Versioned<Connection>, error: TokenEndpointError): Promise<Versioned<Connection>> {
    const { owner, provider } = key
    const { backoff: previous } = stored.value
    const nowMs = clock.now()
    const rejectedSinceMs = error.isRejection ? (previous?.rejectedSinceMs ?? nowMs) : undefined
    if (rejectedSinceMs !== undefined && nowMs - rejectedSinceMs >= maxRejectedMs)
      return endConnection(key, stored, 'refused_for_long', error)
    const failures = (previous?.failures ?? 0) + 1
    const retryInMs = Math.max(retryAfterMs(error), Math.min(maxBackoffMs, minBackoffMs * 2 ** (failures - 1)))
    const backoff: Backoff = {
      failures,
      retryAtMs: nowMs + retryInMs,
      failingSinceMs: previous?.failingSinceMs ?? nowMs,
      ...(rejectedSinceMs !== undefined && { rejectedSinceMs }),
      ...(error.isClientRejected && { isClientRejected: true })
    }
    const { message, isClientRejected } = error
    events.publish('renewal.failed', {
      owner,
      provider,
      message,
      response: factsOf(error),
      isClientRejected,
      attempt: failures,
      retryInMs
    })
    const { rotatedRefreshToken: rotated } = error.details
    await update(key, stored, value => ({ ...value, ...(rotated && { refreshToken: rotated }), backoff }))
    throw renewalFailed(provider, codeOf(error), retryInMs, error)
  }

  /**
   * The provider has asked for a pause, in response to another session. This renewal fails without a request, so it counts as no failure
   * of the grant and publishes no event.
   */
  async function postpone(key: ConnectionKey, stored: Versioned<Connection>, pausedMs: number): Promise<never> {
    const nowMs = clock.now()
    await update(key, stored, value => ({
      ...value,
      backoff: { failures: 0, failingSinceMs: nowMs, ...value.backoff, retryAtMs: nowMs + pausedMs }
    }))
    throw renewalFailed(key.provider, 'provider_unavailable', pausedMs)
  }

  function retryAfterMs(error: TokenEndpointError): number {
    const { retryAfter } = error.details
    return (retryAtMs(retryAfterHeader, { 'retry-after': retryAfter }, clock.now()) ?? 0) - clock.now()
  }

  /** A pause for all sessions: overload concerns the endpoint, while any other error may concern this grant alone. */
  function endpointPauseMs(error: unknown): number {
    return error instanceof TokenEndpointError && [429, 503].includes(error.details.status ?? 0) ? retryAfterMs(error) : 0
  }

  /**
   * Writes over the record for as long as it holds the credential that was spent. A rate limit that another instance records in between
   * changes the version and not the credential.
   * @returns what was written, or else the current record
   */
  async function update(key: ConnectionKey, stored: Versioned<Connection>, change: (value: Connection) => Connection) {
    for (let before = stored; ; ) {
      const written = await vault.replace(key, before, change(before.value))
      if (written) return { written }
      const current = await vault.readConnection(key)
      if (!current?.value.credential.equals(stored.value.credential)) return { current }
      before = current
    }
  }
}

/** Keys may be exchanged at another server than that of the sign-ins. */
const nameOf = ({ provider, method }: Connection): string => (method === 'oauth2' ? provider : `${provider} key`)

const retryAfterHeader = { header: 'retry-after', unit: 'seconds' } as const

const factsOf = ({ kind, reason, details: { status, code } }: TokenEndpointError) => ({ kind, status, error: code ?? reason })

const codeOf = (error: TokenEndpointError) =>
  error.isClientRejected ? 'client_rejected' : error.kind === 'timeout' ? 'provider_timeout' : 'provider_unavailable'

/** The connection as the store has it now. @throws {GatewayError} `connection_required`, `reconnect_required`, `store_unavailable` */
export async function readUsableConnection(vault: Vault, key: ConnectionKey): Promise<Versioned<Connection>> {
  const stored = await vault.readConnection(key)
  if (!stored) throw connectionRequired(key.provider)
  if (stored.value.status === 'reconnect_required') throw reconnectRequired(key.provider)
  return stored
}

/**
 * A temporary failure is shared by all sessions and instances: until its time nobody asks the provider again.
 * @throws {GatewayError} `provider_unavailable`, `client_rejected`
 */
export function assertNotBackingOff({ provider, backoff }: Connection, clock: Clock): void {
  const waitMs = (backoff?.retryAtMs ?? 0) - clock.now()
  if (waitMs > 0) throw renewalFailed(provider, backoff?.isClientRejected ? 'client_rejected' : 'provider_unavailable', waitMs)
}
