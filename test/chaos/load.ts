import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Browser } from '../support/browser.ts'
import { trackSchedulingDelay } from './scheduling-delay.ts'

/** One call as its client saw it, behind a balancer. */
export type RequestResult = {
  /** Such as `200`, or `503 store_unavailable`. */
  readonly outcome: string
  readonly startMs: number
  readonly endMs: number
  /** From start to end, without what the processes of the test were kept from running. */
  readonly tookMs: number
  /** How often it broke at the socket and was tried on the next instance. */
  readonly retries: number
  /** The answer touched the session's cookie. */
  readonly setsCookie: boolean
}

export type LoadOptions = { readonly path: string; readonly clients?: number; readonly pauseMs?: number }

export type Load = {
  /** What has ended since the moment, of `performance.now()`. */
  since(ms: number): RequestResult[]
  /** Resolves when every caller has been answered by the provider several times in a row, all of them begun after the moment. */
  recovered(sinceMs: number): Promise<void>
  stop(): Promise<void>
}

/** For the slowest of recoveries, on the busiest of machines. */
const recoveryTimeoutMs = 60_000

/**
 * Steady calls of one session, round robin. `urls` may change meanwhile. A call that retries before its answer is whole goes to the
 * next instance, as a balancer does it with a GET.
 */
export function startLoad(t: Test, urls: readonly string[], session: Browser, { path, clients = 3, pauseMs = 70 }: LoadOptions): Load {
  const results: RequestResult[] = []
  const delay = trackSchedulingDelay()
  const stopping = new AbortController()
  let turn = 0
  let next = Promise.withResolvers<void>()

  async function send(): Promise<RequestResult> {
    const startMs = performance.now()
    const result = (rest: Pick<RequestResult, 'outcome' | 'retries' | 'setsCookie'>): RequestResult => {
      const endMs = performance.now()
      return { ...rest, startMs, endMs, tookMs: endMs - startMs - delay.between(startMs, endMs) }
    }
    for (let retries = 0; ; retries++) {
      try {
        // A copy: that an answer clears the cookie must not go unnoticed behind the next one.
        const response = await session.copy().fetch(`${urls[turn++ % urls.length]}${path}`)
        await response.arrayBuffer()
        const outcome = [response.status, response.headers.get('grantkeeper-error')].filter(part => part !== null).join(' ')
        return result({ outcome, retries, setsCookie: response.headers.has('set-cookie') })
      } catch {
        if (retries === 2 * urls.length) return result({ outcome: 'no answer', retries, setsCookie: false })
      }
    }
  }

  const loops = Array.from({ length: clients }, async (_, i) => {
    await sleep((pauseMs * i) / clients)
    while (!stopping.signal.aborted) {
      results.push(await send())
      next.resolve()
      next = Promise.withResolvers()
      await sleep(pauseMs)
    }
  })

  const stop = async () => {
    stopping.abort()
    await Promise.all(loops)
    delay.stop()
  }
  t.teardown(stop)
  return {
    stop,
    since: ms => results.filter(({ endMs }) => endMs > ms),
    recovered: async sinceMs => {
      const required = 4 * clients
      const hasRecovered = () => {
        const last = results.slice(-required)
        return last.length === required && last.every(({ outcome, startMs }) => outcome === '200' && startMs > sinceMs)
      }
      const deadlineMs = performance.now() + recoveryTimeoutMs
      while (!hasRecovered()) {
        if (performance.now() > deadlineMs) throw new Error(`not well again: ${results.slice(-required).map(({ outcome }) => outcome)}`)
        await next.promise
      }
    }
  }
}
