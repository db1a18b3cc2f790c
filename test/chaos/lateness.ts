const beatMs = 10

export type Lateness = { between(startMs: number, endMs: number): number; stop(): void }

/**
 * How long this process, which plays clients and providers, was kept from running: by others on a busy machine, or by itself. Of an
 * answer's time that much says nothing about the gateway.
 */
export function watchLateness(): Lateness {
  const late: Array<{ atMs: number; byMs: number }> = []
  let lastMs = performance.now()
  const timer = setInterval(() => {
    const nowMs = performance.now()
    const byMs = nowMs - lastMs - beatMs
    if (byMs > beatMs) late.push({ atMs: nowMs, byMs })
    lastMs = nowMs
  }, beatMs)
  return {
    between: (startMs, endMs) =>
      late.filter(({ atMs, byMs }) => atMs - byMs >= startMs && atMs <= endMs).reduce((sum, { byMs }) => sum + byMs, 0),
    stop: () => clearInterval(timer)
  }
}
