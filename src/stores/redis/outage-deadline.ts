export type OutageDeadlines = {
  /** How long a call that begins now waits for whoever it is sent to, in milliseconds. */
  remainingMs(whom: string): number
  /** There was an answer, of whatever kind. */
  markAlive(whom: string): void
  reset(): void
}

/** Silences that are kept in mind. Forgetting one costs a call no more than its own patience. */
const maxSilences = 10_000

/**
 * One patience for one silence, however many calls fall into it: who comes later waits for what is left of it, and `leastMs` at
 * least. A request that asks several times in a row, or behind another one, would otherwise wait for the sum.
 */
export function createOutageDeadlines(patienceMs: number, minMs: number): OutageDeadlines {
  const silentSinceMs = new Map<string, number>()
  return {
    remainingMs: whom => {
      const nowMs = performance.now()
      const sinceMs = silentSinceMs.get(whom) ?? nowMs
      if (silentSinceMs.size >= maxSilences) silentSinceMs.clear()
      silentSinceMs.set(whom, sinceMs)
      return Math.max(sinceMs + patienceMs - nowMs, minMs)
    },
    markAlive: whom => void silentSinceMs.delete(whom),
    reset: () => silentSinceMs.clear()
  }
}
