import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, followCallback, signIn } from '../support/connected.ts'
import { type FakeProvider, json, tokens } from '../support/fake-provider.ts'
import { startRedis } from '../support/redis.ts'
import { delayTokenResponses, type SignIns, startSignIns } from '../support/sign-ins.ts'

/** The Authorization header of a request from this browser; `undefined` if it is not connected. */
async function authorizationOf({ gateway, providers }: SignIns, browser: Browser, provider: 'productboard' | 'ignition' = 'productboard') {
  const { status, body } = await browser.fetch(`${gateway.url}/proxy/${provider}/x`)
  await body?.cancel()
  return status === 200 ? providers[provider].seen.api.at(-1)?.headers.authorization : undefined
}

/** The attacker starts a sign-in in a shared browser and leaves with a copy of its cookies. The victim then starts one there. */
async function startSharedSignIns(
  s: SignIns
): Promise<{ attacker: Browser; victim: Browser; attackerCallback: string; victimCallback: string }> {
  const victim = new Browser()
  const attackerCallback = await s.start(victim)
  const attacker = victim.copy()
  return { attacker, victim, attackerCallback, victimCallback: await s.start(victim) }
}

async function assertSeparateSessions(t: Test, s: SignIns, attacker: Browser, victim: Browser): Promise<void> {
  const grants = [await authorizationOf(s, attacker), await authorizationOf(s, victim)]
  t.ok(
    grants.every(grant => grant !== undefined),
    'both are connected'
  )
  t.not(grants[0], grants[1])
}

/** Resolves with the body of the next revocation request. */
const nextRevocation = (provider: FakeProvider) =>
  new Promise<string>(resolve => {
    provider.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })

for (const kind of ['the embedded store', 'Redis']) {
  t.test(`SEC-2: concurrent sign-ins of two users of one browser never share a session, with ${kind}`, async t => {
    const s = await startSignIns(t, kind === 'Redis' ? { environment: { REDIS_URL: (await startRedis(t)).url } } : {})
    for (const order of [
      [0, 1],
      [1, 0]
    ] as const) {
      const { attacker, victim, attackerCallback, victimCallback } = await startSharedSignIns(s)
      const tokenRequests = delayTokenResponses(s.providers.productboard)
      const callbacks = [
        [attacker, attackerCallback],
        [victim, victimCallback]
      ] as const
      const responses = []
      const responders = []
      for (const i of order) {
        responses.push(followCallback(...callbacks[i]))
        responders.push(await tokenRequests.next())
      }
      for (const respond of responders) respond()
      t.same(
        (await Promise.all(responses)).map(({ status }) => status),
        [303, 303]
      )
      await assertSeparateSessions(t, s, attacker, victim)
    }
  })
}

t.test('SEC-2: consecutive sign-ins of two users of one browser never share a session', async t => {
  const s = await startSignIns(t)
  for (const laterMs of [0, 1_000, 60_000]) {
    for (const isAttackerFirst of [true, false]) {
      const { attacker, victim, attackerCallback, victimCallback } = await startSharedSignIns(s)
      const callbacks = [
        [attacker, attackerCallback],
        [victim, victimCallback]
      ] as const
      for (const i of isAttackerFirst ? ([0, 1] as const) : ([1, 0] as const)) {
        t.equal((await followCallback(...callbacks[i])).status, 303)
        s.clock.advance(laterMs)
      }
      await assertSeparateSessions(t, s, attacker, victim)
      await followCallback(victim, await s.start(victim, 'ignition'))
      t.same(await s.connectedProviders(attacker), ['productboard'], 'the victim’s next sign-in stays separate')
    }
  }
})

t.test('SEC-6: a slow tab repeats its callback once and joins the other tab’s session', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const slow = await s.start(browser)
  const tokenRequests = delayTokenResponses(s.providers.productboard)
  const first = browser.request(slow)
  const respond = await tokenRequests.next()
  t.equal((await followCallback(browser, await s.start(browser, 'ignition'))).status, 303)
  respond()
  const response = await first
  t.same([response.status, response.headers.get('location')], [303, slow])
  t.equal((await followCallback(browser, slow)).headers.get('location'), '/')
  t.same(await s.connectedProviders(browser), ['ignition', 'productboard'])
  t.equal(s.providers.productboard.seen.token.length, 1)
})

t.test('SEC-2: an unproven grant is revoked if another session presents it', async t => {
  const s = await startSignIns(t)
  const { attacker, victim, attackerCallback, victimCallback } = await startSharedSignIns(s)
  await s.start(attacker, 'ignition')
  await followCallback(victim, victimCallback)
  // The gateway asks the attacker's browser to repeat the callback with its session. A browser with the attacker's cookies and
  // another session follows the link instead.
  s.providers.productboard.token = (_, r) => json(r, 200, tokens({ refresh_token: 'of-the-attacker' }))
  t.equal((await attacker.request(attackerCallback)).headers.get('location'), attackerCallback)
  const planted = new Browser()
  await signIn(s.gateway, planted, 'ignition')
  for (const [key, cookie] of attacker.cookies) planted.cookies.set(key, cookie)
  const revocation = nextRevocation(s.providers.productboard)
  await assertProblem(t, await planted.request(attackerCallback), 400, 'state_invalid')
  t.match(await revocation, /of-the-attacker/)
  t.same(await s.connectedProviders(planted), ['ignition'])
})

t.test('SEC-2: a grant is revoked if its browser never repeats the callback', async t => {
  const s = await startSignIns(t, { undeliveredMs: 50 })
  const { attacker, victim, attackerCallback, victimCallback } = await startSharedSignIns(s)
  await followCallback(victim, victimCallback)
  const revocation = nextRevocation(s.providers.productboard)
  t.equal((await attacker.request(attackerCallback)).headers.get('location'), attackerCallback)
  t.match(await revocation, /token=/)
  await assertProblem(t, await attacker.request(attackerCallback), 400, 'state_invalid')
  t.same(await s.connectedProviders(attacker), [])
})

t.test('SEC-19: a copied cookie gets nothing that is connected after the copy', async t => {
  const s = await startSignIns(t)
  for (const isEmpty of [false, true]) {
    const attacker = new Browser()
    await signIn(s.gateway, attacker)
    if (isEmpty) await attacker.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })
    const victim = attacker.copy()
    const victimCallback = await s.start(victim)
    const before = s.providers.productboard.seen.token.length
    await followCallback(victim, victimCallback)
    const granted = s.providers.productboard.seen.token.length - before
    t.equal(granted, 1)
    t.equal(await authorizationOf(s, attacker), undefined, 'before the victim’s browser presents the new session')
    t.ok(await authorizationOf(s, victim))
    t.equal(await authorizationOf(s, attacker), undefined, 'after that')
  }
})

t.test('SEC-20: signing out with a superseded cookie ends the thief’s session too', async t => {
  const s = await startSignIns(t)
  for (const isPresented of [false, true]) {
    const victim = new Browser()
    await signIn(s.gateway, victim)
    const thief = victim.copy()
    await followCallback(thief, await s.start(thief, 'ignition'))
    if (isPresented) t.same(await s.connectedProviders(thief), ['ignition', 'productboard'])
    const revokedBefore = s.providers.productboard.seen.revoke.length
    t.equal((await victim.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status, 204)
    for (const browser of [thief, victim]) t.same(await s.connectedProviders(browser), [])
    t.equal(s.providers.productboard.seen.revoke.length, revokedBefore + 1)
  }
})

t.test('SEC-15: disconnecting with a superseded cookie works', async t => {
  const s = await startSignIns(t)
  for (const isPresented of [false, true]) {
    const victim = new Browser()
    await signIn(s.gateway, victim)
    const thief = victim.copy()
    await followCallback(thief, await s.start(thief, 'ignition'))
    if (isPresented) await s.connectedProviders(thief)
    const revokedBefore = s.providers.productboard.seen.revoke.length
    t.equal((await victim.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })).status, 204)
    t.same(await s.connectedProviders(thief), ['ignition'])
    t.equal(s.providers.productboard.seen.revoke.length, revokedBefore + 1)
  }
})

t.test('SEC-20, SEC-41: while the store is down a sign-out and a disconnect are 503', async t => {
  const redis = await startRedis(t)
  const s = await startSignIns(t, { environment: { REDIS_URL: redis.url } })
  const browser = new Browser()
  await signIn(s.gateway, browser)
  await s.connectedProviders(browser)
  await redis.stop()
  await assertProblem(t, await browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' }), 503, 'store_unavailable')
  await assertProblem(t, await browser.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' }), 503, 'store_unavailable')
  t.ok(browser.session(s.gateway.url), 'the cookie stays')
})
