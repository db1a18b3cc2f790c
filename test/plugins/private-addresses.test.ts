import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { oauth2With, providerWith } from '../core/support.ts'
import { Browser } from '../support/browser.ts'
import { cameBackWith, problem, signIn } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'

/** A name that leads inside, as others do after DNS rebinding; and an address, which no socket looks up. */
const hosts = ['localhost', '127.0.0.1']

/** A vendor whose host is inside, where a server counts who comes. */
async function rebound(t: Test, host = 'localhost') {
  let connections = 0
  const server = createServer(socket => {
    connections++
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const definition = providerWith({
    api: { baseUrl: `https://${host}:${port}/v1` },
    methods: {
      oauth2: oauth2With({
        authorizeUrl: `https://${host}:${port}/authorize`,
        tokenUrl: `https://${host}:${port}/token`,
        revokeUrl: `https://${host}:${port}/revoke`
      })
    }
  })
  return { definitions: [definition], connections: () => connections }
}

/** A browser and a gateway in production that can be started again with other overrides, and keeps what it has. */
async function inProduction(t: Test, host?: string) {
  const vendor = await rebound(t, host)
  const clock = new TestClock()
  const browser = new Browser()
  // On http the cookies' names carry the port of the public address: the same at each start.
  const kept = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'http://localhost:3000',
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    DATA_DIR: t.testdir()
  }
  const client = { ACME_CLIENT_ID: 'client-1', ACME_CLIENT_SECRET: 'client-secret-canary' }
  const start = (overrides: Record<string, string> = {}) =>
    startGateway(t, { ...vendor, clock, environment: { ...kept, ...client, ...overrides } })
  return { vendor, clock, browser, start }
}

for (const host of hosts) {
  t.test(`SEC-34: in production a code is not sent to a token endpoint on ${host}`, async t => {
    const { vendor, browser, start } = await inProduction(t, host)
    const gateway = await start()
    cameBackWith(t, await signIn(gateway, browser, 'acme'), 'provider_unavailable')
    t.equal(vendor.connections(), 0)
    t.match(gateway.logs.join(''), 'address that is not public', 'the operator is told why')
  })

  t.test(`SEC-34: in production a renewal is not sent to ${host}; it counts as a fault that may pass, and the tokens are kept`, async t => {
    const { vendor, clock, browser, start } = await inProduction(t, host)
    const provider = await startFakeProvider(t, 'ACME')
    const refresh = ({ url }: TestGateway) => browser.fetch(`${url}/connections/acme/refresh`, { method: 'POST' })
    const trusting = await start(provider.environment)
    t.equal((await signIn(trusting, browser, 'acme')).status, 303, 'what the operator names is trusted')
    t.equal((await browser.fetch(`${trusting.url}/proxy/acme/x`)).status, 200)
    await trusting.close()

    const gateway = await start()
    const { retryAfter } = await problem(t, await refresh(gateway), 502, 'provider_unavailable')
    t.equal(retryAfter, 1, 'and is not hammered')
    const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: unknown[] }
    t.match(connections, [{ provider: 'acme', status: 'connected' }])
    t.equal(vendor.connections(), 0)
    await gateway.close()

    clock.advance(2_000)
    const again = await start(provider.environment)
    t.equal((await refresh(again)).status, 200, 'the same grant, renewed')
    t.equal((await browser.fetch(`${again.url}/proxy/acme/x`)).status, 200)
    t.match(provider.seen.token.at(-1)?.body.toString(), 'grant_type=refresh_token')
  })
}

t.test('SEC-34: in production neither a call nor a revocation is sent to a name that leads inside', async t => {
  const { vendor, browser, start } = await inProduction(t)
  const provider = await startFakeProvider(t, 'ACME')
  const trusting = await start(provider.environment)
  await signIn(trusting, browser, 'acme')
  await trusting.close()

  const gateway = await start()
  await problem(t, await browser.fetch(`${gateway.url}/proxy/acme/x`), 502, 'provider_unavailable')
  t.match(gateway.logs.join(''), 'ERR_ADDRESS_NOT_PUBLIC')
  t.equal((await browser.fetch(`${gateway.url}/connections/acme`, { method: 'DELETE' })).status, 204, 'gone here all the same')
  await gateway.close()
  t.equal(vendor.connections(), 0)
  t.equal(provider.seen.api.length + provider.seen.revoke.length, 0)
})

t.test('SEC-34: an override is trusted for what it names, and for nothing else of its provider', async t => {
  const { vendor, browser, start } = await inProduction(t)
  const provider = await startFakeProvider(t, 'ACME')
  const { ACME_API_URL: _, ...others } = provider.environment
  const gateway = await start(others)
  t.equal((await signIn(gateway, browser, 'acme')).status, 303)
  await problem(t, await browser.fetch(`${gateway.url}/proxy/acme/x`), 502, 'provider_unavailable')
  t.equal(vendor.connections(), 0)
})

t.test('outside production names may lead anywhere', async t => {
  const vendor = await rebound(t)
  const gateway = await startGateway(t, { ...vendor, environment: { ACME_CLIENT_ID: 'client-1', ACME_CLIENT_SECRET: 'secret' } })
  cameBackWith(t, await signIn(gateway, new Browser(), 'acme'), 'provider_unavailable')
  t.equal(vendor.connections(), 1, 'it was asked, and hung up')
})

t.test('SEC-34: in production no redirect is followed to an address inside, though its definition lists the host', async t => {
  for (const host of hosts) {
    const vendor = await rebound(t, host)
    const [definition] = vendor.definitions
    if (!definition) throw new Error('there is a vendor')
    const inside = new URL(definition.api.baseUrl).origin
    const provider = await startFakeProvider(t, 'ACME')
    provider.api = (_, r) => void r.writeHead(302, { location: `${inside}/secrets` }).end()
    // The API itself is the operator's own, on an origin that is named.
    const definitions = [{ ...definition, api: { baseUrl: 'https://api.acme.example', redirectHosts: [host] } }]
    const environment = { NODE_ENV: 'production', SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), ...provider.environment }
    const gateway = await startGateway(t, { definitions, environment })
    const browser = new Browser()
    t.equal((await signIn(gateway, browser, 'acme')).status, 303)
    const answer = await browser.fetch(`${gateway.url}/proxy/acme/file`)
    t.match(await problem(t, answer, 502, 'provider_unavailable'), { detail: /not public/ })
    t.equal(vendor.connections(), 0)
  }
})
