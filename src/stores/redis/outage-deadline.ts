export type SharedPatience = {
  /** How long a call that begins now waits for whoever it is sent to, in milliseconds. */
  next(whom: string): number
  /** There was an answer, of whatever kind. */
  heard(whom: string): void
  forget(): void
}

/** Silences that are kept in mind. Forgetting one costs a call no more than its own patience. */
const mostSilences = 10_000

/**
 * One patience for one silence, however many calls fall into it: who comes later waits for what is left of it, and `leastMs` at
 * least. A request that asks several times in a row, or behind another one, would otherwise wait for the sum.
 */
export function createSharedPatience(patienceMs: number, leastMs: number): SharedPatience {
  const silentSinceMs = new Map<string, number>()
  return {
    next: whom => {
      const nowMs = performance.now()
      const sinceMs = silentSinceMs.get(whom) ?? nowMs
      if (silentSinceMs.size >= mostSilences) silentSinceMs.clear()
      silentSinceMs.set(whom, sinceMs)
      return Math.max(sinceMs + patienceMs - nowMs, leastMs)
    },
    heard: whom => void silentSinceMs.delete(whom),
    forget: () => silentSinceMs.clear()
  }
}
