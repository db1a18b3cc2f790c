import type { ServerResponse } from 'node:http'
import type { Test } from 'tap'
import type { Browser } from './browser.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from './fake-provider.ts'
import { type GatewayOptions, startGateway, TestClock, type TestGateway } from './gateway.ts'

export type ProviderName = 'productboard' | 'ignition'

export type SignIns = {
  readonly gateway: TestGateway
  readonly clock: TestClock
  readonly providers: Readonly<Record<ProviderName, FakeProvider>>
  /** Starts a sign-in. @returns the callback URL to which the provider redirects */
  start(browser: Browser, provider?: ProviderName, query?: string): Promise<string>
  /** The providers that the list of connections shows as connected. */
  connectedProviders(browser: Browser): Promise<ProviderName[]>
}

/** A gateway and two providers under the test's control. */
export async function startSignIns(t: Test, options: GatewayOptions = {}): Promise<SignIns> {
  const clock = new TestClock()
  const providers = { productboard: await startFakeProvider(t), ignition: await startFakeProvider(t, 'IGNITION') }
  const environment = { ...providers.productboard.environment, ...providers.ignition.environment, ...options.environment }
  const gateway = await startGateway(t, { clock, ...options, environment })
  return {
    gateway,
    clock,
    providers,
    start: async (browser, provider = 'productboard', query = '') => {
      const { headers } = await browser.request(`${gateway.url}/auth/${provider}${query}`)
      const state = new URL(headers.get('location') ?? 'none:').searchParams.get('state') ?? ''
      return `${gateway.url}/auth/${provider}/callback?${new URLSearchParams({ code: 'c', state })}`
    },
    connectedProviders: async browser => readConnectedProviders(await browser.fetch(`${gateway.url}/connections`))
  }
}

export async function readConnectedProviders(list: Response): Promise<ProviderName[]> {
  const { connections } = (await list.json()) as { connections: { provider: ProviderName; status: string }[] }
  return connections.filter(({ status }) => status === 'connected').map(({ provider }) => provider)
}

/** Delays token responses. `next` waits for the next token request, and returns a function that sends its response. */
export function delayTokenResponses(provider: FakeProvider): { next(): Promise<() => void> } {
  const unclaimed: ServerResponse[] = []
  const waiters: Array<(response: ServerResponse) => void> = []
  provider.token = (_seen, response) => {
    const waiter = waiters.shift()
    if (waiter) waiter(response)
    else unclaimed.push(response)
  }
  return {
    next: async () => {
      const response = unclaimed.shift() ?? (await new Promise<ServerResponse>(resolve => waiters.push(resolve)))
      return () => json(response, 200, tokens())
    }
  }
}

/** Polls until the condition is true. The test's timeout applies. */
export async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 5))
}
