// @fastify/passport, CVE-2023-29019: session fixation. A sign-in did not change the session id of the browser, so an attacker who had planted
// one shared the victim's session afterwards.
//
// Here: the attacker leaves their own cookies in the browser in which the victim then connects, as on a shared computer.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, type ConnectedGateway, signIn, startConnected } from '../support/connected.ts'
import { pasteKey } from '../support/paste-key.ts'

const connectMethods = {
  'a sign-in': ({ gateway }: ConnectedGateway, browser: Browser) => signIn(gateway, browser),
  'a pasted key': ({ gateway }: ConnectedGateway, browser: Browser) => pasteKey(gateway, browser, 'productboard', 'key-of-the-victim')
}

for (const [method, connect] of Object.entries(connectMethods)) {
  t.test(`CVE-2023-29019: a session that the attacker planted ends with ${method}`, async t => {
    const s = await startConnected(t)
    const { browser: attacker, provider, proxy } = s
    const victim = attacker.copy()
    t.equal((await attacker.fetch(`${proxy}/x`)).status, 200, 'it is valid before')
    await connect(s, victim)
    const sent = provider.seen.api.length
    await assertProblem(t, await attacker.fetch(`${proxy}/x`), 401, 'connection_required')
    t.match(await (await attacker.fetch(`${s.gateway.url}/connections`)).json(), { connections: [{ status: 'disconnected' }] })
    t.equal(provider.seen.api.length, sent)
    t.equal((await victim.fetch(`${proxy}/x`)).status, 200)
  })

  t.test(`CVE-2023-29019: a planted sign-in does not bring ${method} into the attacker’s session`, async t => {
    const s = await startConnected(t)
    const { gateway, provider, proxy, clock } = s
    const attacker = new Browser()
    await attacker.request(`${gateway.url}/auth/productboard`)
    const victim = attacker.copy()
    await signIn(gateway, attacker)
    await attacker.fetch(`${gateway.url}/connections/productboard`, { method: 'DELETE' })
    clock.advance(2_000)
    await connect(s, victim)
    const sent = provider.seen.api.length
    await assertProblem(t, await attacker.fetch(`${proxy}/x`), 401, 'connection_required')
    t.equal(provider.seen.api.length, sent, 'no request of the attacker carries the victim’s grant')
    t.equal((await victim.fetch(`${proxy}/x`)).status, 200, 'the victim has a session of their own')
  })

  t.test(`CVE-2023-29019: a planted sign-in, finished elsewhere, does not join the session of ${method}`, async t => {
    const s = await startConnected(t)
    const { gateway, provider, proxy, clock } = s
    const victim = new Browser()
    await victim.request(`${gateway.url}/auth/productboard`)
    const attacker = victim.copy()
    await connect(s, victim)
    clock.advance(2_000)
    await signIn(gateway, attacker)
    const credentialOf = async (browser: Browser) => {
      t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
      return provider.seen.api.at(-1)?.headers.authorization
    }
    const attackerCredential = await credentialOf(attacker)
    t.not(await credentialOf(victim), attackerCredential)
  })
}

t.test('CVE-2023-29019: the victim’s invitation is not in the session of a planted sign-in', async t => {
  const { gateway, clock } = await startConnected(t)
  const attacker = new Browser()
  await attacker.request(`${gateway.url}/auth/productboard`)
  const victim = attacker.copy()
  await signIn(gateway, attacker)
  clock.advance(2_000)
  t.equal((await victim.fetch(`${gateway.url}/connections/productboard/invitation`, { method: 'POST' })).status, 201)
  const countInvitations = async (browser: Browser) => {
    const { invitations } = (await (await browser.fetch(`${gateway.url}/invitations`)).json()) as { invitations: unknown[] }
    return invitations.length
  }
  t.equal(await countInvitations(victim), 1)
  t.equal(await countInvitations(attacker), 0)
})
