import t from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { Browser } from '../support/browser.ts'
import { connected, problem, signIn } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock } from '../support/gateway.ts'
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
  t.match(await page.text(), /<h1>Too many calls/)
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

t.test(
  'SEC-36: people without a session make no more invitations than the store can bear, from however many networks they come',
  async t => {
    const provider = await startFakeProvider(t)
    // So many calls may take longer than the minute for which they are counted.
    const clock = new TestClock()
    const gateway = await startGateway(t, { clock, environment: { ...provider.environment, TRUST_PROXY: '127.0.0.1' } })
    const invite = (network: number) =>
      new Browser().fetch(`${gateway.url}/connections/productboard/invitation`, {
        method: 'POST',
        headers: { 'x-forwarded-for': `2001:db8:0:${network.toString(16)}::1` }
      })
    const statuses = new Map<number, number>()
    for (let network = 0; network < 22; network++) {
      const answers = await Promise.all(Array.from({ length: 30 }, () => invite(network)))
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    t.strictSame([...statuses].sort(), [
      [201, 600],
      [429, 60]
    ])
  }
)

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
    count: (...of) => {
      counted++
      return real.count(...of)
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
