import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { pasteKey } from '../support/paste-key.ts'
import { startRedis } from '../support/redis.ts'
import { delayTokenResponses, readConnectedProviders, type SignIns, startSignIns, waitUntil } from '../support/sign-ins.ts'

const both = ['ignition', 'productboard'] as const
const minute = 60_000

/** A browser with one connection. */
async function withOne(t: Test, options: Parameters<typeof startSignIns>[1] = {}): Promise<SignIns & { browser: Browser }> {
  const s = await startSignIns(t, options)
  const browser = new Browser()
  await signIn(s.gateway, browser)
  t.same(await s.connectedProviders(browser), ['productboard'])
  return { ...s, browser }
}

/** What the browser holds is asked for with the session's cookie alone: no sign-in proves that it waits for another. */
const bySessionAlone = async ({ gateway }: SignIns, browser: Browser) =>
  readConnectedProviders(await fetch(`${gateway.url}/connections`, { headers: { cookie: browser.sessionPair(gateway.url) } }))

t.test('a tab that is closed while its callback waits for the provider costs nobody anything, not even later', async t => {
  const s = await withOne(t)
  const callback = await s.start(s.browser, 'ignition')
  const held = delayTokenResponses(s.providers.ignition)
  const closing = new AbortController()
  const gone = s.browser.copy().request(callback, { signal: closing.signal })
  const answer = await held.next()
  closing.abort()
  await t.rejects(gone)
  answer()
  // The id turns and, since nobody has got the new one, turns back: then all is seen again with the old one alone.
  await waitUntil(async () => (await bySessionAlone(s, s.browser)).length === 2)
  s.clock.advance(2 * minute)
  t.same(await s.connectedProviders(s.browser), both)
  t.equal((await s.browser.fetch(`${s.gateway.url}/proxy/productboard/x`)).status, 200)
  t.equal(s.providers.ignition.seen.revoke.length, 0)
})

t.test('a pasted key whose response is lost costs nobody anything either', async t => {
  const s = await withOne(t)
  const checked = Promise.withResolvers<() => void>()
  s.providers.productboard.api = (_, r) => checked.resolve(() => json(r, 200, {}))
  const closing = new AbortController()
  const init = { method: 'POST', body: '{"apiKey":"key"}', headers: { 'content-type': 'application/json' }, signal: closing.signal }
  const gone = s.browser.copy().fetch(`${s.gateway.url}/connections/productboard`, init)
  const answer = await checked.promise
  closing.abort()
  await t.rejects(gone)
  answer()
  const methods = async () => {
    const { connections } = (await (await s.browser.fetch(`${s.gateway.url}/connections`)).json()) as { connections: { method?: string }[] }
    return connections.map(({ method }) => method).filter(Boolean)
  }
  await waitUntil(async () => (await methods())[0] === 'api_key')
  s.clock.advance(2 * minute)
  t.same(await methods(), ['api_key'])
})

t.test('a Set-Cookie that never arrived is given again, at the list, on the page and at the next callback', async t => {
  for (const heal of [
    (s: SignIns, browser: Browser) => s.connectedProviders(browser),
    (s: SignIns, browser: Browser) => browser.visit(`${s.gateway.url}/`),
    async (s: SignIns, browser: Browser) => browser.request(await s.start(browser, 'ignition'))
  ]) {
    const s = await withOne(t)
    const callback = await s.start(s.browser, 'ignition')
    const old = s.browser.session(s.gateway.url)?.value
    t.equal((await s.browser.copy().request(callback)).status, 303, 'the response is lost')
    await heal(s, s.browser)
    t.not(s.browser.session(s.gateway.url)?.value, old)
    s.clock.advance(2 * minute)
    t.same(await s.connectedProviders(s.browser), both)
    t.same([...s.browser.cookies.values()].filter(({ name }) => name.includes('signin')).length <= 1, true)
  }
})

t.test('SEC-19: a copy of an old cookie is never given the new one, whatever sign-in it brings', async t => {
  const s = await withOne(t)
  const thief = s.browser.copy()
  await s.start(thief, 'productboard')
  const callback = await s.start(s.browser, 'ignition')
  await s.browser.copy().request(callback)
  const old = thief.session(s.gateway.url)?.value
  for (const path of ['/connections', '/']) await thief.request(s.gateway.url + path)
  await assertProblem(t, await thief.request(callback), 400, 'state_invalid')
  t.equal(thief.session(s.gateway.url)?.value, old)
  t.same(await s.connectedProviders(thief), ['productboard'], 'nor does it see what was connected since')
  await assertProblem(t, await thief.fetch(`${s.gateway.url}/proxy/ignition/x`), 401, 'connection_required')
  for (let i = 0; i < 2; i++) t.same(await s.connectedProviders(s.browser), both, 'the browser is given the new one, and shows it')
  t.same(await s.connectedProviders(thief), [])
})

t.test('the first session whose response was lost is there for the callback that comes again', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.start(browser)
  t.equal((await browser.copy().request(callback)).status, 303, 'the response is lost')
  t.same(await s.connectedProviders(browser), [])
  const again = await browser.request(callback)
  t.same([again.status, again.headers.get('location')], [303, '/'])
  t.same(await s.connectedProviders(browser), ['productboard'])
  t.equal(s.providers.productboard.seen.token.length, 1)
})

t.test('a callback that comes again while the first is at work, and gone, gets what the first would have got', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.start(browser)
  const held = delayTokenResponses(s.providers.productboard)
  const closing = new AbortController()
  const gone = browser.copy().request(callback, { signal: closing.signal })
  const answer = await held.next()
  closing.abort()
  await t.rejects(gone)
  const again = browser.request(callback)
  answer()
  t.equal((await again).status, 303)
  t.same(await s.connectedProviders(browser), ['productboard'])
  t.equal(s.providers.productboard.seen.token.length, 1)
})

t.test('a grant that could be delivered to nobody is revoked when its sign-in is over', async t => {
  const s = await startSignIns(t, { undeliveredMs: 100 })
  const browser = new Browser()
  const callback = await s.start(browser)
  const held = delayTokenResponses(s.providers.productboard)
  const closing = new AbortController()
  const gone = browser.request(callback, { signal: closing.signal })
  const answer = await held.next()
  closing.abort()
  await t.rejects(gone)
  const revoked = new Promise<string>(resolve => {
    s.providers.productboard.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  answer()
  t.match(await revoked, /token=refresh-\d+/)
  t.equal((await browser.request(callback)).status, 303)
  t.same(await s.connectedProviders(browser), [])
})

for (const kind of ['the embedded store', 'Redis']) {
  t.test(`twenty sign-ins beside a tab that calls all the time: no call is told to connect, with ${kind}`, async t => {
    const s = await withOne(t, kind === 'Redis' ? { environment: { REDIS_URL: (await startRedis(t)).url } } : {})
    let isOver = false
    const statuses = new Map<number, number>()
    const call = async () => {
      while (!isOver) {
        const { status, body } = await s.browser.fetch(`${s.gateway.url}/proxy/productboard/x`)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        await body?.cancel()
      }
    }
    const calls = [call(), call()]
    for (let i = 0; i < 20; i++) await signIn(s.gateway, s.browser, both[i % 2])
    isOver = true
    await Promise.all(calls)
    t.same([...statuses.keys()], [200])
    t.ok((statuses.get(200) ?? 0) > 20)
    t.same(await s.connectedProviders(s.browser), both)
  })
}

t.test('a sign-in whose session is idle in all but half a minute leaves time for the consent: /auth counts as use', async t => {
  const s = await withOne(t, { environment: { SESSION_IDLE: '600', SESSION_MAX: '86400' } })
  s.clock.advance(570_000)
  const callback = await s.start(s.browser, 'ignition')
  s.clock.advance(minute)
  t.equal((await s.browser.request(callback)).status, 303)
  t.same(await s.connectedProviders(s.browser), both)

  s.clock.advance(570_000)
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/ignition/refresh`, { method: 'POST' })).status, 200)
  s.clock.advance(570_000)
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/ignition/invitation`, { method: 'POST' })).status, 201)
  s.clock.advance(570_000)
  t.same(await s.connectedProviders(s.browser), both, 'a refresh and an invitation do as well')
})

t.test('a key that is pasted beside a sign-in ends in the same session', async t => {
  const s = await withOne(t)
  const callback = await s.start(s.browser, 'ignition')
  const tab = s.browser.copy()
  s.providers.productboard.api = (_, r) => json(r, 200, {})
  t.equal((await pasteKey(s.gateway, s.browser, 'productboard', 'key')).status, 201)
  t.equal((await tab.request(callback)).status, 303, 'sent before the new cookie had arrived')
  t.same(await s.connectedProviders(s.browser), both)
})
