import type { Clock, Store } from '../ports.ts'

/** What every instance is told: `keep` and `kept` of the store. */
export type PauseStore = Pick<Store, 'setValue' | 'getValue'>

/**
 * Until when a provider's token endpoint wants no refresh, by the `Retry-After` of its 429 or 503: said to one session, it is meant for all
 * of them, on every instance.
 */
export function createTokenEndpointPause(notes: PauseStore, clock: Clock) {
  const known = new Map<string, number>()
  const keyOf = (provider: string) => `token-pause:${provider}`

  return {
    /** @returns milliseconds since the epoch, in the past where there is no pause. @throws {GatewayError} `store_unavailable` */
    async until(provider: string): Promise<number> {
      const here = known.get(provider) ?? 0
      if (here > clock.now()) return here
      known.delete(provider)
      const untilMs = Number((await notes.getValue(keyOf(provider)))?.toString() ?? 0)
      if (untilMs > clock.now()) known.set(provider, untilMs)
      return untilMs
    },

    /** This instance knows at once. When the store cannot be told, the others find out for themselves. */
    async record(provider: string, untilMs: number): Promise<void> {
      known.set(provider, untilMs)
      await notes.setValue(keyOf(provider), Buffer.from(String(untilMs)), untilMs - clock.now()).catch(() => {})
    }
  }
}
