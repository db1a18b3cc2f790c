import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { oauth2With, providerWith } from '../core/support.ts'
import { Browser } from '../support/browser.ts'
import { assertConnectError, assertProblem, signIn } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'

/** A name that resolves to a private IP address, as after DNS rebinding, and an IP address, which needs no lookup. */
const hosts = ['localhost', '127.0.0.1']

/** A provider on a private IP address, with a server that counts connections. */
async function startPrivateProvider(t: Test, host = 'localhost') {
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

/** A gateway in production that can be restarted with other overrides and the same data, and a browser. */
async function inProduction(t: Test, host?: string) {
  const target = await startPrivateProvider(t, host)
  const clock = new TestClock()
  const browser = new Browser()
  // PUBLIC_URL is the same at each start, because on http its port is in the names of the cookies.
  const persistent = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'http://localhost:3000',
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    DATA_DIR: t.testdir()
  }
  const client = { ACME_CLIENT_ID: 'client-1', ACME_CLIENT_SECRET: 'client-secret-canary' }
  const start = (overrides: Record<string, string> = {}) =>
    startGateway(t, { ...target, clock, environment: { ...persistent, ...client, ...overrides } })
  return { target, clock, browser, start }
}

for (const host of hosts) {
  t.test(`SEC-34: in production no code is sent to a token endpoint on ${host}`, async t => {
    const { target, browser, start } = await inProduction(t, host)
    const gateway = await start()
    assertConnectError(t, await signIn(gateway, browser, 'acme'), 'provider_unavailable')
    t.equal(target.connections(), 0)
    t.match(gateway.logs.join(''), 'address that is not public', 'the log says why')
  })

  t.test(`SEC-34: in production no renewal is sent to ${host}, and the tokens are kept`, async t => {
    const { target, clock, browser, start } = await inProduction(t, host)
    const provider = await startFakeProvider(t, 'ACME')
    const refresh = ({ url }: TestGateway) => browser.fetch(`${url}/connections/acme/refresh`, { method: 'POST' })
    const trusting = await start(provider.environment)
    t.equal((await signIn(trusting, browser, 'acme')).status, 303, 'URLs that the operator sets are trusted')
    t.equal((await browser.fetch(`${trusting.url}/proxy/acme/x`)).status, 200)
    await trusting.close()

    const gateway = await start()
    const { retryAfter } = await assertProblem(t, await refresh(gateway), 502, 'provider_unavailable')
    t.equal(retryAfter, 1, 'the gateway backs off')
    const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: unknown[] }
    t.match(connections, [{ provider: 'acme', status: 'connected' }])
    t.equal(target.connections(), 0)
    await gateway.close()

    clock.advance(2_000)
    const again = await start(provider.environment)
    t.equal((await refresh(again)).status, 200, 'the same grant is renewed')
    t.equal((await browser.fetch(`${again.url}/proxy/acme/x`)).status, 200)
    t.match(provider.seen.token.at(-1)?.body.toString(), 'grant_type=refresh_token')
  })
}

t.test('SEC-34: in production no request or revocation is sent to a private IP address', async t => {
  const { target, browser, start } = await inProduction(t)
  const provider = await startFakeProvider(t, 'ACME')
  const trusting = await start(provider.environment)
  await signIn(trusting, browser, 'acme')
  await trusting.close()

  const gateway = await start()
  await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/acme/x`), 502, 'provider_unavailable')
  t.match(gateway.logs.join(''), 'ERR_ADDRESS_NOT_PUBLIC')
  t.equal(
    (await browser.fetch(`${gateway.url}/connections/acme`, { method: 'DELETE' })).status,
    204,
    'the connection is deleted all the same'
  )
  await gateway.close()
  t.equal(target.connections(), 0)
  t.equal(provider.seen.api.length + provider.seen.revoke.length, 0)
})

t.test('SEC-34: an override makes only its own URL trusted', async t => {
  const { target, browser, start } = await inProduction(t)
  const provider = await startFakeProvider(t, 'ACME')
  const { ACME_API_URL: _, ...others } = provider.environment
  const gateway = await start(others)
  t.equal((await signIn(gateway, browser, 'acme')).status, 303)
  await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/acme/x`), 502, 'provider_unavailable')
  t.equal(target.connections(), 0)
})

t.test('outside production private IP addresses are allowed', async t => {
  const target = await startPrivateProvider(t)
  const gateway = await startGateway(t, { ...target, environment: { ACME_CLIENT_ID: 'client-1', ACME_CLIENT_SECRET: 'secret' } })
  assertConnectError(t, await signIn(gateway, new Browser(), 'acme'), 'provider_unavailable')
  t.equal(target.connections(), 1, 'the server was reached, and closed the connection')
})

t.test('SEC-34: in production no redirect to a private IP address is followed', async t => {
  for (const host of hosts) {
    const target = await startPrivateProvider(t, host)
    const [definition] = target.definitions
    if (!definition) throw new Error('there is a definition')
    const privateOrigin = new URL(definition.api.baseUrl).origin
    const provider = await startFakeProvider(t, 'ACME')
    provider.api = (_, r) => void r.writeHead(302, { location: `${privateOrigin}/secrets` }).end()
    // The operator sets the URL of the API, which is trusted, and the definition lists the private host.
    const definitions = [{ ...definition, api: { baseUrl: 'https://api.acme.example', redirectHosts: [host] } }]
    const environment = { NODE_ENV: 'production', SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), ...provider.environment }
    const gateway = await startGateway(t, { definitions, environment })
    const browser = new Browser()
    t.equal((await signIn(gateway, browser, 'acme')).status, 303)
    const response = await browser.fetch(`${gateway.url}/proxy/acme/file`)
    t.match(await assertProblem(t, response, 502, 'provider_unavailable'), { detail: /not public/ })
    t.equal(target.connections(), 0)
  }
})
