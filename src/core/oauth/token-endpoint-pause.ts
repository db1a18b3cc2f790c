import type { Clock, Store } from '../ports.ts'

/** How the instances share a pause. */
export type PauseStore = Pick<Store, 'setValue' | 'getValue'>

/**
 * Until when a provider's token endpoint wants no refresh, from the `Retry-After` of a 429 or 503. It was sent in response to one session
 * and applies to all of them, on every instance.
 */
export function createTokenEndpointPause(store: PauseStore, clock: Clock) {
  const known = new Map<string, number>()
  const keyOf = (provider: string) => `token-pause:${provider}`

  return {
    /** @returns milliseconds since the epoch; in the past if there is no pause. @throws {GatewayError} `store_unavailable` */
    async until(provider: string): Promise<number> {
      const knownUntilMs = known.get(provider) ?? 0
      if (knownUntilMs > clock.now()) return knownUntilMs
      known.delete(provider)
      const untilMs = Number((await store.getValue(keyOf(provider)))?.toString() ?? 0)
      if (untilMs > clock.now()) known.set(provider, untilMs)
      return untilMs
    },

    /** This instance applies it at once. If the store cannot be reached, the other instances find out for themselves. */
    async record(provider: string, untilMs: number): Promise<void> {
      known.set(provider, untilMs)
      await store.setValue(keyOf(provider), Buffer.from(String(untilMs)), untilMs - clock.now()).catch(() => {})
    }
  }
}
