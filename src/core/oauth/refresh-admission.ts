import type { Clock } from '../ports.ts'

/** How long the others wait for the outcome of the first. */
const waitMs = 500
/** For so long after a response that was no failure nobody waits. */
const knownGoodMs = 1_000

/**
 * Refreshes of many sessions that come together after a quiet time: the first goes ahead, so that a provider which wants a pause
 * says so once, and not once a session. Where one was answered well just now they all go.
 */
export function createRefreshAdmission(clock: Clock, pause: (ms: number, signal: AbortSignal) => Promise<void>) {
  const ahead = new Map<string, Promise<void>>()
  const goodAtMs = new Map<string, number>()

  return {
    /** Resolves when this refresh may ask. @returns to be called with its outcome */
    async admit(provider: string): Promise<(isGood: boolean) => void> {
      const first = ahead.get(provider)
      if (first) await first
      const done = new AbortController()
      if (!first && clock.now() - (goodAtMs.get(provider) ?? 0) > knownGoodMs) {
        const mine = pause(waitMs, done.signal).then(() => {
          ahead.delete(provider)
        })
        ahead.set(provider, mine)
      }
      return isGood => {
        if (isGood) goodAtMs.set(provider, clock.now())
        done.abort()
      }
    }
  }
}
