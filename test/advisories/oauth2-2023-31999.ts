// @fastify/oauth2, CVE-2023-31999: one state, created at the start of the process, was used for every sign-in. With their own state and
// code, an attacker could finish a sign-in in another user's browser.
//
// Here: the victim has a sign-in in flight and follows a link to the callback with the attacker's code and state.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

t.test('CVE-2023-31999: the attacker’s state is invalid in the victim’s browser', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  const [attacker, victim] = [new Browser(), new Browser()]
  const startSignIn = async (browser: Browser) => {
    const { headers } = await browser.request(`${gateway.url}/auth/productboard`)
    return new URL(headers.get('location') ?? '').searchParams.get('state') ?? ''
  }
  const finish = (browser: Browser, code: string, state: string) =>
    browser.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ code, state })}`)

  const attackerState = await startSignIn(attacker)
  const victimState = await startSignIn(victim)
  t.equal(new Set([attackerState, victimState, await startSignIn(attacker), await startSignIn(victim)]).size, 4)
  for (const state of [attackerState, '', 'undefined', victimState.slice(0, -1), `${victimState}x`])
    await assertProblem(t, await finish(victim, 'code-of-the-attacker', state), 400, 'state_invalid')
  t.equal(provider.seen.token.length, 0, 'the token endpoint gets no request')

  t.equal((await finish(victim, 'code-of-the-victim', victimState)).status, 303)
  t.equal((await finish(attacker, 'code-of-the-attacker', attackerState)).status, 303)
  const codes = provider.seen.token.map(({ body }) => new URLSearchParams(body.toString()).get('code'))
  t.same(codes, ['code-of-the-victim', 'code-of-the-attacker'], 'each browser still finishes its own sign-in')
})
