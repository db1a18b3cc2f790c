import t from 'tap'
import { createLoginFlow, isLoginFlowExpired, loginFlowLifetimeMs } from '../../../src/core/users/login-flow.ts'

t.test('SEC-50: each sign-in of a user has its own state, nonce and verifier', async t => {
  const flows = Array.from({ length: 100 }, () => createLoginFlow('/', 0))
  const values = flows.flatMap(({ state, nonce, codeVerifier }) => [state, nonce, codeVerifier])
  t.equal(new Set(values).size, 300)
  // RFC 9700: 128 bits, in base64url; RFC 7636 §4.1: 43 characters at least.
  for (const { state, nonce, codeVerifier } of flows) {
    t.match(state, /^[\w-]{22,}$/)
    t.match(nonce, /^[\w-]{22,}$/)
    t.match(codeVerifier, /^[\w-]{43,128}$/)
  }
})

t.test('a sign-in of a user expires after ten minutes', async t => {
  const flow = createLoginFlow('/projects?tab=1', 5_000)
  t.match(flow, { returnTo: '/projects?tab=1', startedAtMs: 5_000 })
  t.equal(loginFlowLifetimeMs, 600_000)
  t.notOk(isLoginFlowExpired(flow, 604_999))
  t.ok(isLoginFlowExpired(flow, 605_000))
})
