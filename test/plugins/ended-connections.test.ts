import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

// Credentials that cannot be renewed: API keys, and grants without a refresh token.

const providerError = { error: 'from the provider' }

/** A browser connected with a key, whose check request is `/testAuth`. */
async function connectedByKey(t: Test) {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  const clock = new TestClock()
  const gateway = await startGateway(t, { clock, environment: { PROCESS_STREET_API_URL: `${provider.origin}/base` } })
  const browser = new Browser()
  provider.api = (_, r) => json(r, 200, {})
  t.equal((await pasteKey(gateway, browser, 'process-street', 'key')).status, 201)
  const earlier = provider.seen.api.length
  const request = (path: string) => browser.fetch(`${gateway.url}/proxy/process-street${path}`)
  const seen = () => provider.seen.api.slice(earlier).map(({ url }) => url.slice('/base'.length))
  return { provider, clock, gateway, browser, request, seen }
}

/** Responds with 401 to these paths, which include check requests. */
const refuseWhen =
  (isRefused: (path: string) => boolean): FakeProvider['api'] =>
  ({ url }, r) =>
    isRefused(url.slice('/base'.length)) ? json(r, 401, providerError) : json(r, 200, {})

async function isProviderRefusal(t: Test, response: Response, status = 401): Promise<void> {
  t.equal(response.status, status)
  t.notOk(response.headers.has('grantkeeper-error'))
  t.same(await response.json(), providerError, 'the provider’s own body')
}

const endedLines = ({ logs }: { logs: readonly string[] }) =>
  logs.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'connection ended: the user has to connect again')

t.test('SEC-14: a 401 confirmed by a check request ends a key’s connection, logging the reason', async t => {
  const s = await connectedByKey(t)
  s.provider.api = refuseWhen(() => true)
  await isProviderRefusal(t, await s.request('/x'))
  const ended = await assertProblem(t, await s.request('/x'), 401, 'reconnect_required')
  t.equal(ended.connectUrl, `${s.gateway.url}/connect/process-street`)
  t.strictSame(s.seen(), ['/x', '/testAuth'], 'no further request is sent to the provider')
  const lines = endedLines(s.gateway)
  t.equal(lines.length, 1)
  t.match(lines[0], { provider: 'process-street', method: 'api_key', reason: 'check_refused', status: 401 })
})

t.test('SEC-14: a key refused on one path still works on others, with one check request', async t => {
  const s = await connectedByKey(t)
  s.provider.api = refuseWhen(path => path.startsWith('/forbidden'))
  const refusals = await Promise.all(Array.from({ length: 10 }, (_, i) => s.request(`/forbidden?page=${i}`)))
  for (const response of refusals) await isProviderRefusal(t, response)
  for (let i = 0; i < 3; i++) {
    await isProviderRefusal(t, await s.request('/forbidden'))
    t.equal((await s.request('/workflows')).status, 200)
  }
  t.equal(s.seen().filter(path => path === '/testAuth').length, 1)
  s.clock.advance(60_000)
  await isProviderRefusal(t, await s.request('/forbidden'))
  t.equal((await s.request('/workflows')).status, 200)
  t.equal(s.seen().filter(path => path === '/testAuth').length, 2, 'after a minute the key is checked again')
})

t.test('a 401 on another path causes another check request at once', async t => {
  const s = await connectedByKey(t)
  s.provider.api = refuseWhen(path => path === '/forbidden')
  await isProviderRefusal(t, await s.request('/forbidden'))
  t.equal((await s.request('/workflows')).status, 200)
  s.provider.api = refuseWhen(() => true)
  await isProviderRefusal(t, await s.request('/workflows'))
  await assertProblem(t, await s.request('/workflows'), 401, 'reconnect_required')
})

t.test('SEC-36: a key refused on many paths causes at most five check requests a minute', async t => {
  const s = await connectedByKey(t)
  s.provider.api = refuseWhen(path => path !== '/testAuth')
  for (let i = 0; i < 20; i++) await isProviderRefusal(t, await s.request(`/path-${i}`))
  t.equal(s.seen().filter(path => path === '/testAuth').length, 5)
})

t.test('SEC-14: a check request that is inconclusive or forbidden ends nothing', async t => {
  const checks: ReadonlyArray<readonly [string, FakeProvider['api']]> = [
    ['503', (_, r) => json(r, 503, {})],
    ['429', (_, r) => json(r, 429, {}, { 'retry-after': '60' })],
    ['a redirect', (_, r) => void r.writeHead(302, { location: '/login' }).end()],
    ['404', (_, r) => json(r, 404, {})],
    ['403', (_, r) => json(r, 403, {})],
    ['a reset', (_, r) => void r.destroy()]
  ]
  for (const [outcome, check] of checks) {
    const s = await connectedByKey(t)
    s.provider.api = (seen, r, request) => (seen.url === '/base/testAuth' ? check(seen, r, request) : json(r, 401, providerError))
    await isProviderRefusal(t, await s.request('/x'))
    await isProviderRefusal(t, await s.request('/y'))
    s.provider.api = refuseWhen(() => false)
    t.equal((await s.request('/x')).status, 200, outcome)
    t.strictSame(endedLines(s.gateway), [], outcome)
  }
})

t.test('RFC 6750 §3.1: for a key only a 403 with invalid_token counts as a 401', async t => {
  const s = await connectedByKey(t)
  const refuse =
    (challenge: string): FakeProvider['api'] =>
    (_, r) =>
      json(r, 403, providerError, { 'www-authenticate': challenge })
  s.provider.api = refuse('Bearer error="insufficient_scope"')
  await isProviderRefusal(t, await s.request('/x'), 403)
  await isProviderRefusal(t, await s.request('/x'), 403)
  t.strictSame(s.seen(), ['/x', '/x'])
  s.provider.api = refuse('Bearer realm="api", error="invalid_token"')
  await isProviderRefusal(t, await s.request('/x'), 403)
  await assertProblem(t, await s.request('/x'), 401, 'reconnect_required')
})

t.test('the late refusal of an old key does not end the new connection', async t => {
  const s = await connectedByKey(t)
  const checked = Promise.withResolvers<() => void>()
  s.provider.api = ({ url }, r) => {
    if (url === '/base/testAuth') checked.resolve(() => json(r, 401, {}))
    else json(r, 401, providerError)
  }
  await isProviderRefusal(t, await s.request('/x'))
  const refuseOldKey = await checked.promise
  s.provider.api = refuseWhen(() => false)
  t.equal((await pasteKey(s.gateway, s.browser, 'process-street', 'new-key')).status, 201)
  refuseOldKey()
  t.equal((await s.request('/x')).status, 200)
  t.equal((await s.request('/x')).status, 200)
})

const withoutRefreshToken: FakeProvider['token'] = (_, r) => json(r, 200, tokens({ refresh_token: undefined, expires_in: undefined }))

/** A browser connected with a grant without a refresh token, at a provider without a check request for grants. */
async function connectedByGrant(t: Test, transform: (definition: Provider) => Provider = definition => definition) {
  const definitions = (await loadProviders()).map(transform)
  const s = await startConnected(t, { token: withoutRefreshToken, definitions })
  return { ...s, request: (path: string) => s.browser.fetch(`${s.proxy}${path}`) }
}

t.test('SEC-14: without renewal, a second 401 on another path ends the grant', async t => {
  const s = await connectedByGrant(t)
  s.provider.api = refuseWhen(() => true)
  await isProviderRefusal(t, await s.request('/a'))
  await isProviderRefusal(t, await s.request('/a?page=2'))
  await isProviderRefusal(t, await s.request('/b'))
  await assertProblem(t, await s.request('/c'), 401, 'reconnect_required')
  t.match(endedLines(s.gateway), [{ provider: 'productboard', method: 'oauth2', reason: 'refused_elsewhere' }])
  s.provider.api = refuseWhen(() => false)
  await signIn(s.gateway, s.browser)
  t.equal((await s.request('/a')).status, 200, 'connecting again fixes it')
})

t.test('SEC-14: a second 401 on the same path counts only after a minute', async t => {
  const s = await connectedByGrant(t)
  s.provider.api = refuseWhen(() => true)
  await isProviderRefusal(t, await s.request('/a'))
  s.clock.advance(59_999)
  await isProviderRefusal(t, await s.request('/a'))
  s.clock.advance(1)
  await isProviderRefusal(t, await s.request('/a'))
  await assertProblem(t, await s.request('/a'), 401, 'reconnect_required')
  t.match(endedLines(s.gateway), [{ reason: 'refused_again' }])
})

t.test('a success in between resets the first 401', async t => {
  const s = await connectedByGrant(t)
  for (let i = 0; i < 4; i++) {
    s.provider.api = refuseWhen(path => path.startsWith('/forbidden'))
    await isProviderRefusal(t, await s.request(`/forbidden-${i}`))
    t.equal((await s.request('/workflows')).status, 200)
    s.clock.advance(60_000)
  }
  t.strictSame(endedLines(s.gateway), [])
})

t.test('concurrent spurious 401s end no connection', async t => {
  const s = await connectedByGrant(t)
  const allArrived = Promise.withResolvers<void>()
  let arrived = 0
  s.provider.api = (_, r) => {
    if (++arrived === 8) allArrived.resolve()
    void allArrived.promise.then(() => json(r, 401, providerError))
  }
  const responses = await Promise.all(Array.from({ length: 8 }, (_, i) => s.request(`/part-${i}`)))
  for (const response of responses) await isProviderRefusal(t, response)
  s.provider.api = refuseWhen(() => false)
  t.equal((await s.request('/part-1')).status, 200)
})

t.test('where a definition has a check request, no second 401 ends the grant', async t => {
  const check = { path: '/me', status: [200, 403], expect: { pointer: '/ok', equals: true } }
  const s = await connectedByGrant(t, definition => {
    const { oauth2 } = definition.methods
    return oauth2 ? { ...definition, methods: { ...definition.methods, oauth2: { ...oauth2, check } } } : definition
  })
  let checkBody: unknown = { ok: true }
  s.provider.api = ({ url }, r) => (url === '/base/me' ? json(r, 200, checkBody) : json(r, url === '/base/fine' ? 200 : 401, providerError))
  for (const path of ['/a', '/b', '/c']) await isProviderRefusal(t, await s.request(path))
  checkBody = 'maintenance page'
  s.clock.advance(60_000)
  for (const path of ['/a', '/b']) await isProviderRefusal(t, await s.request(path))
  t.equal((await s.request('/fine')).status, 200, 'the check requests have completed')
  checkBody = { ok: false }
  s.clock.advance(60_000)
  await isProviderRefusal(t, await s.request('/a'))
  await assertProblem(t, await s.request('/a'), 401, 'reconnect_required')
})

t.test('replicas count each other’s 401s and successes', async t => {
  const provider = await startFakeProvider(t)
  provider.token = withoutRefreshToken
  const clock = new TestClock()
  // Replicas share one public URL, whose port is in the names of the cookies.
  const shared = {
    ...provider.environment,
    PUBLIC_URL: 'http://localhost:3000',
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    DATA_DIR: t.testdir()
  }
  const [one, two] = [await startGateway(t, { clock, environment: shared }), await startGateway(t, { clock, environment: shared })]
  const browser = new Browser()
  await signIn(one, browser)
  // One browser for both: it stores cookies by host and not by port.
  const request = ({ url }: { url: string }, path: string) => browser.fetch(`${url}/proxy/productboard${path}`)
  provider.api = refuseWhen(path => path.startsWith('/forbidden'))
  await isProviderRefusal(t, await request(one, '/forbidden-1'))
  t.equal((await request(two, '/workflows')).status, 200)
  await isProviderRefusal(t, await request(one, '/forbidden-2'))
  await isProviderRefusal(t, await request(two, '/forbidden-3'))
  await assertProblem(t, await request(two, '/forbidden-4'), 401, 'reconnect_required')
  await assertProblem(t, await request(one, '/workflows'), 401, 'reconnect_required')
})
