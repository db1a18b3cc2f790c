export type OutageDeadlines = {
  /** How long a command sent to the node now may wait for its reply, in milliseconds. */
  remainingMs(node: string): number
  /** The node has replied, with whatever. */
  markAlive(node: string): void
  reset(): void
}

/** Upper bound of the map. A node that is dropped from it costs a command no more than a full timeout. */
const maxNodes = 10_000

/**
 * One deadline for each outage, shared by all commands: a later command waits for the rest of it only, but for `minMs` at least.
 * Otherwise a request that sends several commands in a row, or waits behind another request, would wait for the sum of their timeouts.
 */
export function createOutageDeadlines(timeoutMs: number, minMs: number): OutageDeadlines {
  /** When the first command was sent that has no reply yet. */
  const silentSinceMs = new Map<string, number>()
  return {
    remainingMs: node => {
      const nowMs = performance.now()
      const sinceMs = silentSinceMs.get(node) ?? nowMs
      if (silentSinceMs.size >= maxNodes) silentSinceMs.clear()
      silentSinceMs.set(node, sinceMs)
      return Math.max(sinceMs + timeoutMs - nowMs, minMs)
    },
    markAlive: node => void silentSinceMs.delete(node),
    reset: () => silentSinceMs.clear()
  }
}
