import t, { type Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'

/** Two instances behind a load balancer that allow six sign-ins a minute. */
async function startTwoInstances(t: Test) {
  const redis = await startRedis(t)
  const provider = await startFakeProvider(t)
  const clock = new TestClock()
  const environment = {
    ...provider.environment,
    REDIS_URL: redis.url,
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    SIGN_INS_PER_MINUTE: '6',
    TRUST_PROXY: '127.0.0.1'
  }
  const instances = [await startGateway(t, { environment, clock }), await startGateway(t, { environment, clock })]
  let requests = 0
  const start = (from: string, headers: Record<string, string> = {}) => {
    const { url } = instances[requests++ % 2] ?? { url: '' }
    return new Browser().request(`${url}/auth/productboard`, { headers: { 'x-forwarded-for': from, ...headers } })
  }
  return { provider, start }
}

t.test('SEC-36: SIGN_INS_PER_MINUTE limits each IP address, over all instances', async t => {
  const { provider, start } = await startTwoInstances(t)
  for (let i = 0; i < 6; i++) t.equal((await start('192.0.2.1')).status, 302)
  for (let i = 0; i < 2; i++) t.match(await assertProblem(t, await start('192.0.2.1'), 429, 'rate_limited'), { retryAfter: /\d+/ })
  const page = await start('192.0.2.1', { accept: 'text/html' })
  t.equal(page.status, 429)
  t.match(await page.text(), /<h1>Too many requests/)
  t.equal((await start('192.0.2.2')).status, 302, 'another IP address has its own limit')
  t.equal(provider.seen.token.length, 0)
})

t.test('SEC-36: the IPv6 addresses of one /64 share a limit', async t => {
  const { provider, start } = await startTwoInstances(t)
  for (let i = 0; i < 6; i++) t.equal((await start(`2001:db8:1:2::${i}`)).status, 302)
  await assertProblem(t, await start('2001:db8:1:2:ffff::1'), 429, 'rate_limited')
  t.equal((await start('2001:db8:1:3::1')).status, 302)
  t.equal(provider.seen.token.length, 0)
})

t.test('SEC-36: without TRUST_PROXY no header changes the client’s IP address', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: { ...provider.environment, SIGN_INS_PER_MINUTE: '2' } })
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) {
    const headers = { 'x-forwarded-for': `192.0.2.${i}`, forwarded: `for=192.0.2.${i}`, 'x-real-ip': `192.0.2.${i}` }
    statuses.push((await new Browser().request(`${gateway.url}/auth/productboard`, { headers })).status)
  }
  t.same(statuses, [302, 302, 429, 429])
})

t.test('SEC-36: a session has sixty sign-ins and sixty refreshes a minute', async t => {
  const { gateway, provider, browser, clock, proxy } = await startConnected(t)
  const start = () => browser.request(`${gateway.url}/auth/productboard`)
  const refresh = () => browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' })
  for (let i = 0; i < 60; i++) {
    const [started, refreshed] = [await start(), await refresh()]
    if (started.status !== 302 || refreshed.status !== 200) t.fail(`${i}: ${started.status}, ${refreshed.status}`)
  }
  const tokenRequests = provider.seen.token.length
  await assertProblem(t, await start(), 429, 'rate_limited')
  await assertProblem(t, await refresh(), 429, 'rate_limited')
  t.equal(provider.seen.token.length, tokenRequests, 'no further token request is sent')
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200, 'proxied requests are not limited')
  t.equal((await signIn(gateway, new Browser())).status, 303, 'another session has its own limit')
  clock.advance(60_000)
  t.equal((await start()).status, 302)
  t.equal((await refresh()).status, 200)
})

t.test('SEC-36: requests that are refused for another reason do not count', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: { ...provider.environment, SIGN_INS_PER_MINUTE: '1' } })
  const browser = new Browser()
  for (let i = 0; i < 3; i++) {
    t.equal((await browser.request(`${gateway.url}/auth/productboard?return_to=//evil.example`)).status, 400)
    t.equal((await browser.request(`${gateway.url}/auth/nobody`)).status, 404)
    t.equal((await browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' })).status, 401)
  }
  t.equal((await browser.request(`${gateway.url}/auth/productboard`)).status, 302)
})

/** Gateways behind a load balancer. With Redis they handle a flood quickly; its minute is real time and not the test's clock. */
async function startBehindLoadBalancer(t: Test, store: 'Redis' | 'embedded' = 'Redis', instances = 1) {
  const provider = await startFakeProvider(t)
  const clock = new TestClock()
  const environment = {
    ...provider.environment,
    ...(store === 'Redis' && { REDIS_URL: (await startRedis(t)).url }),
    PROCESS_STREET_API_URL: `${provider.origin}/base`,
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    TRUST_PROXY: '127.0.0.1'
  }
  const ports = await Promise.all(Array.from({ length: instances }, freePort))
  const PUBLIC_URL = `http://localhost:${ports[0]}`
  const gateways: TestGateway[] = []
  for (const port of ports) gateways.push(await startGateway(t, { clock, port, environment: { ...environment, PUBLIC_URL } }))
  let requests = 0
  const post = async (path: string, from: string, { browser = new Browser(), body }: { browser?: Browser; body?: unknown } = {}) => {
    const headers = { 'x-forwarded-for': from, ...(body !== undefined && { 'content-type': 'application/json' }) }
    const { url } = gateways[requests++ % gateways.length] as TestGateway
    return browser.fetch(url + path, { method: 'POST', headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
  }
  return {
    provider,
    clock,
    gateway: gateways[0] as TestGateway,
    invite: (from: string, browser?: Browser) => post('/connections/productboard/invitation', from, { ...(browser && { browser }) }),
    paste: (from: string, apiKey: string, browser?: Browser) =>
      post('/connections/process-street', from, { body: { apiKey }, ...(browser && { browser }) })
  }
}

/** Sends the requests, thirty at a time, and counts the statuses of the responses. */
async function countStatuses(requests: ReadonlyArray<() => Promise<Response>>): Promise<Array<[status: number, count: number]>> {
  const counts = new Map<number, number>()
  for (let at = 0; at < requests.length; at += 30) {
    for (const { status } of await Promise.all(requests.slice(at, at + 30).map(send => send())))
      counts.set(status, (counts.get(status) ?? 0) + 1)
  }
  return [...counts].sort()
}

const times = <T>(count: number, create: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => create(i))
const ipv4 = (i: number) => `198.51.${i >> 8}.${i & 255}`

t.test('SEC-36: clients without a connection share 120 invitations a minute', async t => {
  const { invite } = await startBehindLoadBalancer(t)
  const flood = await countStatuses(times(20, network => times(10, () => () => invite(ipv4(network)))).flat())
  t.strictSame(flood, [
    [201, 120],
    [429, 80]
  ])
})

t.test('SEC-36: during a flood a new network can make its first invitation', async t => {
  const { invite } = await startBehindLoadBalancer(t)
  await countStatuses(times(20, network => times(10, () => () => invite(ipv4(network)))).flat())
  const newcomer = ipv4(1000)
  t.equal((await invite(newcomer)).status, 201)
  t.match(await assertProblem(t, await invite(newcomer), 429, 'rate_limited'), { detail: /too many people who have connected nothing/ })
  for (const from of ['2001:db8:7:1::1', '2001:db8:7:2::1']) t.equal((await invite(from)).status, 201, from)
})

t.test('SEC-36: first attempts are limited per IPv6 /48 and over all networks', async t => {
  const { invite } = await startBehindLoadBalancer(t)
  const fromOneSite = await countStatuses(times(200, network => () => invite(`2001:db8:7:${network.toString(16)}::1`)))
  t.strictSame(fromOneSite, [
    [201, 150],
    [429, 50]
  ])
  t.equal((await invite('2001:db8:8::1')).status, 201, 'another site has its own limit')
  const fromOthers = await countStatuses(times(470, network => () => invite(ipv4(network))))
  t.strictSame(
    fromOthers,
    [
      [201, 449],
      [429, 21]
    ],
    '500 first attempts in all'
  )
})

t.test('SEC-36: a client with the cookie of an ended session counts as a stranger', async t => {
  const { invite, gateway } = await startBehindLoadBalancer(t)
  const ended = new Browser()
  await signIn(gateway, ended)
  const copies = times(3, () => ended.copy())
  await ended.fetch(`${gateway.url}/logout`, { method: 'POST' })
  const statuses = await countStatuses(
    times(10, network => times(15, i => () => invite(ipv4(network), (copies[i % 3] ?? ended).copy()))).flat()
  )
  t.strictSame(statuses, [
    [201, 110],
    [429, 40]
  ])
})

t.test('SEC-36: a session without a connection has no limit of its own', async t => {
  const { invite, gateway } = await startBehindLoadBalancer(t)
  const inviter = new Browser()
  t.equal((await invite(ipv4(0), inviter)).status, 201)
  t.ok(inviter.session(gateway.url), 'the invitation starts a session')
  t.strictSame(await countStatuses(times(5, network => times(30, () => () => invite(ipv4(1 + network), inviter.copy()))).flat()), [
    [201, 105],
    [429, 45]
  ])
})

t.test('SEC-36: a session with a connection has its own limit during a flood', async t => {
  const { invite, paste, gateway, provider } = await startBehindLoadBalancer(t)
  const connectedBrowser = new Browser()
  await signIn(gateway, connectedBrowser)
  provider.api = ({ headers }, r) => json(r, headers['x-api-key'] === 'good-key' ? 200 : 401, {})
  await countStatuses(times(5, network => times(40, () => () => invite(ipv4(network)))).flat())
  await countStatuses(times(5, network => times(40, () => () => paste(ipv4(network), 'bad-key'))).flat())
  await assertProblem(t, await invite(ipv4(1)), 429, 'rate_limited')
  await assertProblem(t, await paste(ipv4(1), 'good-key'), 429, 'rate_limited')
  t.equal((await paste(ipv4(1), 'good-key', connectedBrowser)).status, 201)
  for (let i = 0; i < 30; i++) t.equal((await invite(ipv4(1), connectedBrowser)).status, 201)
  await assertProblem(t, await invite(ipv4(1), connectedBrowser), 429, 'rate_limited')
})

t.test('SEC-36: strangers’ key checks are limited over all networks and instances', async t => {
  const { paste, provider } = await startBehindLoadBalancer(t, 'Redis', 2)
  provider.api = ({ headers }, r) => json(r, headers['x-api-key'] === 'good-key' ? 200 : 401, {})
  const statuses = await countStatuses(times(60, network => times(5, () => () => paste(ipv4(network), 'bad-key'))).flat())
  t.strictSame(statuses, [
    [422, 120],
    [429, 180]
  ])
  t.equal(provider.seen.api.length, 120)
  t.equal((await paste(ipv4(1000), 'good-key')).status, 201, 'a new network has its first attempt')
  await assertProblem(t, await paste(ipv4(1), 'good-key'), 429, 'rate_limited')
})

t.test('SEC-36: a wrong key counts twice, for a network and for a session', async t => {
  const { paste, provider, gateway, clock } = await startBehindLoadBalancer(t, 'embedded')
  provider.api = ({ headers }, r) => json(r, headers['x-api-key'] === 'good-key' ? 200 : 401, {})
  const connectedBrowser = new Browser()
  await signIn(gateway, connectedBrowser)
  for (const [browser, client] of [
    [undefined, 'strangers'],
    [connectedBrowser, 'a session']
  ] as const) {
    for (let i = 0; i < 15; i++) t.equal((await paste(ipv4(1), 'bad-key', browser)).status, 422, client)
    await assertProblem(t, await paste(ipv4(1), 'good-key', browser), 429, 'rate_limited')
  }
  t.equal(provider.seen.api.length, 30)
  clock.advance(60_000)
  for (let i = 0; i < 30; i++) t.equal((await paste(ipv4(1), 'good-key')).status, 201)
  await assertProblem(t, await paste(ipv4(1), 'good-key'), 429, 'rate_limited')
})

t.test('SEC-36: a sign-in that a page embeds or fetches is refused and does not count', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: { ...provider.environment, SIGN_INS_PER_MINUTE: '1' } })
  const start = (site: string, destination: string) =>
    new Browser().request(`${gateway.url}/auth/productboard`, { headers: { 'sec-fetch-site': site, 'sec-fetch-dest': destination } })
  for (const site of ['cross-site', 'same-site', 'same-origin', 'none']) {
    for (const destination of ['image', 'iframe', 'frame', 'object', 'script', 'empty']) {
      const response = await start(site, destination)
      await assertProblem(t, response, 403, 'csrf_rejected')
      t.same(response.headers.getSetCookie(), [])
    }
  }
  t.equal((await start('same-site', 'document')).status, 302)
})

t.test('SEC-36: a client over its limit is refused without a store operation', async t => {
  const provider = await startFakeProvider(t)
  const clock = new TestClock()
  const dataDir = t.testdir()
  const sqliteStore = await openStore({ dataDir, clock })
  let increments = 0
  const store: Store = {
    ...sqliteStore,
    increment: (...args) => {
      increments++
      return sqliteStore.increment(...args)
    }
  }
  const gateway = await startGateway(t, {
    clock,
    store,
    environment: { ...provider.environment, SIGN_INS_PER_MINUTE: '2', DATA_DIR: dataDir }
  })
  const start = async () => (await new Browser().request(`${gateway.url}/auth/productboard`)).status
  const statuses: number[] = []
  for (let i = 0; i < 10; i++) statuses.push(await start())
  t.same([...new Set(statuses)], [302, 429])
  t.equal(increments, 3)
  clock.advance(60_000)
  t.equal(await start(), 302)
})
