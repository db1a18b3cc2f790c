import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, type Grant, renewed } from './connection.ts'
import { GatewayError, hasCode } from './errors.ts'
import type { Clock, Hold, Lease, Watch } from './ports.ts'
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
  readonly watch: Pick<Watch, 'nextChange'>
  readonly clock: Clock
  /** @returns `undefined` for a provider whose OAuth is off. */
  readonly endpointOf: (provider: string) => TokenEndpoint | undefined
  /** Called with a connection that was refreshed for nobody: its session or itself ended in the meantime. */
  readonly onOrphan: (connection: Connection) => void
  /** Called with a connection whose refreshed grant the store has not taken for so long that it is given up. */
  readonly onLost?: (connection: Connection) => void
  /** Ends early, without a word, when the signal is aborted. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<void>
}

/**
 * Exactly one refresh, however many ask.
 * @param failed the connection as the caller used it. When the kept one carries another credential already, that is the answer.
 * @returns the connection with a credential that is newer than the failed one
 * @throws {GatewayError} `reconnect_required`, `connection_required`, `provider_unavailable`, `provider_timeout`, `store_unavailable`
 */
export type Renew = (owner: string, failed: Connection) => Promise<Versioned<Connection>>

export type Renewal = {
  readonly renew: Renew
  /** Resolves when what is under way has ended and every lease has been given back; after `withinMs` what is not saved is given up. */
  settle(withinMs: number): Promise<void>
}

/** Longer than a token call may take: a holder that lost sight of the store does not meet a second one at the provider. */
const leaseMs = 15_000
/** How often a holder says that it lives. */
const extendMs = 250
/** How often one who waits looks, though no change was told: the end of a lease by death or time is told by nobody. */
const lookMs = 100
const firstBackoffMs = 1_000
const longestBackoffMs = 60_000
/** A refreshed grant that the store does not take is held on to: the provider may honour no other any more. */
const saveEveryMs = 100
const holdOnMs = 10 * 60_000

const pauseFor = (ms: number, signal?: AbortSignal): Promise<void> => sleep(ms, undefined, signal && { signal }).catch(() => {})

export function createRenewal(parts: RenewalParts): Renewal {
  const { vault, lease, watch, clock, endpointOf, onOrphan, onLost = () => {}, pause = pauseFor } = parts
  const flights = new Map<string, Promise<Versioned<Connection>>>()
  /** Refreshed, and not yet taken by the store. */
  const unsaved = new Map<string, Versioned<Connection>>()
  const working = new Set<Promise<unknown>>()
  const over = new AbortController()

  const keyOf = (owner: string, { provider }: Connection) => `${owner}:${provider}`

  async function renew(owner: string, failed: Connection): Promise<Versioned<Connection>> {
    const key = keyOf(owner, failed)
    const held = unsaved.get(key)
    if (held && !held.value.credential.equals(failed.credential)) return held
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
    const hold = await takeLease(owner, failed)
    if (!('release' in hold)) return hold
    const outcome = Promise.withResolvers<Versioned<Connection>>()
    // The work may go on after the callers have their answer, when the store does not take it; and with it the lease.
    const work = underLease(hold, async stillHeld => {
      const kept = await keptConnection(owner, failed)
      if (!kept.value.credential.equals(failed.credential)) outcome.resolve(kept)
      else outcome.resolve(await refresh(owner, kept, stillHeld, outcome.resolve))
    }).catch(outcome.reject)
    working.add(work)
    void work.finally(() => working.delete(work))
    return outcome.promise
  }

  async function underLease(hold: Hold, work: (stillHeld: () => boolean) => Promise<void>): Promise<void> {
    const done = new AbortController()
    let held = true
    const extending = (async () => {
      for (;;) {
        await pause(extendMs, done.signal)
        if (done.signal.aborted) return
        // Without an answer nobody knows; an answer that says no is the end of it.
        held = await hold.extend(leaseMs).catch(() => held)
        if (!held) return
      }
    })()
    try {
      await work(() => held)
    } finally {
      done.abort()
      await extending
      await hold.release().catch(() => {}) // The lease ends by itself; the outcome is what counts.
    }
  }

  /** The right to refresh; or the connection, when another instance has refreshed it while we waited. */
  async function takeLease(owner: string, failed: Connection): Promise<Hold | Versioned<Connection>> {
    for (let waitedMs = 0; ; ) {
      const since = clock.now()
      // Before we ask, so that a change which comes right after the answer is not missed.
      const change = watch.nextChange(owner, lookMs)
      const hold = await lease.acquire(owner, `renewal:${failed.provider}`, leaseMs, waitedMs)
      if (hold) return hold
      const kept = await keptConnection(owner, failed)
      if (!kept.value.credential.equals(failed.credential)) return kept
      throwWhileBackingOff(kept.value)
      await change
      waitedMs += Math.max(0, clock.now() - since)
    }
  }

  async function keptConnection(owner: string, { provider }: Connection): Promise<Versioned<Connection>> {
    const kept = await vault.readConnection(owner, provider)
    if (!kept) throw connectionRequired(provider)
    if (kept.value.status === 'reconnect_required') throw reconnectRequired(provider)
    return kept
  }

  async function refresh(
    owner: string,
    kept: Versioned<Connection>,
    stillHeld: () => boolean,
    answerNow: (fresh: Versioned<Connection>) => void
  ): Promise<Versioned<Connection>> {
    const { provider, refreshToken } = kept.value
    const endpoint = endpointOf(provider)
    if (!refreshToken || !endpoint) return giveUp(owner, kept)
    throwWhileBackingOff(kept.value)
    if (!stillHeld()) throw unavailable(provider, 'provider_unavailable', firstBackoffMs)
    let grant: Grant
    try {
      grant = await endpoint.refresh(refreshToken)
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      return error.isInvalidGrant ? giveUp(owner, kept) : backOff(owner, kept, error)
    }
    const fresh = renewed(kept.value, grant, clock.now())
    return (await save(owner, kept, fresh, answerNow)) ?? standing(owner, kept.value, fresh, answerNow)
  }

  /**
   * Until the store has it or says that it has another version. Who waits for the connection is answered after the first failure:
   * the provider honours it, whether or not our store can be reached.
   */
  async function save(
    owner: string,
    kept: Versioned<Connection>,
    fresh: Connection,
    answerNow: (fresh: Versioned<Connection>) => void
  ): Promise<Versioned<Connection> | undefined> {
    const key = keyOf(owner, fresh)
    const untilMs = clock.now() + holdOnMs
    try {
      for (;;) {
        try {
          return await vault.replace(owner, kept, fresh)
        } catch (error) {
          if (!hasCode(error, 'store_unavailable')) throw error
          if (clock.now() > untilMs || over.signal.aborted) {
            onLost(fresh)
            throw error
          }
          const held = { value: fresh, version: kept.version }
          unsaved.set(key, held)
          answerNow(held)
          await pause(saveEveryMs, over.signal)
        }
      }
    } finally {
      unsaved.delete(key)
    }
  }

  /** Our write found another version: what the person did meanwhile stands; our own notes on the old credential do not. */
  async function standing(
    owner: string,
    before: Connection,
    fresh: Connection,
    answerNow: (fresh: Versioned<Connection>) => void
  ): Promise<Versioned<Connection>> {
    const kept = await vault.readConnection(owner, fresh.provider)
    if (kept?.value.credential.equals(before.credential)) {
      const saved = await save(owner, kept, fresh, answerNow)
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

  return {
    renew,
    settle: async withinMs => {
      const timer = setTimeout(() => over.abort(), withinMs)
      while (flights.size + working.size > 0) await Promise.allSettled([...flights.values(), ...working])
      clearTimeout(timer)
    }
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
