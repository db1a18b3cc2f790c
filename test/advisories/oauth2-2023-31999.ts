// @fastify/oauth2, CVE-2023-31999: one state, made when the process started, served every sign-in of every user. With their own
// state and code, an attacker could finish a sign-in in somebody else's browser.
//
// Here: the victim has a sign-in under way and follows a link to the callback that carries the attacker's code and state.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { problem } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

t.test('CVE-2023-31999: the attacker’s state and code do nothing in the victim’s browser, and no two sign-ins share a state', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  const [attacker, victim] = [new Browser(), new Browser()]
  const begin = async (browser: Browser) => {
    const { headers } = await browser.request(`${gateway.url}/auth/productboard`)
    return new URL(headers.get('location') ?? '').searchParams.get('state') ?? ''
  }
  const finish = (browser: Browser, code: string, state: string) =>
    browser.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ code, state })}`)

  const theirs = await begin(attacker)
  const own = await begin(victim)
  t.equal(new Set([theirs, own, await begin(attacker), await begin(victim)]).size, 4)
  for (const state of [theirs, '', 'undefined', own.slice(0, -1), `${own}x`])
    await problem(t, await finish(victim, 'code-of-the-attacker', state), 400, 'state_invalid')
  t.equal(provider.seen.token.length, 0, 'the token endpoint is asked for none of them')

  t.equal((await finish(victim, 'code-of-the-victim', own)).status, 303)
  t.equal((await finish(attacker, 'code-of-the-attacker', theirs)).status, 303)
  const codes = provider.seen.token.map(({ body }) => new URLSearchParams(body.toString()).get('code'))
  t.same(codes, ['code-of-the-victim', 'code-of-the-attacker'], 'each its own, afterwards as before')
})
