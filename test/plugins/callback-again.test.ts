import t from 'tap'
import { Browser } from '../support/browser.ts'
import { problem, signIn } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { newKey } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'
import { holdTokens, startSignIns } from '../support/sign-ins.ts'

const outcome = ({ status, headers }: Response) => [status, headers.get('location')]

t.test('a callback that is reloaded, or come back to and allowed again, goes where it went, and makes no second token call', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.begin(browser, 'productboard', '?return_to=/done')
  t.same(outcome(await browser.request(callback)), [303, '/done'])
  const cookie = browser.session(s.gateway.url)?.value
  const allowedAgain = callback.replace('code=c', 'code=another')
  for (const address of [callback, allowedAgain, callback]) {
    const again = await browser.request(address)
    t.same(outcome(again), [303, '/done'])
    t.same(again.headers.getSetCookie(), [])
  }
  t.equal(browser.session(s.gateway.url)?.value, cookie)
  t.equal(s.providers.productboard.seen.token.length, 1)
  t.same(await s.connectedIn(browser), ['productboard'])

  await browser.request(await s.begin(browser, 'ignition'))
  t.same(outcome(await browser.request(callback)), [303, '/done'], 'also when the session’s id has turned since')
  s.clock.advance(10 * 60_000)
  await problem(t, await browser.request(callback), 400, 'state_invalid')
})

t.test('SEC-1, SEC-2: a callback that comes again from anybody else is refused, and tells nothing', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.begin(browser)
  await browser.request(callback)
  const stranger = new Browser()
  await signIn(s.gateway, stranger)
  const cookie = stranger.session(s.gateway.url)?.value
  for (const other of [new Browser(), stranger]) await problem(t, await other.request(callback), 400, 'state_invalid')
  t.equal(stranger.session(s.gateway.url)?.value, cookie)
  await problem(t, await browser.request(callback.replace('productboard', 'ignition')), 400, 'state_invalid')
  for (const twice of [`${callback}&code=c`, `${callback}&${callback.split('?')[1]}`])
    await problem(t, await browser.request(twice), 400, 'state_invalid')
  t.equal(s.providers.productboard.seen.token.length + s.providers.ignition.seen.token.length, 2)
})

t.test('a repeat never overwrites another session', async t => {
  const s = await startSignIns(t)
  const [browser, other] = [new Browser(), new Browser()]
  const callback = await s.begin(browser)
  await signIn(s.gateway, other, 'ignition')
  const mixed = other.copy()
  for (const [key, cookie] of browser.cookies) mixed.cookies.set(key, cookie)
  await browser.copy().request(callback)
  const again = await mixed.request(callback)
  t.same(outcome(again), [303, '/'])
  t.same(again.headers.getSetCookie(), [])
  t.same(await s.connectedIn(mixed), ['ignition'])
})

t.test('a refusal is repeated too, with a session and without one', async t => {
  const s = await startSignIns(t)
  for (const isFirst of [true, false]) {
    const browser = new Browser()
    if (!isFirst) await signIn(s.gateway, browser)
    const asked = s.providers.ignition.seen.token.length
    const denied = (await s.begin(browser, 'ignition')).replace('code=c', 'error=access_denied')
    const told = [303, '/?connect_error=access_denied&provider=ignition']
    t.same(outcome(await browser.request(denied)), told)
    for (const address of [denied, denied.replace('error=access_denied', 'code=c')]) t.same(outcome(await browser.request(address)), told)
    t.equal(s.providers.ignition.seen.token.length, asked)

    s.providers.ignition.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
    const spent = await s.begin(browser, 'ignition')
    const refused = outcome(await browser.request(spent))
    t.same(refused, [303, '/?connect_error=invalid_grant&provider=ignition'])
    t.same(outcome(await browser.request(spent)), refused)
    t.equal(s.providers.ignition.seen.token.length, asked + 1)
  }
})

for (const kind of ['one instance', 'two instances with Redis']) {
  t.test(`callbacks that come again while the first is at work wait for its outcome, at ${kind}`, async t => {
    const environment: Record<string, string> = {}
    if (kind !== 'one instance') {
      // Instances have one public address, whose port the cookies' names carry.
      environment.PUBLIC_URL = 'http://localhost:3000'
      environment.REDIS_URL = (await startRedis(t)).url
      environment.SESSION_KEYS = newKey()
      environment.TOKEN_KEYS = newKey()
    }
    const s = await startSignIns(t, { environment })
    const other = kind === 'one instance' ? s : await startSignIns(t, { environment })
    const browser = new Browser()
    const callback = await s.begin(browser)
    const held = holdTokens(s.providers.productboard)
    const first = browser.copy().request(callback)
    const answer = await held.next()
    const elsewhere = callback.replace(s.gateway.url, other.gateway.url)
    const again = [1, 2, 3].map(() => browser.copy().request(elsewhere))
    answer()
    for (const one of await Promise.all([first, ...again])) t.same(outcome(one), [303, '/'])
    for (const { providers } of new Set([s, other])) t.equal(providers.productboard.seen.token.length, providers === s.providers ? 1 : 0)
  })
}

t.test('a sign-in in a session that is signed out meanwhile is refused each time it comes back', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  await signIn(s.gateway, browser)
  const callback = await s.begin(browser, 'ignition')
  const held = holdTokens(s.providers.ignition)
  const [first, again] = [browser.copy(), browser.copy()]
  const asked = first.request(callback)
  const answer = await held.next()
  t.equal((await browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status, 204)
  answer()
  await problem(t, await asked, 400, 'state_invalid')
  await problem(t, await again.request(callback), 400, 'state_invalid')
  t.equal(s.providers.ignition.seen.token.length, 1)
})
