import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Browser } from '../support/browser.ts'
import { trackSchedulingDelay } from './scheduling-delay.ts'

/** One request as a client behind a load balancer sees it. */
export type RequestResult = {
  /** `200`, or a status with its error code: `503 store_unavailable`. */
  readonly outcome: string
  readonly startMs: number
  readonly endMs: number
  /** From start to end, minus the scheduling delay. */
  readonly tookMs: number
  /** How often the connection broke and the request went to the next instance. */
  readonly retries: number
  /** Whether the response has a `Set-Cookie` header. */
  readonly setsCookie: boolean
}

export type LoadOptions = { readonly path: string; readonly clients?: number; readonly pauseMs?: number }

export type Load = {
  /** Results that ended after this `performance.now()` time. */
  since(ms: number): RequestResult[]
  /** Resolves when the last four requests per client were 200s that started after this `performance.now()` time. */
  recovered(sinceMs: number): Promise<void>
  stop(): Promise<void>
}

/** Covers the slowest recovery on a busy machine. */
const recoveryTimeoutMs = 60_000

/**
 * Sends a steady stream of requests of one session, round robin. `urls` may change meanwhile. When a connection breaks before the response
 * is complete, the request goes to the next instance, as a load balancer does with a GET.
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
        // A copy of the browser, so that a response that clears the cookie does not hide behind the next one.
        const response = await session.copy().fetch(`${urls[turn++ % urls.length]}${path}`)
        await response.arrayBuffer()
        const outcome = [response.status, response.headers.get('grantkeeper-error')].filter(part => part !== null).join(' ')
        return result({ outcome, retries, setsCookie: response.headers.has('set-cookie') })
      } catch {
        if (retries === 2 * urls.length) return result({ outcome: 'no response', retries, setsCookie: false })
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
        if (performance.now() > deadlineMs) throw new Error(`no recovery: ${results.slice(-required).map(({ outcome }) => outcome)}`)
        await next.promise
      }
    }
  }
}
