import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { Browser } from './browser.ts'
import { type FakeProvider, startFakeProvider } from './fake-provider.ts'
import { type GatewayOptions, startGateway, TestClock, type TestGateway } from './gateway.ts'

export type ConnectedGateway = { gateway: TestGateway; provider: FakeProvider; clock: TestClock; browser: Browser; proxy: string }

/** A gateway, one provider under the test's control, and a browser that is connected to it. */
export async function startConnected(t: Test, options: GatewayOptions & { token?: FakeProvider['token'] } = {}): Promise<ConnectedGateway> {
  const clock = new TestClock()
  const provider = await startFakeProvider(t)
  if (options.token) provider.token = options.token
  const gateway = await startGateway(t, { clock, ...options, environment: { ...provider.environment, ...options.environment } })
  const browser = new Browser()
  await signIn(gateway, browser)
  return { gateway, provider, clock, browser, proxy: `${gateway.url}/proxy/productboard` }
}

/** Retries while the store is unavailable, as a client does: on a busy machine Redis may miss its deadline of half a second. */
export async function retryWhileUnavailable(send: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await send()
    if (response.headers.get('grantkeeper-error') !== 'store_unavailable' || attempt === 100) return response
    await sleep(100)
  }
}

/** Signs in at a fake provider, which has no consent page. @returns the response of the callback */
export async function signIn(gateway: Pick<TestGateway, 'url'>, browser: Browser, name = 'productboard'): Promise<Response> {
  const started = await retryWhileUnavailable(() => browser.request(`${gateway.url}/auth/${name}`))
  const location = started.headers.get('location')
  if (!location) throw new Error(`sign-in not started: ${started.status} ${await started.text()}`)
  const state = new URL(location).searchParams.get('state') ?? ''
  const callback = `${gateway.url}/auth/${name}/callback?${new URLSearchParams({ code: 'c', state })}`
  return followCallback(browser, callback)
}

/** Requests a callback, and again if it redirects to itself: then the browser has received a session cookie meanwhile. */
export async function followCallback(browser: Browser, callback: string): Promise<Response> {
  const response = await browser.request(callback)
  return response.headers.get('location') === callback ? followCallback(browser, callback) : response
}

/** Asserts that a failed sign-in redirects to its return URL with this `connect_error`. */
export function assertConnectError(t: Test, { status, headers }: Response, code: string, message = code): void {
  const location = URL.parse(headers.get('location') ?? '', 'http://localhost')
  t.match({ status, connectError: location?.searchParams.get('connect_error') }, { status: 303, connectError: code }, message)
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

/** Asserts that a response is a problem document with this status and code. @returns the document */
export async function assertProblem(t: Test, response: Response, status: number, code: string): Promise<Problem> {
  t.equal(response.status, status, code)
  t.equal(response.headers.get('grantkeeper-error'), code)
  t.match(response.headers.get('content-type'), /^application\/problem\+json/)
  const body = (await response.json()) as Problem
  t.match(body, { code, status, type: `urn:grantkeeper:problem:${code}`, requestId: /./, title: /./, detail: /./ })
  return body
}
