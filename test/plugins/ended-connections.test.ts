import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { Browser } from '../support/browser.ts'
import { connected, problem, signIn } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

// Credentials that cannot be renewed: keys, and grants without a refresh token.

const ownRefusal = { error: 'its own words' }

/** A browser connected with a key, whose check request is `/testAuth`. */
async function byKey(t: Test) {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  const clock = new TestClock()
  const gateway = await startGateway(t, { clock, environment: { PROCESS_STREET_API_URL: `${provider.origin}/base` } })
  const browser = new Browser()
  provider.api = (_, r) => json(r, 200, {})
  t.equal((await pasteKey(gateway, browser, 'process-street', 'key')).status, 201)
  const before = provider.seen.api.length
  const call = (path: string) => browser.fetch(`${gateway.url}/proxy/process-street${path}`)
  const seen = () => provider.seen.api.slice(before).map(({ url }) => url.slice('/base'.length))
  return { provider, clock, gateway, browser, call, seen }
}

/** Responds with 401 where `refuses` says so, to check requests too. */
const refusing =
  (refuses: (path: string) => boolean): FakeProvider['api'] =>
  ({ url }, r) =>
    refuses(url.slice('/base'.length)) ? json(r, 401, ownRefusal) : json(r, 200, {})

async function passesRefusal(t: Test, response: Response, status = 401): Promise<void> {
  t.equal(response.status, status)
  t.notOk(response.headers.has('grantkeeper-error'))
  t.same(await response.json(), ownRefusal, 'the provider’s own body')
}

const endsIn = ({ logs }: { logs: readonly string[] }) =>
  logs.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'connection ended: the user has to connect again')

t.test('SEC-14: a 401 that the check request confirms ends a key’s connection, with the reason logged', async t => {
  const s = await byKey(t)
  s.provider.api = refusing(() => true)
  await passesRefusal(t, await s.call('/x'))
  const ended = await problem(t, await s.call('/x'), 401, 'reconnect_required')
  t.equal(ended.connectUrl, `${s.gateway.url}/connect/process-street`)
  t.strictSame(s.seen(), ['/x', '/testAuth'], 'no further request is sent to the provider')
  const lines = endsIn(s.gateway)
  t.equal(lines.length, 1)
  t.match(lines[0], { provider: 'process-street', method: 'api_key', reason: 'check_refused', status: 401 })
})

t.test('SEC-14: a key refused on one path still works on others, with one check request', async t => {
  const s = await byKey(t)
  s.provider.api = refusing(path => path.startsWith('/forbidden'))
  const refusals = await Promise.all(Array.from({ length: 10 }, (_, i) => s.call(`/forbidden?page=${i}`)))
  for (const response of refusals) await passesRefusal(t, response)
  for (let i = 0; i < 3; i++) {
    await passesRefusal(t, await s.call('/forbidden'))
    t.equal((await s.call('/workflows')).status, 200)
  }
  t.equal(s.seen().filter(path => path === '/testAuth').length, 1)
  s.clock.advance(60_000)
  await passesRefusal(t, await s.call('/forbidden'))
  t.equal((await s.call('/workflows')).status, 200)
  t.equal(s.seen().filter(path => path === '/testAuth').length, 2, 'a minute later it is checked again')
})

t.test('a 401 on another path causes another check request at once', async t => {
  const s = await byKey(t)
  s.provider.api = refusing(path => path === '/forbidden')
  await passesRefusal(t, await s.call('/forbidden'))
  t.equal((await s.call('/workflows')).status, 200)
  s.provider.api = refusing(() => true)
  await passesRefusal(t, await s.call('/workflows'))
  await problem(t, await s.call('/workflows'), 401, 'reconnect_required')
})

t.test('SEC-36: a key refused on ever new paths costs at most five check requests a minute', async t => {
  const s = await byKey(t)
  s.provider.api = refusing(path => path !== '/testAuth')
  for (let i = 0; i < 20; i++) await passesRefusal(t, await s.call(`/place-${i}`))
  t.equal(s.seen().filter(path => path === '/testAuth').length, 5)
})

t.test('SEC-14: a check request that is inconclusive or forbidden ends nothing', async t => {
  const says: ReadonlyArray<readonly [string, FakeProvider['api']]> = [
    ['503', (_, r) => json(r, 503, {})],
    ['429', (_, r) => json(r, 429, {}, { 'retry-after': '60' })],
    ['a redirect', (_, r) => void r.writeHead(302, { location: '/login' }).end()],
    ['404', (_, r) => json(r, 404, {})],
    ['403', (_, r) => json(r, 403, {})],
    ['a reset', (_, r) => void r.destroy()]
  ]
  for (const [what, check] of says) {
    const s = await byKey(t)
    s.provider.api = (seen, r, request) => (seen.url === '/base/testAuth' ? check(seen, r, request) : json(r, 401, ownRefusal))
    await passesRefusal(t, await s.call('/x'))
    await passesRefusal(t, await s.call('/y'))
    s.provider.api = refusing(() => false)
    t.equal((await s.call('/x')).status, 200, what)
    t.strictSame(endsIn(s.gateway), [], what)
  }
})

t.test('RFC 6750 §3.1: for a key only a 403 with invalid_token counts as a 401', async t => {
  const s = await byKey(t)
  const refuse =
    (challenge: string): FakeProvider['api'] =>
    (_, r) =>
      json(r, 403, ownRefusal, { 'www-authenticate': challenge })
  s.provider.api = refuse('Bearer error="insufficient_scope"')
  await passesRefusal(t, await s.call('/x'), 403)
  await passesRefusal(t, await s.call('/x'), 403)
  t.strictSame(s.seen(), ['/x', '/x'])
  s.provider.api = refuse('Bearer realm="api", error="invalid_token"')
  await passesRefusal(t, await s.call('/x'), 403)
  await problem(t, await s.call('/x'), 401, 'reconnect_required')
})

t.test('a 401 of an old key does not count against a new one', async t => {
  const s = await byKey(t)
  const checked = Promise.withResolvers<() => void>()
  s.provider.api = ({ url }, r) => {
    if (url === '/base/testAuth') checked.resolve(() => json(r, 401, {}))
    else json(r, 401, ownRefusal)
  }
  await passesRefusal(t, await s.call('/x'))
  const refuseOldKey = await checked.promise
  s.provider.api = refusing(() => false)
  t.equal((await pasteKey(s.gateway, s.browser, 'process-street', 'new-key')).status, 201)
  refuseOldKey()
  t.equal((await s.call('/x')).status, 200)
  t.equal((await s.call('/x')).status, 200)
})

const withoutRefreshToken: FakeProvider['token'] = (_, r) => json(r, 200, tokens({ refresh_token: undefined, expires_in: undefined }))

/** Connected with a grant without a refresh token, at a provider without a check request for it. */
async function byGrant(t: Test, change: (definition: Provider) => Provider = definition => definition) {
  const definitions = (await loadProviders()).map(change)
  const s = await connected(t, { token: withoutRefreshToken, definitions })
  return { ...s, call: (path: string) => s.browser.fetch(`${s.proxy}${path}`) }
}

t.test('SEC-14: without renewal, a second 401 on another path ends the grant', async t => {
  const s = await byGrant(t)
  s.provider.api = refusing(() => true)
  await passesRefusal(t, await s.call('/a'))
  await passesRefusal(t, await s.call('/a?page=2'))
  await passesRefusal(t, await s.call('/b'))
  await problem(t, await s.call('/c'), 401, 'reconnect_required')
  t.match(endsIn(s.gateway), [{ provider: 'productboard', method: 'oauth2', reason: 'refused_elsewhere' }])
  s.provider.api = refusing(() => false)
  await signIn(s.gateway, s.browser)
  t.equal((await s.call('/a')).status, 200, 'connecting again fixes it')
})

t.test('SEC-14: on the same path a second 401 counts after a minute, not before', async t => {
  const s = await byGrant(t)
  s.provider.api = refusing(() => true)
  await passesRefusal(t, await s.call('/a'))
  s.clock.advance(59_999)
  await passesRefusal(t, await s.call('/a'))
  s.clock.advance(1)
  await passesRefusal(t, await s.call('/a'))
  await problem(t, await s.call('/a'), 401, 'reconnect_required')
  t.match(endsIn(s.gateway), [{ reason: 'refused_again' }])
})

t.test('a success in between deletes the first 401', async t => {
  const s = await byGrant(t)
  for (let i = 0; i < 4; i++) {
    s.provider.api = refusing(path => path.startsWith('/forbidden'))
    await passesRefusal(t, await s.call(`/forbidden-${i}`))
    t.equal((await s.call('/workflows')).status, 200)
    s.clock.advance(60_000)
  }
  t.strictSame(endsIn(s.gateway), [])
})

t.test('concurrent spurious 401s end no connection', async t => {
  const s = await byGrant(t)
  const failover = Promise.withResolvers<void>()
  let waiting = 0
  s.provider.api = (_, r) => {
    if (++waiting === 8) failover.resolve()
    void failover.promise.then(() => json(r, 401, ownRefusal))
  }
  for (const response of await Promise.all(Array.from({ length: 8 }, (_, i) => s.call(`/part-${i}`)))) await passesRefusal(t, response)
  s.provider.api = refusing(() => false)
  t.equal((await s.call('/part-1')).status, 200)
})

t.test('a check request in the definition decides, and not a second 401', async t => {
  const check = { path: '/me', status: [200, 403], expect: { pointer: '/ok', equals: true } }
  const s = await byGrant(t, definition => {
    const { oauth2 } = definition.methods
    return oauth2 ? { ...definition, methods: { ...definition.methods, oauth2: { ...oauth2, check } } } : definition
  })
  let says: unknown = { ok: true }
  s.provider.api = ({ url }, r) => (url === '/base/me' ? json(r, 200, says) : json(r, url === '/base/fine' ? 200 : 401, ownRefusal))
  for (const path of ['/a', '/b', '/c']) await passesRefusal(t, await s.call(path))
  says = 'a page of maintenance'
  s.clock.advance(60_000)
  for (const path of ['/a', '/b']) await passesRefusal(t, await s.call(path))
  t.equal((await s.call('/fine')).status, 200, 'the check requests have ended by now')
  says = { ok: false }
  s.clock.advance(60_000)
  await passesRefusal(t, await s.call('/a'))
  await problem(t, await s.call('/a'), 401, 'reconnect_required')
})

t.test('replicas share 401s and successes', async t => {
  const provider = await startFakeProvider(t)
  provider.token = withoutRefreshToken
  const clock = new TestClock()
  // Replicas have one public URL, whose port is in the names of the cookies.
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
  // One browser for both: cookies do not depend on the port.
  const call = ({ url }: { url: string }, path: string) => browser.fetch(`${url}/proxy/productboard${path}`)
  provider.api = refusing(path => path.startsWith('/forbidden'))
  await passesRefusal(t, await call(one, '/forbidden-1'))
  t.equal((await call(two, '/workflows')).status, 200)
  await passesRefusal(t, await call(one, '/forbidden-2'))
  await passesRefusal(t, await call(two, '/forbidden-3'))
  await problem(t, await call(two, '/forbidden-4'), 401, 'reconnect_required')
  await problem(t, await call(one, '/workflows'), 401, 'reconnect_required')
})
