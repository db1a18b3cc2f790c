import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, type Grant, renewed } from './connection.ts'
import { GatewayError, hasCode } from './errors.ts'
import type { Clock, Lease, Release } from './ports.ts'
import type { Secret } from './secret.ts'
import { TokenEndpointError } from './token-answer.ts'
import type { Vault, Versioned } from './vault.ts'

/** A provider's token and revocation endpoints, as its definition describes them. */
export type TokenEndpoint = {
  /** RFC 6749 §4.1.3, with PKCE's verifier. @throws {TokenEndpointError} */
  exchange(code: string, redirectUri: string, verifier: string): Promise<Grant>
  /** RFC 6749 §6. @throws {TokenEndpointError} */
  refresh(refreshToken: Secret): Promise<Grant>
  /** RFC 7009. Resolves when the provider has said yes; at once when it has no such endpoint. @throws {TokenEndpointError} */
  revoke(connection: Connection): Promise<void>
}

export type RenewalParts = {
  readonly vault: Vault
  readonly lease: Lease
  readonly clock: Clock
  /** @returns `undefined` for a provider whose OAuth is off. */
  readonly endpointOf: (provider: string) => TokenEndpoint | undefined
  /** Called with a connection that was refreshed for nobody: its session or itself ended in the meantime. */
  readonly onOrphan: (connection: Connection) => void
}

/**
 * Exactly one refresh, however many ask.
 * @param failed the connection as the caller used it. When the kept one carries another credential already, that is the answer.
 * @returns the connection with a credential that is newer than the failed one
 * @throws {GatewayError} `reconnect_required`, `connection_required`, `provider_unavailable`, `provider_timeout`, `store_unavailable`
 */
export type Renew = (owner: string, failed: Connection) => Promise<Versioned<Connection>>

/** Longer than a token call may take, so that a holder that lives is not overtaken. */
const leaseMs = 30_000
const leasePollMs = 50
const firstBackoffMs = 1_000
const longestBackoffMs = 60_000
/** A refreshed grant that the store does not take is held on to: the provider may honour no other any more. */
const saveDelaysMs = [50, 100, 200, 400, 800, 1600, 3200]

export function createRenewal({ vault, lease, clock, endpointOf, onOrphan }: RenewalParts): Renew {
  const flights = new Map<string, Promise<Versioned<Connection>>>()

  return async function renew(owner, failed) {
    const key = `${owner}:${failed.provider}`
    const flight = flights.get(key)
    if (flight) {
      const outcome = await flight
      if (!outcome.value.credential.equals(failed.credential)) return outcome
    }
    const own = fly(owner, failed).finally(() => flights.get(key) === own && flights.delete(key))
    flights.set(key, own)
    return own
  }

  async function fly(owner: string, failed: Connection): Promise<Versioned<Connection>> {
    const release = await takeLease(owner, failed)
    if (typeof release !== 'function') return release
    try {
      const kept = await keptConnection(owner, failed)
      return kept.value.credential.equals(failed.credential) ? await refresh(owner, kept) : kept
    } finally {
      await release().catch(() => {}) // The lease ends by itself; the outcome is what counts.
    }
  }

  /** The right to refresh; or the connection, when another instance has refreshed it while we waited. */
  async function takeLease(owner: string, failed: Connection): Promise<Release | Versioned<Connection>> {
    for (;;) {
      const release = await lease.acquire(`${owner}:renewal:${failed.provider}`, leaseMs)
      if (release) return release
      await sleep(leasePollMs)
      const kept = await keptConnection(owner, failed)
      if (!kept.value.credential.equals(failed.credential)) return kept
      throwWhileBackingOff(kept.value)
    }
  }

  async function keptConnection(owner: string, { provider }: Connection): Promise<Versioned<Connection>> {
    const kept = await vault.readConnection(owner, provider)
    if (!kept) throw connectionRequired(provider)
    if (kept.value.status === 'reconnect_required') throw reconnectRequired(provider)
    return kept
  }

  async function refresh(owner: string, kept: Versioned<Connection>): Promise<Versioned<Connection>> {
    const { provider, refreshToken } = kept.value
    const endpoint = endpointOf(provider)
    if (!refreshToken || !endpoint) return giveUp(owner, kept)
    throwWhileBackingOff(kept.value)
    let grant: Grant
    try {
      grant = await endpoint.refresh(refreshToken)
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      return error.isInvalidGrant ? giveUp(owner, kept) : backOff(owner, kept, error)
    }
    const fresh = renewed(kept.value, grant, clock.now())
    return (await save(owner, kept, fresh)) ?? standing(owner, kept.value, fresh)
  }

  async function save(owner: string, kept: Versioned<Connection>, fresh: Connection): Promise<Versioned<Connection> | undefined> {
    for (const delayMs of saveDelaysMs) {
      try {
        return await vault.replace(owner, kept, fresh)
      } catch (error) {
        if (!hasCode(error, 'store_unavailable')) throw error
        await sleep(delayMs)
      }
    }
    return vault.replace(owner, kept, fresh)
  }

  /** Our write found another version: what the person did meanwhile stands; our own notes on the old credential do not. */
  async function standing(owner: string, before: Connection, fresh: Connection): Promise<Versioned<Connection>> {
    const kept = await vault.readConnection(owner, fresh.provider)
    if (kept?.value.credential.equals(before.credential)) {
      const saved = await save(owner, kept, fresh)
      if (saved) return saved
    } else if (kept?.value.status === 'connected') {
      return kept // A new sign-in; or our own write, whose answer was lost.
    }
    onOrphan(fresh)
    throw connectionRequired(fresh.provider)
  }

  /** The provider does not honour the grant. Believed only if nobody has put a newer one in its place. */
  async function giveUp(owner: string, kept: Versioned<Connection>): Promise<Versioned<Connection>> {
    const { backoff: _, refreshToken: _1, ...rest } = kept.value
    const written = await vault.replace(owner, kept, { ...rest, status: 'reconnect_required' })
    if (written) throw reconnectRequired(kept.value.provider)
    return keptConnection(owner, kept.value)
  }

  async function backOff(owner: string, kept: Versioned<Connection>, error: TokenEndpointError): Promise<never> {
    const failures = (kept.value.backoff?.failures ?? 0) + 1
    const delayMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1))
    await vault.replace(owner, kept, { ...kept.value, backoff: { failures, notBeforeMs: clock.now() + delayMs } })
    throw unavailable(kept.value.provider, error.kind === 'timeout' ? 'provider_timeout' : 'provider_unavailable', delayMs, error)
  }

  function throwWhileBackingOff({ provider, backoff }: Connection): void {
    const waitMs = (backoff?.notBeforeMs ?? 0) - clock.now()
    if (waitMs > 0) throw unavailable(provider, 'provider_unavailable', waitMs)
  }
}

const unavailable = (provider: string, code: 'provider_unavailable' | 'provider_timeout', waitMs: number, cause?: unknown) =>
  new GatewayError(code, 'The provider could not renew the access just now. The connection is kept; try again a little later.', {
    provider,
    retryAfter: Math.ceil(waitMs / 1000),
    cause
  })

const connectionRequired = (provider: string) =>
  new GatewayError('connection_required', 'There is no connection to this provider in this session. Open connectUrl to make one.', {
    provider
  })

const reconnectRequired = (provider: string) =>
  new GatewayError('reconnect_required', 'The provider no longer honours this connection. Open connectUrl to connect again.', { provider })
