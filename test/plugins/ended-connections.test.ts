import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import type { Provider } from '../../src/core/provider/definition.ts'
import { Browser } from '../support/browser.ts'
import { connected, problem, signIn } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

// What nothing can renew: keys, and grants without a refresh token.

const ownRefusal = { error: 'its own words' }

/** A browser that is connected by a key, whose check call is `/testAuth`. */
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

/** Answers 401 where `refuses` says so, the check call included. */
const refusing =
  (refuses: (path: string) => boolean): FakeProvider['api'] =>
  ({ url }, r) =>
    refuses(url.slice('/base'.length)) ? json(r, 401, ownRefusal) : json(r, 200, {})

async function passesItsRefusal(t: Test, answer: Response, status = 401): Promise<void> {
  t.equal(answer.status, status)
  t.notOk(answer.headers.has('grantkeeper-error'))
  t.same(await answer.json(), ownRefusal, 'the refusal of the provider, in its own words')
}

const endsIn = ({ logs }: { logs: readonly string[] }) =>
  logs.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'connection ended: the user has to connect again')

t.test('SEC-14: a key that its check call refuses too is over with the next call, and the log says why', async t => {
  const s = await byKey(t)
  s.provider.api = refusing(() => true)
  await passesItsRefusal(t, await s.call('/x'))
  const ended = await problem(t, await s.call('/x'), 401, 'reconnect_required')
  t.equal(ended.connectUrl, `${s.gateway.url}/connect/process-street`)
  t.strictSame(s.seen(), ['/x', '/testAuth'], 'after that the provider is not asked again')
  const lines = endsIn(s.gateway)
  t.equal(lines.length, 1)
  t.match(lines[0], { provider: 'process-street', method: 'api_key', reason: 'its check call was answered 401' })
})

t.test(
  'SEC-14: a key that is refused at one place goes on at the others, and its check call is made once for all at that place',
  async t => {
    const s = await byKey(t)
    s.provider.api = refusing(path => path.startsWith('/forbidden'))
    const refusals = await Promise.all(Array.from({ length: 10 }, (_, i) => s.call(`/forbidden?page=${i}`)))
    for (const answer of refusals) await passesItsRefusal(t, answer)
    for (let i = 0; i < 3; i++) {
      await passesItsRefusal(t, await s.call('/forbidden'))
      t.equal((await s.call('/workflows')).status, 200)
    }
    t.equal(s.seen().filter(path => path === '/testAuth').length, 1)
    s.clock.advance(60_000)
    await passesItsRefusal(t, await s.call('/forbidden'))
    t.equal((await s.call('/workflows')).status, 200)
    t.equal(s.seen().filter(path => path === '/testAuth').length, 2, 'a minute later it is asked again')
  }
)

t.test('a key that was good a moment ago at one place, and is refused at another then, is asked about at once', async t => {
  const s = await byKey(t)
  s.provider.api = refusing(path => path === '/forbidden')
  await passesItsRefusal(t, await s.call('/forbidden'))
  t.equal((await s.call('/workflows')).status, 200)
  s.provider.api = refusing(() => true)
  await passesItsRefusal(t, await s.call('/workflows'))
  await problem(t, await s.call('/workflows'), 401, 'reconnect_required')
})

t.test('SEC-36: a key that is refused at ever new places costs five check calls a minute at most', async t => {
  const s = await byKey(t)
  s.provider.api = refusing(path => path !== '/testAuth')
  for (let i = 0; i < 20; i++) await passesItsRefusal(t, await s.call(`/place-${i}`))
  t.equal(s.seen().filter(path => path === '/testAuth').length, 5)
})

t.test('SEC-14: a check call that cannot say, or says that the key may not do this, ends nothing', async t => {
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
    await passesItsRefusal(t, await s.call('/x'))
    await passesItsRefusal(t, await s.call('/y'))
    s.provider.api = refusing(() => false)
    t.equal((await s.call('/x')).status, 200, what)
    t.strictSame(endsIn(s.gateway), [], what)
  }
})

t.test('RFC 6750 §3.1: a 403 that says invalid_token counts as a 401 to a key, and any other does not', async t => {
  const s = await byKey(t)
  const refuse =
    (challenge: string): FakeProvider['api'] =>
    (_, r) =>
      json(r, 403, ownRefusal, { 'www-authenticate': challenge })
  s.provider.api = refuse('Bearer error="insufficient_scope"')
  await passesItsRefusal(t, await s.call('/x'), 403)
  await passesItsRefusal(t, await s.call('/x'), 403)
  t.strictSame(s.seen(), ['/x', '/x'])
  s.provider.api = refuse('Bearer realm="api", error="invalid_token"')
  await passesItsRefusal(t, await s.call('/x'), 403)
  await problem(t, await s.call('/x'), 401, 'reconnect_required')
})

t.test('a refusal that meets a new key is none of the new one', async t => {
  const s = await byKey(t)
  const asked = Promise.withResolvers<() => void>()
  s.provider.api = ({ url }, r) => {
    if (url === '/base/testAuth') asked.resolve(() => json(r, 401, {}))
    else json(r, 401, ownRefusal)
  }
  await passesItsRefusal(t, await s.call('/x'))
  const refuseOldKey = await asked.promise
  s.provider.api = refusing(() => false)
  t.equal((await pasteKey(s.gateway, s.browser, 'process-street', 'new-key')).status, 201)
  refuseOldKey()
  t.equal((await s.call('/x')).status, 200)
  t.equal((await s.call('/x')).status, 200)
})

const withoutRefreshToken: FakeProvider['token'] = (_, r) => json(r, 200, tokens({ refresh_token: undefined, expires_in: undefined }))

/** Connected by a grant without a refresh token, at a provider without a check call for it. */
async function byGrant(t: Test, change: (definition: Provider) => Provider = definition => definition) {
  const definitions = (await loadProviders()).map(change)
  const s = await connected(t, { token: withoutRefreshToken, definitions })
  return { ...s, call: (path: string) => s.browser.fetch(`${s.proxy}${path}`) }
}

t.test('SEC-14: a grant that nothing can renew is over with a second refusal at another path', async t => {
  const s = await byGrant(t)
  s.provider.api = refusing(() => true)
  await passesItsRefusal(t, await s.call('/a'))
  await passesItsRefusal(t, await s.call('/a?page=2'))
  await passesItsRefusal(t, await s.call('/b'))
  await problem(t, await s.call('/c'), 401, 'reconnect_required')
  t.match(endsIn(s.gateway), [{ provider: 'productboard', method: 'oauth2', reason: /two places/ }])
  s.provider.api = refusing(() => false)
  await signIn(s.gateway, s.browser)
  t.equal((await s.call('/a')).status, 200, 'connecting again mends it')
})

t.test('SEC-14: at the same path it is over with a second refusal a minute later, and not before', async t => {
  const s = await byGrant(t)
  s.provider.api = refusing(() => true)
  await passesItsRefusal(t, await s.call('/a'))
  s.clock.advance(59_999)
  await passesItsRefusal(t, await s.call('/a'))
  s.clock.advance(1)
  await passesItsRefusal(t, await s.call('/a'))
  await problem(t, await s.call('/a'), 401, 'reconnect_required')
  t.match(endsIn(s.gateway), [{ reason: /after a minute/ }])
})

t.test('a success in between shows that it is not over', async t => {
  const s = await byGrant(t)
  for (let i = 0; i < 4; i++) {
    s.provider.api = refusing(path => path.startsWith('/forbidden'))
    await passesItsRefusal(t, await s.call(`/forbidden-${i}`))
    t.equal((await s.call('/workflows')).status, 200)
    s.clock.advance(60_000)
  }
  t.strictSame(endsIn(s.gateway), [])
})

t.test('a page whose calls all meet one spurious refusal has its connection still', async t => {
  const s = await byGrant(t)
  const failover = Promise.withResolvers<void>()
  let waiting = 0
  s.provider.api = (_, r) => {
    if (++waiting === 8) failover.resolve()
    void failover.promise.then(() => json(r, 401, ownRefusal))
  }
  for (const answer of await Promise.all(Array.from({ length: 8 }, (_, i) => s.call(`/part-${i}`)))) await passesItsRefusal(t, answer)
  s.provider.api = refusing(() => false)
  t.equal((await s.call('/part-1')).status, 200)
})

t.test('a grant with a check call in its definition is over when that says so, and not with a second refusal', async t => {
  const check = { path: '/me', status: [200, 403], expect: { pointer: '/ok', equals: true } }
  const s = await byGrant(t, definition => {
    const { oauth2 } = definition.methods
    return oauth2 ? { ...definition, methods: { ...definition.methods, oauth2: { ...oauth2, check } } } : definition
  })
  let says: unknown = { ok: true }
  s.provider.api = ({ url }, r) => (url === '/base/me' ? json(r, 200, says) : json(r, url === '/base/fine' ? 200 : 401, ownRefusal))
  for (const path of ['/a', '/b', '/c']) await passesItsRefusal(t, await s.call(path))
  says = 'a page of maintenance'
  s.clock.advance(60_000)
  for (const path of ['/a', '/b']) await passesItsRefusal(t, await s.call(path))
  t.equal((await s.call('/fine')).status, 200, 'and by now the check calls have ended')
  says = { ok: false }
  s.clock.advance(60_000)
  await passesItsRefusal(t, await s.call('/a'))
  await problem(t, await s.call('/a'), 401, 'reconnect_required')
})

t.test('two instances know of each other’s refusals, and of each other’s successes', async t => {
  const provider = await startFakeProvider(t)
  provider.token = withoutRefreshToken
  const clock = new TestClock()
  // Instances have one public address, whose port the cookies' names carry.
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
  // One browser, whichever of the two serves it: cookies know no ports.
  const call = ({ url }: { url: string }, path: string) => browser.fetch(`${url}/proxy/productboard${path}`)
  provider.api = refusing(path => path.startsWith('/forbidden'))
  await passesItsRefusal(t, await call(one, '/forbidden-1'))
  t.equal((await call(two, '/workflows')).status, 200)
  await passesItsRefusal(t, await call(one, '/forbidden-2'))
  await passesItsRefusal(t, await call(two, '/forbidden-3'))
  await problem(t, await call(two, '/forbidden-4'), 401, 'reconnect_required')
  await problem(t, await call(one, '/workflows'), 401, 'reconnect_required')
})
