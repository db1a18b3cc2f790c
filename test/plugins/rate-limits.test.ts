import t, { type Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { Browser } from '../support/browser.ts'
import { connected, problem, signIn } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'

t.test('SEC-36: an address begins as many sign-ins a minute as the operator says, at whatever instance, and then waits', async t => {
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
  let turn = 0
  const begin = (from: string, headers: Record<string, string> = {}) => {
    const { url } = instances[turn++ % 2] ?? { url: '' }
    return new Browser().request(`${url}/auth/productboard`, { headers: { 'x-forwarded-for': from, ...headers } })
  }
  for (let i = 0; i < 6; i++) t.equal((await begin('192.0.2.1')).status, 302)
  for (let i = 0; i < 2; i++) t.match(await problem(t, await begin('192.0.2.1'), 429, 'rate_limited'), { retryAfter: /\d+/ })
  const page = await begin('192.0.2.1', { accept: 'text/html' })
  t.equal(page.status, 429)
  t.match(await page.text(), /<h1>Too many requests/)
  t.equal((await begin('192.0.2.2')).status, 302, 'another address is another')

  // Who has one IPv6 address has the network below it.
  for (let i = 0; i < 6; i++) t.equal((await begin(`2001:db8:1:2::${i}`)).status, 302)
  await problem(t, await begin('2001:db8:1:2:ffff::1'), 429, 'rate_limited')
  t.equal((await begin('2001:db8:1:3::1')).status, 302)
  t.equal(provider.seen.token.length, 0)
})

t.test('SEC-36: without TRUST_PROXY nobody makes themselves another address', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: { ...provider.environment, SIGN_INS_PER_MINUTE: '2' } })
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) {
    const headers = { 'x-forwarded-for': `192.0.2.${i}`, forwarded: `for=192.0.2.${i}`, 'x-real-ip': `192.0.2.${i}` }
    statuses.push((await new Browser().request(`${gateway.url}/auth/productboard`, { headers })).status)
  }
  t.same(statuses, [302, 302, 429, 429])
})

t.test('SEC-36: a session begins sixty sign-ins a minute, and refreshes as often; its calls are not counted', async t => {
  const { gateway, provider, browser, clock, proxy } = await connected(t)
  const begin = () => browser.request(`${gateway.url}/auth/productboard`)
  const refresh = () => browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' })
  for (let i = 0; i < 60; i++) {
    const [begun, refreshed] = [await begin(), await refresh()]
    if (begun.status !== 302 || refreshed.status !== 200) t.fail(`${i}: ${begun.status}, ${refreshed.status}`)
  }
  const calls = provider.seen.token.length
  await problem(t, await begin(), 429, 'rate_limited')
  await problem(t, await refresh(), 429, 'rate_limited')
  t.equal(provider.seen.token.length, calls, 'the provider is not asked')
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
  t.equal((await signIn(gateway, new Browser())).status, 303, 'another session is another')
  clock.advance(60_000)
  t.equal((await begin()).status, 302)
  t.equal((await refresh()).status, 200)
})

t.test('SEC-36: a bad return address, an unknown provider and a call without a connection cost no try', async t => {
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

/** Gateways that believe what a balancer says of the client's network. With Redis, whose minute is a real one, they take a flood quickly. */
async function behindBalancer(t: Test, store: 'Redis' | 'embedded' = 'Redis', instances = 1) {
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
  let turn = 0
  const post = async (path: string, from: string, { browser = new Browser(), body }: { browser?: Browser; body?: unknown } = {}) => {
    const headers = { 'x-forwarded-for': from, ...(body !== undefined && { 'content-type': 'application/json' }) }
    const { url } = gateways[turn++ % gateways.length] as TestGateway
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

async function statusesOf(calls: Iterable<() => Promise<Response>>): Promise<Array<[status: number, times: number]>> {
  const counted = new Map<number, number>()
  const list = [...calls]
  for (let at = 0; at < list.length; at += 30) {
    for (const { status } of await Promise.all(list.slice(at, at + 30).map(call => call())))
      counted.set(status, (counted.get(status) ?? 0) + 1)
  }
  return [...counted].sort()
}

const times = <T>(count: number, what: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => what(i))
const ipv4 = (i: number) => `198.51.${i >> 8}.${i & 255}`

t.test('SEC-36: people without a connection make few invitations together, and a network that has made none still makes one', async t => {
  const { invite } = await behindBalancer(t)
  const flood = await statusesOf(times(20, network => times(10, () => () => invite(ipv4(network)))).flat())
  t.strictSame(flood, [
    [201, 120],
    [429, 80]
  ])
  const newcomer = ipv4(1000)
  t.equal((await invite(newcomer)).status, 201, 'a newcomer')
  t.match(await problem(t, await invite(newcomer), 429, 'rate_limited'), { detail: /too many people who have connected nothing/ })
  for (const from of ['2001:db8:7:1::1', '2001:db8:7:2::1']) t.equal((await invite(from)).status, 201, from)
})

t.test('SEC-36: first tries are counted too, of all networks together and of an IPv6 site', async t => {
  const { invite } = await behindBalancer(t)
  const ofSite = await statusesOf(times(200, network => () => invite(`2001:db8:7:${network.toString(16)}::1`)))
  t.strictSame(ofSite, [
    [201, 150],
    [429, 50]
  ])
  t.equal((await invite('2001:db8:8::1')).status, 201, 'another site is another')
  const ofAll = await statusesOf(times(470, network => () => invite(ipv4(network))))
  t.strictSame(
    ofAll,
    [
      [201, 449],
      [429, 21]
    ],
    '500 first ones in all'
  )
})

t.test('SEC-36: a cookie whose session has ended is a stranger’s', async t => {
  const { invite, gateway } = await behindBalancer(t)
  const ended = new Browser()
  await signIn(gateway, ended)
  const copies = times(3, () => ended.copy())
  await ended.fetch(`${gateway.url}/logout`, { method: 'POST' })
  const asked = await statusesOf(times(10, network => times(15, i => () => invite(ipv4(network), (copies[i % 3] ?? ended).copy()))).flat())
  t.strictSame(asked, [
    [201, 110],
    [429, 40]
  ])
})

t.test('SEC-36: a session alone, which is free for the asking, has no share of its own', async t => {
  const { invite, gateway } = await behindBalancer(t)
  const begun = new Browser()
  t.equal((await invite(ipv4(0), begun)).status, 201)
  t.ok(begun.session(gateway.url), 'inviting begins a session')
  t.strictSame(await statusesOf(times(5, network => times(30, () => () => invite(ipv4(1 + network), begun.copy()))).flat()), [
    [201, 105],
    [429, 45]
  ])
})

t.test('SEC-36: who has a connection has a share of their own, also on the network of a flood', async t => {
  const { invite, paste, gateway, provider } = await behindBalancer(t)
  const person = new Browser()
  await signIn(gateway, person)
  provider.api = ({ headers }, r) => json(r, headers['x-api-key'] === 'good-key' ? 200 : 401, {})
  await statusesOf(times(5, network => times(40, () => () => invite(ipv4(network)))).flat())
  await statusesOf(times(5, network => times(40, () => () => paste(ipv4(network), 'bad-key'))).flat())
  await problem(t, await invite(ipv4(1)), 429, 'rate_limited')
  await problem(t, await paste(ipv4(1), 'good-key'), 429, 'rate_limited')
  t.equal((await paste(ipv4(1), 'good-key', person)).status, 201)
  for (let i = 0; i < 30; i++) t.equal((await invite(ipv4(1), person)).status, 201)
  await problem(t, await invite(ipv4(1), person), 429, 'rate_limited')
})

t.test('SEC-36: of keys that strangers guess few reach a provider, from however many networks and at whatever instance', async t => {
  const { paste, provider } = await behindBalancer(t, 'Redis', 2)
  provider.api = ({ headers }, r) => json(r, headers['x-api-key'] === 'good-key' ? 200 : 401, {})
  const guessed = await statusesOf(times(60, network => times(5, () => () => paste(ipv4(network), 'bad-key'))).flat())
  t.strictSame(guessed, [
    [422, 120],
    [429, 180]
  ])
  t.equal(provider.seen.api.length, 120)
  t.equal((await paste(ipv4(1000), 'good-key')).status, 201, 'a newcomer is let in')
  await problem(t, await paste(ipv4(1), 'good-key'), 429, 'rate_limited')
})

t.test('SEC-36: a wrong key counts twice, for a network of strangers and for a session', async t => {
  const { paste, provider, gateway, clock } = await behindBalancer(t, 'embedded')
  provider.api = ({ headers }, r) => json(r, headers['x-api-key'] === 'good-key' ? 200 : 401, {})
  const person = new Browser()
  await signIn(gateway, person)
  for (const [browser, what] of [
    [undefined, 'strangers'],
    [person, 'a session']
  ] as const) {
    for (let i = 0; i < 15; i++) t.equal((await paste(ipv4(1), 'bad-key', browser)).status, 422, what)
    await problem(t, await paste(ipv4(1), 'good-key', browser), 429, 'rate_limited')
  }
  t.equal(provider.seen.api.length, 30)
  clock.advance(60_000)
  for (let i = 0; i < 30; i++) t.equal((await paste(ipv4(1), 'good-key')).status, 201)
  await problem(t, await paste(ipv4(1), 'good-key'), 429, 'rate_limited')
})

t.test(
  'SEC-36: what a page embeds or fetches begins no sign-in, on whatever site, and spends nothing of what its visitor may do',
  async t => {
    const provider = await startFakeProvider(t)
    const gateway = await startGateway(t, { environment: { ...provider.environment, SIGN_INS_PER_MINUTE: '1' } })
    const begin = (site: string, destination: string) =>
      new Browser().request(`${gateway.url}/auth/productboard`, { headers: { 'sec-fetch-site': site, 'sec-fetch-dest': destination } })
    for (const site of ['cross-site', 'same-site', 'same-origin', 'none']) {
      for (const destination of ['image', 'iframe', 'frame', 'object', 'script', 'empty']) {
        const refused = await begin(site, destination)
        await problem(t, refused, 403, 'csrf_rejected')
        t.same(refused.headers.getSetCookie(), [])
      }
    }
    t.equal((await begin('same-site', 'document')).status, 302)
  }
)

t.test('SEC-36: who has had all that a minute allows is refused without asking the store again', async t => {
  const provider = await startFakeProvider(t)
  const clock = new TestClock()
  const dataDir = t.testdir()
  const real = await openStore({ dataDir, clock })
  let counted = 0
  const store: Store = {
    ...real,
    increment: (...of) => {
      counted++
      return real.increment(...of)
    }
  }
  const gateway = await startGateway(t, {
    clock,
    store,
    environment: { ...provider.environment, SIGN_INS_PER_MINUTE: '2', DATA_DIR: dataDir }
  })
  const begin = async () => (await new Browser().request(`${gateway.url}/auth/productboard`)).status
  const statuses: number[] = []
  for (let i = 0; i < 10; i++) statuses.push(await begin())
  t.same([...new Set(statuses)], [302, 429])
  t.equal(counted, 3)
  clock.advance(60_000)
  t.equal(await begin(), 302)
})
