import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, followCallback as finish, signIn } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { startRedis } from '../support/redis.ts'
import { delayTokenResponses, type SignIns, startSignIns } from '../support/sign-ins.ts'

/** Whose grant a browser's calls carry; `undefined` when it is not connected. */
async function grantOf({ gateway, providers }: SignIns, browser: Browser, provider: 'productboard' | 'ignition' = 'productboard') {
  const { status, body } = await browser.fetch(`${gateway.url}/proxy/${provider}/x`)
  await body?.cancel()
  return status === 200 ? providers[provider].seen.api.at(-1)?.headers.authorization : undefined
}

/** The attacker begins in the shared browser, keeps a copy of the cookie, and goes. */
async function leftBehind(s: SignIns): Promise<{ attacker: Browser; victim: Browser; theirs: string; own: string }> {
  const victim = new Browser()
  const theirs = await s.start(victim)
  const attacker = victim.copy()
  return { attacker, victim, theirs, own: await s.start(victim) }
}

async function apart(t: Test, s: SignIns, attacker: Browser, victim: Browser): Promise<void> {
  const grants = [await grantOf(s, attacker), await grantOf(s, victim)]
  t.ok(
    grants.every(grant => grant !== undefined),
    'both are connected'
  )
  t.not(grants[0], grants[1])
}

for (const kind of ['the embedded store', 'Redis']) {
  t.test(
    `SEC-2: a sign-in that was left in a browser and one of its next person never share a session, whoever is first, with ${kind}`,
    async t => {
      const s = await startSignIns(t, kind === 'Redis' ? { environment: { REDIS_URL: (await startRedis(t)).url } } : {})
      for (const order of [
        [0, 1],
        [1, 0]
      ] as const) {
        const { attacker, victim, theirs, own } = await leftBehind(s)
        const held = delayTokenResponses(s.providers.productboard)
        const ends = [
          [attacker, theirs],
          [victim, own]
        ] as const
        const finishing = []
        const answers = []
        for (const i of order) {
          finishing.push(finish(...ends[i]))
          answers.push(await held.next())
        }
        for (const answer of answers) answer()
        t.same(
          (await Promise.all(finishing)).map(({ status }) => status),
          [303, 303]
        )
        await apart(t, s, attacker, victim)
      }
    }
  )
}

t.test('SEC-2: nor when one finishes after the other, within the second or later', async t => {
  const s = await startSignIns(t)
  for (const laterMs of [0, 1_000, 60_000]) {
    for (const isAttackerFirst of [true, false]) {
      const { attacker, victim, theirs, own } = await leftBehind(s)
      const ends = [
        [attacker, theirs],
        [victim, own]
      ] as const
      for (const i of isAttackerFirst ? ([0, 1] as const) : ([1, 0] as const)) {
        t.equal((await finish(...ends[i])).status, 303)
        s.clock.advance(laterMs)
      }
      await apart(t, s, attacker, victim)
      await finish(victim, await s.start(victim, 'ignition'))
      t.same(await s.connectedProviders(attacker), ['productboard'], 'and the next sign-in changes nothing about it')
    }
  }
})

t.test('SEC-6: a tab that comes back before the other was begun is asked once more, and ends in the same session', async t => {
  const s = await startSignIns(t)
  const browser = new Browser()
  const slow = await s.start(browser)
  const held = delayTokenResponses(s.providers.productboard)
  const first = browser.request(slow)
  const answer = await held.next()
  t.same(await (await finish(browser, await s.start(browser, 'ignition'))).status, 303)
  answer()
  const response = await first
  t.same([response.status, response.headers.get('location')], [303, slow])
  t.equal((await finish(browser, slow)).headers.get('location'), '/')
  t.same(await s.connectedProviders(browser), ['ignition', 'productboard'])
  t.equal(s.providers.productboard.seen.token.length, 1)
})

t.test('SEC-2: a grant that waits for its browser goes into no session of another owner, and is revoked', async t => {
  const s = await startSignIns(t)
  const { attacker, victim, theirs, own } = await leftBehind(s)
  await s.start(attacker, 'ignition')
  await finish(victim, own)
  // The attacker's own response says to show the session; the link is sent to the victim instead, whose browser has that sign-in's cookie.
  s.providers.productboard.token = (_, r) => json(r, 200, tokens({ refresh_token: 'of-the-attacker' }))
  t.equal((await attacker.request(theirs)).headers.get('location'), theirs)
  const planted = new Browser()
  await signIn(s.gateway, planted, 'ignition')
  for (const [key, cookie] of attacker.cookies) planted.cookies.set(key, cookie)
  const revoked = new Promise<string>(resolve => {
    s.providers.productboard.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  await assertProblem(t, await planted.request(theirs), 400, 'state_invalid')
  t.match(await revoked, /of-the-attacker/)
  t.same(await s.connectedProviders(planted), ['ignition'])
})

t.test('SEC-2: a grant that waits for a browser that never asks again is revoked', async t => {
  const s = await startSignIns(t, { undeliveredMs: 50 })
  const { attacker, victim, theirs, own } = await leftBehind(s)
  await finish(victim, own)
  const revoked = new Promise<string>(resolve => {
    s.providers.productboard.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  t.equal((await attacker.request(theirs)).headers.get('location'), theirs)
  t.match(await revoked, /token=/)
  await assertProblem(t, await attacker.request(theirs), 400, 'state_invalid')
  t.same(await s.connectedProviders(attacker), [])
})

t.test(
  'SEC-19: who left a session in a browser, and calls with it all the time, gets nothing that is connected in it afterwards',
  async t => {
    const s = await startSignIns(t)
    for (const isEmpty of [false, true]) {
      const attacker = new Browser()
      await signIn(s.gateway, attacker)
      if (isEmpty) await attacker.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })
      const victim = attacker.copy()
      const own = await s.start(victim)
      const before = s.providers.productboard.seen.token.length
      await finish(victim, own)
      const granted = s.providers.productboard.seen.token.length - before
      t.equal(granted, 1)
      t.equal(await grantOf(s, attacker), undefined, 'before the victim’s browser has shown the new session')
      t.ok(await grantOf(s, victim))
      t.equal(await grantOf(s, attacker), undefined, 'and after it')
    }
  }
)

t.test('SEC-20: signing out with a cookie whose id has turned, in a thief’s hands, ends the thief’s session too', async t => {
  const s = await startSignIns(t)
  for (const isShown of [false, true]) {
    const victim = new Browser()
    await signIn(s.gateway, victim)
    const thief = victim.copy()
    await finish(thief, await s.start(thief, 'ignition'))
    if (isShown) t.same(await s.connectedProviders(thief), ['ignition', 'productboard'])
    const revoked = s.providers.productboard.seen.revoke.length
    t.equal((await victim.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status, 204)
    for (const browser of [thief, victim]) t.same(await s.connectedProviders(browser), [])
    t.equal(s.providers.productboard.seen.revoke.length, revoked + 1)
  }
})

t.test('SEC-15: disconnecting with a cookie whose id has turned disconnects', async t => {
  const s = await startSignIns(t)
  for (const isShown of [false, true]) {
    const victim = new Browser()
    await signIn(s.gateway, victim)
    const thief = victim.copy()
    await finish(thief, await s.start(thief, 'ignition'))
    if (isShown) await s.connectedProviders(thief)
    const revoked = s.providers.productboard.seen.revoke.length
    t.equal((await victim.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })).status, 204)
    t.same(await s.connectedProviders(thief), ['ignition'])
    t.equal(s.providers.productboard.seen.revoke.length, revoked + 1)
  }
})

t.test('SEC-20, SEC-41: what was not done is not claimed: while the store is down a sign-out and a disconnect are 503', async t => {
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
