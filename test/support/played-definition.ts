import type { Test } from 'tap'
import type { Provider } from '../../src/core/provider/definition.ts'
import { Browser } from './browser.ts'
import { signIn } from './connected.ts'
import { startFakeProvider } from './fake-provider.ts'
import { type GatewayOptions, startGateway, TestClock } from './gateway.ts'

/** With no provider that the environment sets up, the sandbox would play all of them. */
const other: Provider = {
  name: 'other',
  title: 'Other',
  description: 'Nothing',
  color: '#000000',
  api: { baseUrl: 'http://127.0.0.1:1' },
  methods: { apiKey: { placements: [], help: { steps: [] } } },
  sources: []
}
const offered = { PROVIDERS: 'acme,other', OTHER_API_URL: 'http://127.0.0.1:1' }

type Parts = Pick<Provider, 'api' | 'methods'> & Partial<Provider>

/** A gateway that offers one definition, made for the address of a provider that the test plays, and a browser. */
export async function playDefinition(t: Test, partsAt: (origin: string) => Parts, options: GatewayOptions = {}) {
  const provider = await startFakeProvider(t, 'ACME')
  const parts = partsAt(provider.origin)
  const definition: Provider = {
    name: 'acme',
    title: 'Acme',
    description: 'Anvils',
    color: '#123abc',
    sources: [{ facts: 'all', confidence: 'vendor', from: 'https://acme.example/docs', checked: '2026-01-01' }],
    ...parts
  }
  const clock = new TestClock()
  const environment = {
    ...offered,
    ...(parts.methods.oauth2 && { ACME_CLIENT_ID: 'client-1', ACME_CLIENT_SECRET: 'client-secret-canary' }),
    ...options.environment
  }
  const gateway = await startGateway(t, { clock, ...options, definitions: [definition, other], environment })
  const browser = new Browser()
  const send = (method: string, path: string, body?: unknown) =>
    browser.fetch(`${gateway.url}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
    })
  return {
    provider,
    definition,
    /** Another gateway at the same address, after the first has closed. */
    reopen: (changed: Provider) =>
      startGateway(t, {
        clock,
        port: Number(new URL(gateway.url).port),
        definitions: [changed, other],
        environment
      }),
    gateway,
    clock,
    browser,
    send,
    /** A GET through the proxy. */
    request: (path = '/x', segment = 'acme') => browser.fetch(`${gateway.url}/proxy/${segment}${path}`),
    /** Connects with a key, or with what the body says. */
    paste: (body: unknown) => send('POST', '/connections/acme', typeof body === 'string' ? { apiKey: body } : body),
    signIn: () => signIn(gateway, browser, 'acme'),
    connection: async () => {
      const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: Array<{ id: string }> }
      return connections[0] as { id: string; status: string; account?: string } & Record<string, unknown>
    },
    warnings: () => gateway.logs.map(line => JSON.parse(line)).filter(({ level }) => level >= 40)
  }
}

export type PlayedDefinition = Awaited<ReturnType<typeof playDefinition>>
