import { readFileSync } from 'node:fs'
import { childrenOf } from '../support/node-process.ts'

const beatMs = 10
/** The processes are looked at less often: it costs, and only a call that takes longer is near any limit. */
const lookMs = 100

export type Lateness = { between(startMs: number, endMs: number): number; stop(): void }

/**
 * How long this process, which plays clients and providers, and those that it has started, gateways and stores, were kept from running:
 * by others on a busy machine, or this one by itself. Of an answer's time that much says nothing about the gateway. Taken together it
 * may be more than the answer was late by; where there are cores enough it is little.
 */
export function watchLateness(): Lateness {
  const late: Array<{ fromMs: number; toMs: number }> = []
  const looks = [look()]
  let dueMs = performance.now() + beatMs
  const timer = setInterval(() => {
    const nowMs = performance.now()
    if (nowMs > dueMs + beatMs) late.push({ fromMs: dueMs, toMs: nowMs })
    dueMs = nowMs + beatMs
    if (nowMs - (looks.at(-1)?.atMs ?? 0) >= lookMs) looks.push(look())
  }, beatMs)

  function ofThisProcess(startMs: number, endMs: number): number {
    // What is measured ends before the beat that would tell of it, when its answer and the beat have waited for the same.
    return [...late, { fromMs: dueMs, toMs: performance.now() }]
      .map(({ fromMs, toMs }) => Math.min(toMs, endMs) - Math.max(fromMs, startMs))
      .reduce((sum, byMs) => sum + Math.max(0, byMs), 0)
  }

  function ofOthers(startMs: number, endMs: number): number {
    if (endMs - startMs < lookMs) return 0
    const before = looks.findLast(({ atMs }) => atMs <= startMs)
    return [...look().waitedMs].reduce((sum, [pid, waitedMs]) => sum + waitedMs - (before?.waitedMs.get(pid) ?? 0), 0)
  }

  return {
    between: (startMs, endMs) => ofThisProcess(startMs, endMs) + ofOthers(startMs, endMs),
    stop: () => clearInterval(timer)
  }
}

type Look = { readonly atMs: number; readonly waitedMs: ReadonlyMap<string, number> }

/** How long each process that this one has started was ready to run so far and had no core. */
const look = (): Look => ({
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
