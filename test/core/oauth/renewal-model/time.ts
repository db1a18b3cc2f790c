import type { Scheduler } from 'fast-check'
import type { Clock } from '../../../../src/core/ports.ts'
import { startMs } from '../../support.ts'

/** A fake clock that the scheduler advances, never past something that is due. */
export type Time = Clock & {
  /** Resolves when the scheduler chooses, at most `maxStepMs` from now. */
  step(what: string): Promise<void>
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Advances until nothing is pending. @returns what is still pending after `withinMs`. */
  advance(withinMs: number): Promise<string[]>
}

/** A store call takes two steps, and the port promises a result within a second. */
const maxStepMs = 300

/** @param pace roughly how many other steps run before time advances */
export function createTime(scheduler: Scheduler, pace: number): Time {
  let nowMs = startMs
  const due = new Set<{ atMs: number; what: string; wake?: () => void }>()

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
        const wake = () => {
          due.delete(one)
          resolve()
        }
        const one = { atMs: nowMs + ms, what: `sleep of ${ms} ms`, wake }
        due.add(one)
        signal?.addEventListener('abort', wake)
      }),

    async advance(withinMs) {
      while (nowMs - startMs < withinMs) {
        for (let i = 0; i < pace; i++) await scheduler.schedule(Promise.resolve(), 'time')
        if (due.size === 0) return []
        nowMs = Math.max(nowMs, Math.min(...[...due].map(({ atMs }) => atMs)))
        for (const { atMs, wake } of due) if (atMs <= nowMs) wake?.()
      }
      return [...due].map(({ what }) => what)
    }
  }
}
