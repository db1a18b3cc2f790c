import { applyGrant, type Backoff, type Connection, type Grant } from '../connections/connection.ts'
import { connectionRequired, reconnectRequired, renewalFailed } from '../connections/errors.ts'
import { hasCode } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { retryAtMs } from '../util/retry-after.ts'
import type { Versioned } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import { createRefreshAdmission } from './refresh-admission.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { createTokenEndpointPause, type PauseStore } from './token-endpoint-pause.ts'
import { TokenEndpointError } from './token-response.ts'

/** A refresh that failed, for a log. */
export type RenewalFailure = {
  readonly provider: string
  readonly error: TokenEndpointError
  /** How many in a row have failed, this one included. */
  readonly attempt: number
  readonly retryInMs: number
}

/** A grant or key that the provider does not honour any more, for a log. */
export type EndedGrant = {
  readonly provider: string
  /** `refused_for_long`: ten minutes of nothing but refusals. The last two have nothing to be renewed with. */
  readonly why: 'invalid_grant' | 'refused_for_long' | 'no_refresh_token' | 'provider_off'
  readonly error?: TokenEndpointError
}

export type RefreshDependencies = {
  readonly vault: Vault
  readonly notes: PauseStore
  readonly clock: Clock
  /** @returns `undefined` for a provider whose OAuth is off. */
  readonly endpointOf: (provider: string) => TokenEndpoint | undefined
  /** Called with a connection that was refreshed for nobody: its session or itself ended in the meantime. */
  readonly onOrphan: (connection: Connection) => void
  /** Called with a connection that was refreshed while the person put another in its place: its grant is of no use to anybody any more. */
  readonly onOvertaken: (connection: Connection, by: Connection) => void
  /** Called with a connection whose refreshed grant the store has not taken for so long that it is given up. */
  readonly onLost: (connection: Connection) => void
  /** Called when the gateway closes in the middle of a token call: what comes of it nobody will read. */
  readonly onAbandoned: (provider: string) => void
  readonly onFailed: (failure: RenewalFailure) => void
  readonly onEnded: (end: EndedGrant) => void
  /** Ends early, without a word, when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Aborted when the gateway closes and waits no longer. */
  readonly closing: AbortSignal
}

/** What a refresh is told by the lease that it runs under, and tells who waits for it. */
type UnderLease = {
  /** For as long as a token call may take. */
  readonly stillHeld: () => boolean
  /** The provider honours this from now on, though the store does not have it yet. */
  readonly answerNow: (unsaved: Versioned<Connection>) => void
}

/** For whoever holds the lease: one token call, and what becomes of its outcome. */
export type Refresh = (owner: string, kept: Versioned<Connection>, lease: UnderLease) => Promise<Versioned<Connection>>

const firstBackoffMs = 1_000
const longestBackoffMs = 60_000
/** For so long nothing but refusals, twice at least, and the grant is over: no refresh token comes to life again. */
const refusedForLongMs = 10 * 60_000
/** A refreshed grant that the store does not take is held on to: the provider may honour no other any more. */
const saveEveryMs = 100
const holdOnMs = 10 * 60_000

export function createRefresh(parts: RefreshDependencies): Refresh {
  const { vault, clock, endpointOf, onOrphan, onOvertaken, onLost, onAbandoned, onFailed, onEnded, pause, closing } = parts
  const pauses = createTokenEndpointPause(parts.notes, clock)
  const turns = createRefreshAdmission(clock, pause)

  return async function refresh(owner, kept, lease) {
    const { provider, refreshToken } = kept.value
    const endpoint = endpointOf(provider)
    if (!endpoint || !refreshToken) return giveUp(owner, kept, endpoint ? 'no_refresh_token' : 'provider_off')
    assertNotBackingOff(kept.value, clock)
    const taken = await turns.admit(provider)
    let grant: Grant | undefined
    try {
      const pausedMs = (await pauses.until(provider)) - clock.now()
      if (pausedMs > 0) return await holdBack(owner, kept, pausedMs)
      if (!lease.stillHeld()) throw renewalFailed(provider, 'provider_unavailable', firstBackoffMs)
      grant = await granted(endpoint, provider, refreshToken)
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      return error.isInvalidGrant ? giveUp(owner, kept, 'invalid_grant', error) : backOff(owner, kept, error)
    } finally {
      taken(grant !== undefined)
    }
    return save(owner, kept, grant, lease)
  }

  /** What the provider grants. A pause that it asks for is noted before anybody else has the turn. */
  async function granted(endpoint: TokenEndpoint, provider: string, refreshToken: Secret): Promise<Grant> {
    const { promise: closed, reject } = Promise.withResolvers<never>()
    const abandon = () => {
      onAbandoned(provider)
      reject(renewalFailed(provider, 'provider_timeout', firstBackoffMs))
    }
    closing.addEventListener('abort', abandon)
    try {
      return await Promise.race([endpoint.refresh(refreshToken), closed])
    } catch (error) {
      const pausedMs = pauseIn(error)
      if (pausedMs > 0) await pauses.record(provider, clock.now() + pausedMs)
      throw error
    } finally {
      closing.removeEventListener('abort', abandon)
    }
  }

  /**
   * Until the store has it, or has what the person put in its place. Who waits for the connection is answered after the first
   * failure: the provider honours it, whether or not our store can be reached.
   */
  async function save(owner: string, kept: Versioned<Connection>, grant: Grant, { answerNow }: UnderLease) {
    const fresh = applyGrant(kept.value, grant, clock.now())
    const untilMs = clock.now() + holdOnMs
    for (;;) {
      try {
        const { written, standing } = await change(owner, kept, ({ rateLimitedUntilMs }) => ({
          ...fresh,
          ...(rateLimitedUntilMs !== undefined && { rateLimitedUntilMs })
        }))
        if (written) return written
        if (standing?.value.status === 'connected') {
          // Or it is our own write, whose answer was lost.
          if (standing.value.connectedAtMs !== fresh.connectedAtMs) onOvertaken(fresh, standing.value)
          return standing
        }
        onOrphan(fresh)
        throw standing ? reconnectRequired(fresh.provider) : connectionRequired(fresh.provider)
      } catch (error) {
        if (!hasCode(error, 'store_unavailable')) throw error
        if (clock.now() > untilMs || closing.aborted) {
          onLost(fresh)
          throw error
        }
        answerNow({ value: fresh, version: kept.version })
        await pause(saveEveryMs, closing)
      }
    }
  }

  /** The provider does not honour the grant. Believed only if nobody has put a newer one in its place. */
  async function giveUp(owner: string, kept: Versioned<Connection>, why: EndedGrant['why'], error?: TokenEndpointError) {
    const { provider } = kept.value
    const ended = ({ backoff: _, refreshToken: _1, ...rest }: Connection): Connection => ({ ...rest, status: 'reconnect_required' })
    const { written } = await change(owner, kept, ended)
    if (!written) return readUsableConnection(vault, owner, provider)
    onEnded({ provider, why, ...(error && { error }) })
    throw reconnectRequired(provider, error)
  }

  async function backOff(owner: string, kept: Versioned<Connection>, error: TokenEndpointError): Promise<Versioned<Connection>> {
    const { provider, backoff: before } = kept.value
    const nowMs = clock.now()
    const rejectedSinceMs = error.isRejection ? (before?.rejectedSinceMs ?? nowMs) : undefined
    if (rejectedSinceMs !== undefined && nowMs - rejectedSinceMs >= refusedForLongMs) return giveUp(owner, kept, 'refused_for_long', error)
    const failures = (before?.failures ?? 0) + 1
    const delayMs = Math.max(askedDelayMs(error), Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1)))
    const backoff: Backoff = {
      failures,
      retryAtMs: nowMs + delayMs,
      failingSinceMs: before?.failingSinceMs ?? nowMs,
      ...(rejectedSinceMs !== undefined && { rejectedSinceMs }),
      ...(error.isClientRejected && { isClientRejected: true })
    }
    const { rotatedRefreshToken } = error.details
    onFailed({ provider, error, attempt: failures, retryInMs: delayMs })
    await change(owner, kept, value => ({ ...value, ...(rotatedRefreshToken && { refreshToken: rotatedRefreshToken }), backoff }))
    throw renewalFailed(provider, codeOf(error), delayMs, error)
  }

  /** The provider has said to another session that it wants a pause. No failure of this one's, but its renewal does fail. */
  async function holdBack(owner: string, kept: Versioned<Connection>, pausedMs: number): Promise<never> {
    const nowMs = clock.now()
    await change(owner, kept, value => ({
      ...value,
      backoff: { failures: 0, failingSinceMs: nowMs, ...value.backoff, retryAtMs: nowMs + pausedMs }
    }))
    throw renewalFailed(kept.value.provider, 'provider_unavailable', pausedMs)
  }

  function askedDelayMs(error: TokenEndpointError): number {
    const { retryAfter } = error.details
    return (retryAtMs(retryAfterHeader, { 'retry-after': retryAfter }, clock.now()) ?? 0) - clock.now()
  }

  /** For all sessions. An overload is the endpoint's; any other refusal may be of this grant alone. */
  function pauseIn(error: unknown): number {
    return error instanceof TokenEndpointError && [429, 503].includes(error.details.status ?? 0) ? askedDelayMs(error) : 0
  }

  /**
   * Writes over the record for as long as it carries the credential that was used up. A note that comes in between, of a 429 on any
   * instance, makes another version of it and not another credential. @returns what was written, or what stands in its place
   */
  async function change(owner: string, kept: Versioned<Connection>, to: (value: Connection) => Connection) {
    for (let before = kept; ; ) {
      const written = await vault.replace(owner, before, to(before.value))
      if (written) return { written }
      const standing = await vault.readConnection(owner, kept.value.provider)
      if (!standing?.value.credential.equals(kept.value.credential)) return { standing }
      before = standing
    }
  }
}

const retryAfterHeader = { header: 'retry-after', unit: 'seconds' } as const

const codeOf = (error: TokenEndpointError) =>
  error.isClientRejected ? 'client_rejected' : error.kind === 'timeout' ? 'provider_timeout' : 'provider_unavailable'

/** The connection as the store has it now. @throws {GatewayError} `connection_required`, `reconnect_required`, `store_unavailable` */
export async function readUsableConnection(vault: Vault, owner: string, provider: string): Promise<Versioned<Connection>> {
  const kept = await vault.readConnection(owner, provider)
  if (!kept) throw connectionRequired(provider)
  if (kept.value.status === 'reconnect_required') throw reconnectRequired(provider)
  return kept
}

/** A failure that may pass is shared: until its time nobody asks the provider again. */
export function assertNotBackingOff({ provider, backoff }: Connection, clock: Clock): void {
  const waitMs = (backoff?.retryAtMs ?? 0) - clock.now()
  if (waitMs > 0) throw renewalFailed(provider, backoff?.isClientRejected ? 'client_rejected' : 'provider_unavailable', waitMs)
}
