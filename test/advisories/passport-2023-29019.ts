// @fastify/passport, CVE-2023-29019: session fixation. A sign-in kept the session id that the browser came with, so whoever had put
// one there before was in the victim's session afterwards.
//
// Here: the attacker leaves cookies of their own in the browser in which the victim then connects, as on a computer that both use.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { type Connected, connected, problem, signIn } from '../support/connected.ts'
import { pasteKey } from '../support/paste-key.ts'

const ways = {
  'a sign-in': ({ gateway }: Connected, browser: Browser) => signIn(gateway, browser),
  'a pasted key': ({ gateway }: Connected, browser: Browser) => pasteKey(gateway, browser, 'productboard', 'key-of-the-victim')
}

for (const [way, connect] of Object.entries(ways)) {
  t.test(`CVE-2023-29019: a session that the attacker left in the browser is dead after ${way}`, async t => {
    const s = await connected(t)
    const { browser: attacker, provider, proxy } = s
    const victim = attacker.copy()
    t.equal((await attacker.fetch(`${proxy}/x`)).status, 200, 'it lived before')
    await connect(s, victim)
    const sent = provider.seen.api.length
    await problem(t, await attacker.fetch(`${proxy}/x`), 401, 'connection_required')
    t.match(await (await attacker.fetch(`${s.gateway.url}/connections`)).json(), { connections: [{ status: 'disconnected' }] })
    t.equal(provider.seen.api.length, sent)
    t.equal((await victim.fetch(`${proxy}/x`)).status, 200)
  })

  t.test(`CVE-2023-29019: a sign-in that the attacker left under way does not bring ${way} into the attacker’s session`, async t => {
    const s = await connected(t)
    const { gateway, provider, proxy, clock } = s
    const attacker = new Browser()
    await attacker.request(`${gateway.url}/auth/productboard`)
    const victim = attacker.copy()
    await signIn(gateway, attacker)
    await attacker.fetch(`${gateway.url}/connections/productboard`, { method: 'DELETE' })
    clock.advance(2_000)
    await connect(s, victim)
    const sent = provider.seen.api.length
    await problem(t, await attacker.fetch(`${proxy}/x`), 401, 'connection_required')
    t.equal(provider.seen.api.length, sent, 'no call of the attacker carries the victim’s grant')
    t.equal((await victim.fetch(`${proxy}/x`)).status, 200, 'the victim has a session of their own')
  })

  t.test(`CVE-2023-29019: nor does one that the attacker finishes elsewhere get into the session that ${way} began`, async t => {
    const s = await connected(t)
    const { gateway, provider, proxy, clock } = s
    const victim = new Browser()
    await victim.request(`${gateway.url}/auth/productboard`)
    const attacker = victim.copy()
    await connect(s, victim)
    clock.advance(2_000)
    await signIn(gateway, attacker)
    const carried = async (browser: Browser) => {
      t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
      return provider.seen.api.at(-1)?.headers.authorization
    }
    const theirs = await carried(attacker)
    t.not(await carried(victim), theirs)
  })
}

t.test('CVE-2023-29019: an invitation that the victim makes is not in the session of a sign-in that the attacker left', async t => {
  const { gateway, clock } = await connected(t)
  const attacker = new Browser()
  await attacker.request(`${gateway.url}/auth/productboard`)
  const victim = attacker.copy()
  await signIn(gateway, attacker)
  clock.advance(2_000)
  t.equal((await victim.fetch(`${gateway.url}/connections/productboard/invitation`, { method: 'POST' })).status, 201)
  const seenBy = async (browser: Browser) => {
    const answer = (await (await browser.fetch(`${gateway.url}/invitations`)).json()) as { invitations: unknown[] }
    return answer.invitations.length
  }
  t.equal(await seenBy(victim), 1)
  t.equal(await seenBy(attacker), 0)
})
