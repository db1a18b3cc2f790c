import { readFileSync } from 'node:fs'
import { childrenOf } from '../support/node-process.ts'

const tickMs = 10
/** Reading /proc costs time, and shorter requests are far below any limit. */
const samplePeriodMs = 100

export type SchedulingDelay = { between(startMs: number, endMs: number): number; stop(): void }

/**
 * Measures how long this process (clients and providers) and its children (gateways and stores) were ready but not running: on a busy
 * machine, or because this process blocked its own event loop. That part of a response time says nothing about the gateway. The sum over
 * processes may exceed the real delay of a response; with enough free cores it is small.
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
    // The measured interval may end before the overdue tick runs, so the current stall counts too.
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

/** How long each child process has so far been ready to run without a core. */
const takeSample = (): Sample => ({
  atMs: performance.now(),
  waitedMs: new Map(childrenOf(process.pid).map(pid => [pid, waitedMs(pid)]))
})

/** Run-queue wait time, see "Scheduler Statistics" in the Linux documentation. */
function waitedMs(pid: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0 // The process has exited.
  }
}
