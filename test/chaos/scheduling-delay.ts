import { readFileSync } from 'node:fs'
import { childrenOf } from '../support/node-process.ts'

const tickMs = 10
/** The processes are looked at less often: it costs, and only a call that takes longer is near any limit. */
const samplePeriodMs = 100

export type SchedulingDelay = { between(startMs: number, endMs: number): number; stop(): void }

/**
 * How long this process, which plays clients and providers, and those that it has started, gateways and stores, were kept from running:
 * by others on a busy machine, or this one by itself. Of an answer's time that much says nothing about the gateway. Taken together it
 * may be more than the answer was late by; where there are cores enough it is little.
 */
export function trackSchedulingDelay(): SchedulingDelay {
  const stalls: Array<{ fromMs: number; toMs: number }> = []
  const samples = [takeSample()]
  let dueMs = performance.now() + tickMs
  const timer = setInterval(() => {
    const nowMs = performance.now()
    if (nowMs > dueMs + tickMs) stalls.push({ fromMs: dueMs, toMs: nowMs })
    dueMs = nowMs + tickMs
    if (nowMs - (samples.at(-1)?.atMs ?? 0) >= samplePeriodMs) samples.push(takeSample())
  }, tickMs)

  function ownDelayMs(startMs: number, endMs: number): number {
    // What is measured ends before the beat that would tell of it, when its answer and the beat have waited for the same.
    return [...stalls, { fromMs: dueMs, toMs: performance.now() }]
      .map(({ fromMs, toMs }) => Math.min(toMs, endMs) - Math.max(fromMs, startMs))
      .reduce((sum, byMs) => sum + Math.max(0, byMs), 0)
  }

  function childDelayMs(startMs: number, endMs: number): number {
    if (endMs - startMs < samplePeriodMs) return 0
    const before = samples.findLast(({ atMs }) => atMs <= startMs)
    return [...takeSample().waitedMs].reduce((sum, [pid, waitedMs]) => sum + waitedMs - (before?.waitedMs.get(pid) ?? 0), 0)
  }

  return {
    between: (startMs, endMs) => ownDelayMs(startMs, endMs) + childDelayMs(startMs, endMs),
    stop: () => clearInterval(timer)
  }
}

type Sample = { readonly atMs: number; readonly waitedMs: ReadonlyMap<string, number> }

/** How long each process that this one has started was ready to run so far and had no core. */
const takeSample = (): Sample => ({
  atMs: performance.now(),
  waitedMs: new Map(childrenOf(process.pid).map(pid => [pid, waitedMs(pid)]))
})

/** "Scheduler Statistics" in the documentation of Linux. */
function waitedMs(pid: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0 // It has ended.
  }
}
