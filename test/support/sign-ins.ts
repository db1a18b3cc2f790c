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
  /** Begins a sign-in. @returns the address at which the provider sends the browser back */
  begin(browser: Browser, provider?: ProviderName, query?: string): Promise<string>
  /** What the browser is told it is connected to. */
  connectedIn(browser: Browser): Promise<ProviderName[]>
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
    begin: async (browser, provider = 'productboard', query = '') => {
      const { headers } = await browser.request(`${gateway.url}/auth/${provider}${query}`)
      const state = new URL(headers.get('location') ?? 'none:').searchParams.get('state') ?? ''
      return `${gateway.url}/auth/${provider}/callback?${new URLSearchParams({ code: 'c', state })}`
    },
    connectedIn: async browser => connectedNames(await browser.fetch(`${gateway.url}/connections`))
  }
}

export async function connectedNames(list: Response): Promise<ProviderName[]> {
  const { connections } = (await list.json()) as { connections: { provider: ProviderName; status: string }[] }
  return connections.filter(({ status }) => status === 'connected').map(({ provider }) => provider)
}

/** The token endpoint takes its time. @returns what lets each call that has come be answered, in the order of their coming */
export function holdTokens(provider: FakeProvider): { next(): Promise<() => void> } {
  const held: ServerResponse[] = []
  const waiting: Array<(response: ServerResponse) => void> = []
  provider.token = (_seen, response) => {
    const waiter = waiting.shift()
    if (waiter) waiter(response)
    else held.push(response)
  }
  return {
    next: async () => {
      const response = held.shift() ?? (await new Promise<ServerResponse>(resolve => waiting.push(resolve)))
      return () => json(response, 200, tokens())
    }
  }
}

/** Until it is so; the test's own time limit ends what never comes. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 5))
}
