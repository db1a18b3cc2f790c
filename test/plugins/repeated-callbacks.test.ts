import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { newKey } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'
import { delayTokenResponses, startSignIns } from '../support/sign-ins.ts'

const outcome = ({ status, headers }: Response) => [status, headers.get('location')]

t.test('a repeated callback redirects to the same URL without a second token request', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.start(browser, 'productboard', '?return_to=/done')
  t.same(outcome(await browser.request(callback)), [303, '/done'])
  const cookie = browser.session(s.gateway.url)?.value
  const allowedAgain = callback.replace('code=c', 'code=another')
  for (const url of [callback, allowedAgain, callback]) {
    const again = await browser.request(url)
    t.same(outcome(again), [303, '/done'])
    t.same(again.headers.getSetCookie(), [])
  }
  t.equal(browser.session(s.gateway.url)?.value, cookie)
  t.equal(s.providers.productboard.seen.token.length, 1)
  t.same(await s.connectedProviders(browser), ['productboard'])

  await browser.request(await s.start(browser, 'ignition'))
  t.same(outcome(await browser.request(callback)), [303, '/done'], 'also after the session id was rotated')
})

t.test('a callback that is repeated after ten minutes is refused', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.start(browser, 'productboard', '?return_to=/done')
  t.same(outcome(await browser.request(callback)), [303, '/done'])
  s.clock.advance(10 * 60_000)
  await assertProblem(t, await browser.request(callback), 400, 'state_invalid')
})

t.test('SEC-1, SEC-2: a callback repeated by another browser, provider or query is refused', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const callback = await s.start(browser)
  await browser.request(callback)
  const stranger = new Browser()
  await signIn(s.gateway, stranger)
  const cookie = stranger.session(s.gateway.url)?.value
  for (const other of [new Browser(), stranger]) await assertProblem(t, await other.request(callback), 400, 'state_invalid')
  t.equal(stranger.session(s.gateway.url)?.value, cookie)
  await assertProblem(t, await browser.request(callback.replace('productboard', 'ignition')), 400, 'state_invalid')
  for (const duplicated of [`${callback}&code=c`, `${callback}&${callback.split('?')[1]}`])
    await assertProblem(t, await browser.request(duplicated), 400, 'state_invalid')
  t.equal(s.providers.productboard.seen.token.length + s.providers.ignition.seen.token.length, 2)
})

t.test('a repeated callback never replaces another session', async t => {
  const s = await startSignIns(t)
  const [browser, other] = [new Browser(), new Browser()]
  const callback = await s.start(browser)
  await signIn(s.gateway, other, 'ignition')
  const both = other.copy()
  for (const [key, cookie] of browser.cookies) both.cookies.set(key, cookie)
  await browser.copy().request(callback)
  const again = await both.request(callback)
  t.same(outcome(again), [303, '/'])
  t.same(again.headers.getSetCookie(), [])
  t.same(await s.connectedProviders(both), ['ignition'])
})

for (const hasSession of [false, true]) {
  const suffix = hasSession ? 'with a session' : 'without a session'
  const start = async (t: Test) => {
    const s = await startSignIns(t)
    const browser = new Browser()
    if (hasSession) await signIn(s.gateway, browser)
    return { ...s, browser, callback: await s.start(browser, 'ignition') }
  }

  t.test(`a repeated callback with a denial repeats the denial, ${suffix}`, async t => {
    const s = await start(t)
    const denied = s.callback.replace('code=c', 'error=access_denied')
    for (const url of [denied, denied, s.callback])
      t.same(outcome(await s.browser.request(url)), [303, '/?connect_error=access_denied&provider=ignition'])
    t.equal(s.providers.ignition.seen.token.length, 0)
  })

  t.test(`a repeated callback whose code was refused sends no second token request, ${suffix}`, async t => {
    const s = await start(t)
    s.providers.ignition.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
    for (const url of [s.callback, s.callback])
      t.same(outcome(await s.browser.request(url)), [303, '/?connect_error=invalid_grant&provider=ignition'])
    t.equal(s.providers.ignition.seen.token.length, 1)
  })
}

for (const kind of ['one instance', 'two instances with Redis']) {
  t.test(`concurrent repeats of a callback wait for its outcome, at ${kind}`, async t => {
    const environment: Record<string, string> = {}
    if (kind !== 'one instance') {
      // Instances share one public URL, whose port is in the names of the cookies.
      environment.PUBLIC_URL = 'http://localhost:3000'
      environment.REDIS_URL = (await startRedis(t)).url
      environment.SESSION_KEYS = newKey()
      environment.TOKEN_KEYS = newKey()
    }
    const s = await startSignIns(t, { environment })
    const other = kind === 'one instance' ? s : await startSignIns(t, { environment })
    const browser = new Browser()
    const callback = await s.start(browser)
    const tokenRequests = delayTokenResponses(s.providers.productboard)
    const first = browser.copy().request(callback)
    const respond = await tokenRequests.next()
    const elsewhere = callback.replace(s.gateway.url, other.gateway.url)
    const repeats = [1, 2, 3].map(() => browser.copy().request(elsewhere))
    respond()
    for (const response of await Promise.all([first, ...repeats])) t.same(outcome(response), [303, '/'])
    for (const { providers } of new Set([s, other])) t.equal(providers.productboard.seen.token.length, providers === s.providers ? 1 : 0)
  })
}

t.test('a callback of a session that signs out meanwhile is refused each time', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  await signIn(s.gateway, browser)
  const callback = await s.start(browser, 'ignition')
  const tokenRequests = delayTokenResponses(s.providers.ignition)
  const [first, again] = [browser.copy(), browser.copy()]
  const pending = first.request(callback)
  const respond = await tokenRequests.next()
  t.equal((await browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status, 204)
  respond()
  await assertProblem(t, await pending, 400, 'state_invalid')
  await assertProblem(t, await again.request(callback), 400, 'state_invalid')
  t.equal(s.providers.ignition.seen.token.length, 1)
})
