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
async function startWithConnection(t: Test, options: Parameters<typeof startSignIns>[1] = {}): Promise<SignIns & { browser: Browser }> {
  const s = await startSignIns(t, options)
  const browser = new Browser()
  await signIn(s.gateway, browser)
  t.same(await s.connectedProviders(browser), ['productboard'])
  return { ...s, browser }
}

/** Lists connections with the session cookie alone: no flow cookie proves that the browser still waits for a new one. */
const connectedBySessionCookie = async ({ gateway }: SignIns, browser: Browser) =>
  readConnectedProviders(await fetch(`${gateway.url}/connections`, { headers: { cookie: browser.sessionPair(gateway.url) } }))

t.test('a tab closed during its callback loses neither the session nor the new connection', async t => {
  const s = await startWithConnection(t)
  const callback = await s.start(s.browser, 'ignition')
  const tokenRequests = delayTokenResponses(s.providers.ignition)
  const tab = new AbortController()
  const abortedRequest = s.browser.copy().request(callback, { signal: tab.signal })
  const respond = await tokenRequests.next()
  tab.abort()
  await t.rejects(abortedRequest)
  respond()
  // The id rotates and, since the new cookie was not delivered, the rotation is undone: the old cookie alone shows everything again.
  await waitUntil(async () => (await connectedBySessionCookie(s, s.browser)).length === 2)
  s.clock.advance(2 * minute)
  t.same(await s.connectedProviders(s.browser), both)
  t.equal((await s.browser.fetch(`${s.gateway.url}/proxy/productboard/x`)).status, 200)
  t.equal(s.providers.ignition.seen.revoke.length, 0)
})

t.test('a pasted key whose response is lost is stored, and the session stays', async t => {
  const s = await startWithConnection(t)
  const checkRequest = Promise.withResolvers<() => void>()
  s.providers.productboard.api = (_, r) => checkRequest.resolve(() => json(r, 200, {}))
  const tab = new AbortController()
  const init = { method: 'POST', body: '{"apiKey":"key"}', headers: { 'content-type': 'application/json' }, signal: tab.signal }
  const abortedRequest = s.browser.copy().fetch(`${s.gateway.url}/connections/productboard`, init)
  const respond = await checkRequest.promise
  tab.abort()
  await t.rejects(abortedRequest)
  respond()
  const methods = async () => {
    const { connections } = (await (await s.browser.fetch(`${s.gateway.url}/connections`)).json()) as { connections: { method?: string }[] }
    return connections.map(({ method }) => method).filter(Boolean)
  }
  await waitUntil(async () => (await methods())[0] === 'api_key')
  s.clock.advance(2 * minute)
  t.same(await methods(), ['api_key'])
})

t.test('a Set-Cookie that was lost is sent again by the next request', async t => {
  for (const sendRequest of [
    (s: SignIns, browser: Browser) => s.connectedProviders(browser),
    (s: SignIns, browser: Browser) => browser.visit(`${s.gateway.url}/`),
    async (s: SignIns, browser: Browser) => browser.request(await s.start(browser, 'ignition'))
  ]) {
    const s = await startWithConnection(t)
    const callback = await s.start(s.browser, 'ignition')
    const old = s.browser.session(s.gateway.url)?.value
    t.equal((await s.browser.copy().request(callback)).status, 303, 'its response is lost')
    await sendRequest(s, s.browser)
    t.not(s.browser.session(s.gateway.url)?.value, old)
    s.clock.advance(2 * minute)
    t.same(await s.connectedProviders(s.browser), both)
    t.same([...s.browser.cookies.values()].filter(({ name }) => name.includes('signin')).length <= 1, true)
  }
})

t.test('SEC-19: a copy of an old cookie never gets the new one', async t => {
  const s = await startWithConnection(t)
  const thief = s.browser.copy()
  await s.start(thief, 'productboard')
  const callback = await s.start(s.browser, 'ignition')
  await s.browser.copy().request(callback)
  const old = thief.session(s.gateway.url)?.value
  for (const path of ['/connections', '/']) await thief.request(s.gateway.url + path)
  await assertProblem(t, await thief.request(callback), 400, 'state_invalid')
  t.equal(thief.session(s.gateway.url)?.value, old)
  t.same(await s.connectedProviders(thief), ['productboard'], 'it does not see later connections')
  await assertProblem(t, await thief.fetch(`${s.gateway.url}/proxy/ignition/x`), 401, 'connection_required')
  for (let i = 0; i < 2; i++) t.same(await s.connectedProviders(s.browser), both, 'the browser gets the new cookie and presents it')
  t.same(await s.connectedProviders(thief), [])
})

t.test('a first session whose response was lost is delivered by the repeated callback', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.start(browser)
  t.equal((await browser.copy().request(callback)).status, 303, 'its response is lost')
  t.same(await s.connectedProviders(browser), [])
  const again = await browser.request(callback)
  t.same([again.status, again.headers.get('location')], [303, '/'])
  t.same(await s.connectedProviders(browser), ['productboard'])
  t.equal(s.providers.productboard.seen.token.length, 1)
})

t.test('a callback repeated while the aborted first is in flight gets the same response', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.start(browser)
  const tokenRequests = delayTokenResponses(s.providers.productboard)
  const tab = new AbortController()
  const abortedRequest = browser.copy().request(callback, { signal: tab.signal })
  const respond = await tokenRequests.next()
  tab.abort()
  await t.rejects(abortedRequest)
  const again = browser.request(callback)
  respond()
  t.equal((await again).status, 303)
  t.same(await s.connectedProviders(browser), ['productboard'])
  t.equal(s.providers.productboard.seen.token.length, 1)
})

t.test('a grant whose session was never delivered is revoked', async t => {
  const s = await startSignIns(t, { undeliveredMs: 100 })
  const browser = new Browser()
  const callback = await s.start(browser)
  const tokenRequests = delayTokenResponses(s.providers.productboard)
  const tab = new AbortController()
  const abortedRequest = browser.request(callback, { signal: tab.signal })
  const respond = await tokenRequests.next()
  tab.abort()
  await t.rejects(abortedRequest)
  const revoked = new Promise<string>(resolve => {
    s.providers.productboard.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  respond()
  t.match(await revoked, /token=refresh-\d+/)
  t.equal((await browser.request(callback)).status, 303)
  t.same(await s.connectedProviders(browser), [])
})

for (const kind of ['the embedded store', 'Redis']) {
  t.test(`requests succeed during twenty sign-ins in another tab, with ${kind}`, async t => {
    const s = await startWithConnection(t, kind === 'Redis' ? { environment: { REDIS_URL: (await startRedis(t)).url } } : {})
    let isOver = false
    const statuses = new Map<number, number>()
    const sendRequests = async () => {
      while (!isOver) {
        const { status, body } = await s.browser.fetch(`${s.gateway.url}/proxy/productboard/x`)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        await body?.cancel()
      }
    }
    const senders = [sendRequests(), sendRequests()]
    for (let i = 0; i < 20; i++) await signIn(s.gateway, s.browser, both[i % 2])
    isOver = true
    await Promise.all(senders)
    t.same([...statuses.keys()], [200])
    t.ok((statuses.get(200) ?? 0) > 20)
    t.same(await s.connectedProviders(s.browser), both)
  })
}

t.test('starting a sign-in counts as use, so that a session outlasts the consent', async t => {
  const s = await startWithConnection(t, { environment: { SESSION_IDLE: '600', SESSION_MAX: '86400' } })
  s.clock.advance(570_000)
  const callback = await s.start(s.browser, 'ignition')
  s.clock.advance(minute)
  t.equal((await s.browser.request(callback)).status, 303)
  t.same(await s.connectedProviders(s.browser), both)
})

t.test('a refresh and an invitation count as use of the session', async t => {
  const s = await startWithConnection(t, { environment: { SESSION_IDLE: '600', SESSION_MAX: '86400' } })
  await signIn(s.gateway, s.browser, 'ignition')
  s.clock.advance(570_000)
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/ignition/refresh`, { method: 'POST' })).status, 200)
  s.clock.advance(570_000)
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/ignition/invitation`, { method: 'POST' })).status, 201)
  s.clock.advance(570_000)
  t.same(await s.connectedProviders(s.browser), both)
})

t.test('a key pasted during a sign-in is stored in the same session', async t => {
  const s = await startWithConnection(t)
  const callback = await s.start(s.browser, 'ignition')
  const tab = s.browser.copy()
  s.providers.productboard.api = (_, r) => json(r, 200, {})
  t.equal((await pasteKey(s.gateway, s.browser, 'productboard', 'key')).status, 201)
  t.equal((await tab.request(callback)).status, 303, 'sent before the new cookie arrived')
  t.same(await s.connectedProviders(s.browser), both)
})
