import { type Connection, type Grant, renewed } from './connection.ts'
import { connectionRequired, reconnectRequired, renewalFailed } from './connection-errors.ts'
import { hasCode } from './errors.ts'
import type { Clock } from './ports.ts'
import { TokenEndpointError } from './token-answer.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import type { Vault, Versioned } from './vault.ts'

export type RefreshParts = {
  readonly vault: Vault
  readonly clock: Clock
  /** @returns `undefined` for a provider whose OAuth is off. */
  readonly endpointOf: (provider: string) => TokenEndpoint | undefined
  /** Called with a connection that was refreshed for nobody: its session or itself ended in the meantime. */
  readonly onOrphan: (connection: Connection) => void
  /** Called with a connection whose refreshed grant the store has not taken for so long that it is given up. */
  readonly onLost: (connection: Connection) => void
  /** Ends early, without a word, when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Aborted when the gateway closes and waits no longer. */
  readonly over: AbortSignal
}

/** What a refresh is told by the lease that it runs under, and tells who waits for it. */
export type UnderLease = {
  readonly stillHeld: () => boolean
  /** The provider honours this from now on, though the store does not have it yet. */
  readonly answerNow: (unsaved: Versioned<Connection>) => void
}

/** For whoever holds the lease: one token call, and what becomes of its outcome. */
export type Refresh = (owner: string, kept: Versioned<Connection>, lease: UnderLease) => Promise<Versioned<Connection>>

const firstBackoffMs = 1_000
const longestBackoffMs = 60_000
/** A refreshed grant that the store does not take is held on to: the provider may honour no other any more. */
const saveEveryMs = 100
const holdOnMs = 10 * 60_000

export function createRefresh({ vault, clock, endpointOf, onOrphan, onLost, pause, over }: RefreshParts): Refresh {
  return async function refresh(owner, kept, lease) {
    const { provider, refreshToken } = kept.value
    const endpoint = endpointOf(provider)
    if (!refreshToken || !endpoint) return giveUp(owner, kept)
    throwWhileBackingOff(kept.value, clock)
    if (!lease.stillHeld()) throw renewalFailed(provider, 'provider_unavailable', firstBackoffMs)
    let grant: Grant
    try {
      grant = await endpoint.refresh(refreshToken)
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      return error.isInvalidGrant ? giveUp(owner, kept) : backOff(owner, kept, error)
    }
    const fresh = renewed(kept.value, grant, clock.now())
    return (await save(owner, kept, fresh, lease)) ?? standing(owner, kept.value, fresh, lease)
  }

  /**
   * Until the store has it or says that it has another version. Who waits for the connection is answered after the first failure:
   * the provider honours it, whether or not our store can be reached.
   */
  async function save(owner: string, kept: Versioned<Connection>, fresh: Connection, { answerNow }: UnderLease) {
    const untilMs = clock.now() + holdOnMs
    for (;;) {
      try {
        return await vault.replace(owner, kept, fresh)
      } catch (error) {
        if (!hasCode(error, 'store_unavailable')) throw error
        if (clock.now() > untilMs || over.aborted) {
          onLost(fresh)
          throw error
        }
        answerNow({ value: fresh, version: kept.version })
        await pause(saveEveryMs, over)
      }
    }
  }

  /** Our write found another version: what the person did meanwhile stands; our own notes on the old credential do not. */
  async function standing(owner: string, before: Connection, fresh: Connection, lease: UnderLease): Promise<Versioned<Connection>> {
    const kept = await vault.readConnection(owner, fresh.provider)
    if (kept?.value.credential.equals(before.credential)) {
      const saved = await save(owner, kept, fresh, lease)
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
    return keptConnection(vault, owner, kept.value.provider)
  }

  async function backOff(owner: string, kept: Versioned<Connection>, error: TokenEndpointError): Promise<never> {
    const failures = (kept.value.backoff?.failures ?? 0) + 1
    const delayMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1))
    await vault.replace(owner, kept, { ...kept.value, backoff: { failures, notBeforeMs: clock.now() + delayMs } })
    throw renewalFailed(kept.value.provider, error.kind === 'timeout' ? 'provider_timeout' : 'provider_unavailable', delayMs, error)
  }
}

/** The connection as the store has it now. @throws {GatewayError} `connection_required`, `reconnect_required`, `store_unavailable` */
export async function keptConnection(vault: Vault, owner: string, provider: string): Promise<Versioned<Connection>> {
  const kept = await vault.readConnection(owner, provider)
  if (!kept) throw connectionRequired(provider)
  if (kept.value.status === 'reconnect_required') throw reconnectRequired(provider)
  return kept
}

/** A failure that may pass is shared: until its time nobody asks the provider again. */
export function throwWhileBackingOff({ provider, backoff }: Connection, clock: Clock): void {
  const waitMs = (backoff?.notBeforeMs ?? 0) - clock.now()
  if (waitMs > 0) throw renewalFailed(provider, 'provider_unavailable', waitMs)
}
