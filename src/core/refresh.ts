import { type Connection, type Grant, renewed } from './connection.ts'
import { connectionRequired, reconnectRequired, renewalFailed } from './connection-errors.ts'
import { hasCode } from './errors.ts'
import type { Clock } from './ports.ts'
import type { Versioned } from './records.ts'
import { TokenEndpointError } from './token-answer.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import type { Vault } from './vault.ts'

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
type UnderLease = {
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
    return save(owner, kept, grant, lease)
  }

  /**
   * Until the store has it, or has what the person put in its place. Who waits for the connection is answered after the first
   * failure: the provider honours it, whether or not our store can be reached.
   */
  async function save(owner: string, kept: Versioned<Connection>, grant: Grant, { answerNow }: UnderLease) {
    const fresh = renewed(kept.value, grant, clock.now())
    const untilMs = clock.now() + holdOnMs
    for (;;) {
      try {
        const { written, standing } = await change(owner, kept, ({ heldBackUntilMs }) => ({
          ...fresh,
          ...(heldBackUntilMs !== undefined && { heldBackUntilMs })
        }))
        if (written) return written
        if (standing?.value.status === 'connected') return standing // A new sign-in; or our own write, whose answer was lost.
        onOrphan(fresh)
        throw standing ? reconnectRequired(fresh.provider) : connectionRequired(fresh.provider)
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

  /** The provider does not honour the grant. Believed only if nobody has put a newer one in its place. */
  async function giveUp(owner: string, kept: Versioned<Connection>): Promise<Versioned<Connection>> {
    const ended = ({ backoff: _, refreshToken: _1, ...rest }: Connection): Connection => ({ ...rest, status: 'reconnect_required' })
    const { written } = await change(owner, kept, ended)
    if (written) throw reconnectRequired(kept.value.provider)
    return keptConnection(vault, owner, kept.value.provider)
  }

  async function backOff(owner: string, kept: Versioned<Connection>, error: TokenEndpointError): Promise<never> {
    const failures = (kept.value.backoff?.failures ?? 0) + 1
    const delayMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1))
    const backoff = { failures, notBeforeMs: clock.now() + delayMs }
    await change(owner, kept, value => ({ ...value, backoff }))
    throw renewalFailed(kept.value.provider, error.kind === 'timeout' ? 'provider_timeout' : 'provider_unavailable', delayMs, error)
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
