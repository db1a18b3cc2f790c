import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { Browser } from './browser.ts'
import { type FakeProvider, startFakeProvider } from './fake-provider.ts'
import { type GatewayOptions, startGateway, TestClock, type TestGateway } from './gateway.ts'

export type Connected = { gateway: TestGateway; provider: FakeProvider; clock: TestClock; browser: Browser; proxy: string }

/** A gateway, one provider under the test's control, and a browser that has signed in there. */
export async function connected(t: Test, options: GatewayOptions & { token?: FakeProvider['token'] } = {}): Promise<Connected> {
  const clock = new TestClock()
  const provider = await startFakeProvider(t)
  if (options.token) provider.token = options.token
  const gateway = await startGateway(t, { clock, ...options, environment: { ...provider.environment, ...options.environment } })
  const browser = new Browser()
  await signIn(gateway, browser)
  return { gateway, provider, clock, browser, proxy: `${gateway.url}/proxy/productboard` }
}

/**
 * What is answered by a gateway whose store is up. Redis may have too little of a busy machine to answer within its half second:
 * whoever is told so tries again, as a client does.
 */
export async function answered(ask: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await ask()
    if (response.headers.get('grantkeeper-error') !== 'store_unavailable' || tries === 100) return response
    await sleep(100)
  }
}

/** A sign-in at a fake provider, without its pages. */
export async function signIn(gateway: Pick<TestGateway, 'url'>, browser: Browser, name = 'productboard'): Promise<Response> {
  const started = await answered(() => browser.request(`${gateway.url}/auth/${name}`))
  const location = started.headers.get('location')
  if (!location) throw new Error(`A sign-in was answered ${started.status} ${await started.text()}`)
  const state = new URL(location).searchParams.get('state') ?? ''
  const callback = `${gateway.url}/auth/${name}/callback?${new URLSearchParams({ code: 'c', state })}`
  return comeBack(browser, callback)
}

/** A browser that is asked once more for the session that it has got by now, at the callback's own address, goes there. */
export async function comeBack(browser: Browser, callback: string): Promise<Response> {
  const response = await browser.request(callback)
  return response.headers.get('location') === callback ? comeBack(browser, callback) : response
}

/** Asserts that a sign-in came back to where it was begun, without a connection and for this reason. */
export function cameBackWith(t: Test, { status, headers }: Response, code: string, what = code): void {
  const location = URL.parse(headers.get('location') ?? '', 'http://localhost')
  t.match({ status, connectError: location?.searchParams.get('connect_error') }, { status: 303, connectError: code }, what)
}

export type Problem = {
  code: string
  status: number
  title: string
  detail: string
  provider?: string
  connectUrl?: string
  retryAfter?: number
}

/** Asserts that an answer is a problem document of this code, and gives it. */
export async function problem(t: Test, response: Response, status: number, code: string): Promise<Problem> {
  t.equal(response.status, status, code)
  t.equal(response.headers.get('grantkeeper-error'), code)
  t.match(response.headers.get('content-type'), /^application\/problem\+json/)
  const body = (await response.json()) as Problem
  t.match(body, { code, status, type: `urn:grantkeeper:problem:${code}`, requestId: /./, title: /./, detail: /./ })
  return body
}
