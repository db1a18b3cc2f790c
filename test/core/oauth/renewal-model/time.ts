import type { Scheduler } from 'fast-check'
import type { Clock } from '../../../../src/core/ports.ts'
import { startMs } from '../../support.ts'

/** Time that only moves when the scheduler says so, and never past something that is due. */
export type Time = Clock & {
  /** Resolves at a moment that the scheduler chooses, at most `longestStepMs` from now. */
  step(what: string): Promise<void>
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets time pass until nothing is to come. @returns what still is after `withinMs`. */
  advance(withinMs: number): Promise<string[]>
}

/** A call of the store is two steps, and the port promises an answer within a second. */
const maxStepMs = 300

/** @param pace how many other steps, more or less, are taken before time moves on */
export function createTime(scheduler: Scheduler, pace: number): Time {
  let nowMs = startMs
  const due = new Set<{ atMs: number; what: string; come?: () => void }>()

  return {
    now: () => nowMs,

    async step(what) {
      const one = { atMs: nowMs + maxStepMs, what }
      due.add(one)
      await scheduler.schedule(Promise.resolve(), what)
      due.delete(one)
    },

    sleep: (ms, signal) =>
      new Promise(resolve => {
        const come = () => {
          due.delete(one)
          resolve()
        }
        const one = { atMs: nowMs + ms, what: `sleep of ${ms} ms`, come }
        due.add(one)
        signal?.addEventListener('abort', come)
      }),

    async advance(withinMs) {
      while (nowMs - startMs < withinMs) {
        for (let i = 0; i < pace; i++) await scheduler.schedule(Promise.resolve(), 'time')
        if (due.size === 0) return []
        nowMs = Math.max(nowMs, Math.min(...[...due].map(({ atMs }) => atMs)))
        for (const { atMs, come } of due) if (atMs <= nowMs) come?.()
      }
      return [...due].map(({ what }) => what)
    }
  }
}
