import type { Clock } from '../ports.ts'

/** How long other refreshes wait for the outcome of the first. */
const waitMs = 500
/** For so long after a success every refresh is admitted at once. */
const healthyMs = 1_000

/**
 * Admits refreshes of many sessions that are due at the same moment after a quiet time. The first goes ahead, so that a provider that wants a
 * pause says so once and not once per session. If a request has just succeeded, all are admitted.
 */
export function createRefreshAdmission(clock: Clock, pause: (ms: number, signal: AbortSignal) => Promise<void>) {
  const probes = new Map<string, Promise<void>>()
  const succeededAtMs = new Map<string, number>()

  return {
    /** Resolves when this refresh may send its request. @returns to be called with the outcome */
    async admit(provider: string): Promise<(isSuccess: boolean) => void> {
      const probe = probes.get(provider)
      if (probe) await probe
      const done = new AbortController()
      if (!probe && clock.now() - (succeededAtMs.get(provider) ?? 0) > healthyMs) {
        const ownProbe = pause(waitMs, done.signal).then(() => {
          probes.delete(provider)
        })
        probes.set(provider, ownProbe)
      }
      return isSuccess => {
        if (isSuccess) succeededAtMs.set(provider, clock.now())
        done.abort()
      }
    }
  }
}
