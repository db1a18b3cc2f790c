import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { ada, eve, frontend, openWorld } from './world.ts'

/** Somebody has connected an account in a browser, in which a user then signs in. */
async function signInAfterwards(t: Test) {
  const world = await openWorld(t)
  const { url, oldBrowser } = world
  const before = oldBrowser.copy()
  await world.signIn(oldBrowser, ada)
  /** As our own page does. */
  const takeOver = (browser: Browser, { headers, ...init }: { method?: string; headers?: Record<string, string> } = {}) =>
    browser.request(`${url}/takeover`, { method: 'POST', headers: { origin: url, ...headers }, ...init })
  const status = async (browser: Browser) => (await browser.fetch(`${url}/proxy/productboard/x`)).status
  return { ...world, before, takeOver, status }
}

t.test('SEC-57: what a browser had is not merged by a sign-in', async t => {
  const { oldBrowser, before, status, as } = await signInAfterwards(t)
  t.equal(await status(oldBrowser), 401)
  t.equal(await status(before), 401, 'nobody is signed in with the cookie from before')
  t.equal((await as(ada)('GET', '/proxy/productboard/x')).status, 401)
})

t.test('SEC-57: a user takes over what the browser had, once', async t => {
  const { oldBrowser, productboard, takeOver, status, gateway } = await signInAfterwards(t)
  const copy = oldBrowser.copy()
  t.equal((await takeOver(oldBrowser)).status, 204)
  t.equal(await status(oldBrowser), 200)
  t.equal(productboard.seen.api.at(-1)?.headers.authorization, 'Bearer old-access-1')
  t.equal(productboard.seen.revoke.length, 0)
  await oldBrowser.fetch(`${gateway.url}/connections`, { method: 'DELETE' })
  t.equal((await takeOver(copy)).status, 204)
  t.equal(await status(oldBrowser), 401, 'there is nothing to take over any more')
})

t.test('SEC-57: a takeover leaves nothing of the browser’s session', async t => {
  const { oldBrowser, takeOver, gateway } = await signInAfterwards(t)
  const { store } = gateway.services
  const anonymous = async () => {
    const owners: string[] = []
    for await (const batch of store.scanOwners()) owners.push(...batch)
    return owners.filter(owner => !owner.startsWith('u.') && !['owner-names', 'revocations'].includes(owner))
  }
  t.equal((await anonymous()).length, 1)
  await takeOver(oldBrowser)
  t.same(await anonymous(), [])
})

t.test('SEC-57: of two users who were offered the same, the first to click has it', async t => {
  const { before, oldBrowser, signIn, takeOver, status } = await signInAfterwards(t)
  await signIn(before, eve)
  const responses = await Promise.all([takeOver(oldBrowser), takeOver(before)])
  t.same(
    responses.map(response => response.status),
    [204, 204]
  )
  t.same([await status(oldBrowser), await status(before)].sort(), [200, 401])
})

t.test('SEC-57: who declines has it deleted and revoked', async t => {
  const { oldBrowser, before, signIn, takeOver, status, productboard } = await signInAfterwards(t)
  await signIn(before, eve)
  t.equal((await takeOver(oldBrowser, { method: 'DELETE' })).status, 204)
  t.match(
    productboard.seen.revoke.map(({ body }) => `${body}`),
    [/old-refresh-1/]
  )
  await takeOver(before)
  t.same([await status(oldBrowser), await status(before)], [401, 401])
})

t.test('SEC-57: only a page of our own takes over', async t => {
  const { oldBrowser, takeOver, status, url } = await signInAfterwards(t)
  for (const method of ['POST', 'DELETE'])
    for (const origin of [frontend, 'https://pr-1.preview.example.org', 'https://evil.example', 'null'])
      await assertProblem(t, await takeOver(oldBrowser, { method, headers: { origin } }), 403, 'csrf_rejected')
  await assertProblem(t, await oldBrowser.fetch(`${url}/takeover`, { method: 'POST' }), 403, 'csrf_rejected')
  t.equal(await status(oldBrowser), 401)
  t.equal((await takeOver(oldBrowser, { headers: { origin: url } })).status, 204)
  t.equal(await status(oldBrowser), 200)
})

t.test('SEC-57: a bearer takes nothing over', async t => {
  const { oldBrowser, takeOver, status, bearer } = await signInAfterwards(t)
  const headers = { authorization: `Bearer ${await bearer(ada)}` }
  await assertProblem(t, await takeOver(oldBrowser, { headers }), 401, 'user_required')
  await assertProblem(t, await takeOver(new Browser()), 401, 'user_required')
  await takeOver(oldBrowser)
  t.equal(await status(oldBrowser), 200)
})
