import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Browser } from '../support/browser.ts'
import { watchLateness } from './scheduling-delay.ts'

/** One call as its client saw it, behind a balancer. */
export type Call = {
  /** Such as `200`, or `503 store_unavailable`. */
  readonly outcome: string
  readonly startMs: number
  readonly endMs: number
  /** From start to end, without what the processes of the test were kept from running. */
  readonly tookMs: number
  /** How often it broke at the socket and was tried on the next instance. */
  readonly breaks: number
  /** The answer touched the session's cookie. */
  readonly setsCookie: boolean
}

export type LoadOptions = { readonly path: string; readonly callers?: number; readonly pauseMs?: number }

export type Load = {
  /** What has ended since the moment, of `performance.now()`. */
  since(ms: number): Call[]
  /** Resolves when every caller has been answered by the provider several times in a row, all of them begun after the moment. */
  well(sinceMs: number): Promise<void>
  stop(): Promise<void>
}

/** For the slowest of recoveries, on the busiest of machines. */
const patienceMs = 60_000

/**
 * Steady calls of one session, round robin. `urls` may change meanwhile. A call that breaks before its answer is whole goes to the
 * next instance, as a balancer does it with a GET.
 */
export function startLoad(t: Test, urls: readonly string[], session: Browser, { path, callers = 3, pauseMs = 70 }: LoadOptions): Load {
  const calls: Call[] = []
  const lateness = watchLateness()
  const stopping = new AbortController()
  let turn = 0
  let next = Promise.withResolvers<void>()

  async function call(): Promise<Call> {
    const startMs = performance.now()
    const ended = (rest: Pick<Call, 'outcome' | 'breaks' | 'setsCookie'>): Call => {
      const endMs = performance.now()
      return { ...rest, startMs, endMs, tookMs: endMs - startMs - lateness.between(startMs, endMs) }
    }
    for (let breaks = 0; ; breaks++) {
      try {
        // A copy: that an answer clears the cookie must not go unnoticed behind the next one.
        const response = await session.copy().fetch(`${urls[turn++ % urls.length]}${path}`)
        await response.arrayBuffer()
        const outcome = [response.status, response.headers.get('grantkeeper-error')].filter(part => part !== null).join(' ')
        return ended({ outcome, breaks, setsCookie: response.headers.has('set-cookie') })
      } catch {
        if (breaks === 2 * urls.length) return ended({ outcome: 'no answer', breaks, setsCookie: false })
      }
    }
  }

  const working = Array.from({ length: callers }, async (_, i) => {
    await sleep((pauseMs * i) / callers)
    while (!stopping.signal.aborted) {
      calls.push(await call())
      next.resolve()
      next = Promise.withResolvers()
      await sleep(pauseMs)
    }
  })

  const stop = async () => {
    stopping.abort()
    await Promise.all(working)
    lateness.stop()
  }
  t.teardown(stop)
  return {
    stop,
    since: ms => calls.filter(({ endMs }) => endMs > ms),
    well: async sinceMs => {
      const enough = 4 * callers
      const isWell = () => {
        const last = calls.slice(-enough)
        return last.length === enough && last.every(({ outcome, startMs }) => outcome === '200' && startMs > sinceMs)
      }
      const untilMs = performance.now() + patienceMs
      while (!isWell()) {
        if (performance.now() > untilMs) throw new Error(`not well again: ${calls.slice(-enough).map(({ outcome }) => outcome)}`)
        await next.promise
      }
    }
  }
}
