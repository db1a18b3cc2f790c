import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { signIn, startConnected } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { newKey, startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'
import { startRedis } from '../support/redis.ts'

/** Waits for this many revocation requests, which run in the background. @returns their tokens */
async function waitForRevocations({ seen }: FakeProvider, count: number): Promise<Array<string | null>> {
  while (seen.revoke.length < count) await new Promise(setImmediate)
  return seen.revoke.map(({ body }) => new URLSearchParams(body.toString()).get('token'))
}

t.test('SEC-15: signing in again revokes the previous grant and not the new one', async t => {
  const issued = ['first', 'renewed', 'second', 'last']
  const s = await startConnected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: issued.shift() })) })
  const refresh = () => s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })
  t.equal((await refresh()).status, 200)
  await signIn(s.gateway, s.browser)
  t.same(await waitForRevocations(s.provider, 1), ['renewed'])
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
  t.equal((await refresh()).status, 200)
  t.match(s.provider.seen.token.at(-1)?.body.toString(), 'refresh_token=second')
  t.equal(s.provider.seen.revoke.length, 1)
})

t.test('SEC-15: pasting a key over a grant revokes the grant', async t => {
  const s = await startConnected(t)
  t.equal((await pasteKey(s.gateway, s.browser, 'productboard', 'key')).status, 201)
  t.match(await waitForRevocations(s.provider, 1), [/^refresh-/])
})

t.test('SEC-15: a key that an invited user pastes over a grant revokes the grant', async t => {
  const s = await startConnected(t)
  const invitation = await s.browser.fetch(`${s.gateway.url}/connections/productboard/invitation`, { method: 'POST' })
  const { url } = (await invitation.json()) as { url: string }
  const guest = new Browser()
  const headers = { 'content-type': 'application/json' }
  t.equal((await guest.fetch(url, { method: 'POST', body: JSON.stringify({ apiKey: 'theirs' }), headers })).status, 201)
  t.match(await waitForRevocations(s.provider, 1), [/^refresh-/])
})

t.test('SEC-15: a rejected sign-in revokes nothing', async t => {
  const s = await startConnected(t)
  s.provider.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
  await signIn(s.gateway, s.browser)
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
  t.same(s.provider.seen.revoke, [])
})

/** Responses of a revocation endpoint, whether the grant counts as revoked, and the error code that is logged. */
const responses: Array<[what: string, status: number, type: string, body: string, isRevoked: boolean, code?: string]> = [
  ['as in RFC 7009 §2.2', 200, 'text/plain', '', true],
  ['an HTML page', 200, 'text/html', '<p>Done</p>', true],
  ['no content', 204, '', '', true],
  ['a success with ok', 200, 'application/json', '{"ok":true,"error":null}', true],
  ['an invalid token', 400, 'application/json', '{"error":"invalid_token"}', true],
  ['an invalid grant, as text', 400, 'text/plain', '{"error":"invalid_grant"}', true],
  ['an invalid token, as a form', 400, 'application/x-www-form-urlencoded', 'error=invalid_token&error_description=x', true],
  ['a revoked token in a 200', 200, 'application/json', '{"ok":false,"error":"token_revoked"}', true],
  ['a failure in a 200', 200, 'application/json', '{"ok":false}', false],
  ['an error in a 200', 200, 'text/plain', '\ufeff{"error":"internal_error"}', false, 'internal_error'],
  ['an error object', 200, 'application/json', '{"error":{"code":7}}', false],
  ['another rejection', 401, 'application/json', '{"error":"invalid_client"}', false, 'invalid_client'],
  ['a redirect', 302, '', '', false],
  ['a temporary error', 503, 'application/json', '{"error":"invalid_token"}', false, 'invalid_token'],
  ['an error page of a load balancer', 502, 'text/html', '<h1>Bad gateway</h1>', false]
]

t.test('SEC-15: an unconfirmed revocation is logged once per attempt, without what was sent', async t => {
  for (const [what, status, type, body, isRevoked, code] of responses) {
    await t.test(what, async t => {
      const s = await startConnected(t)
      s.provider.revoke = (_, r) => void r.writeHead(status, { ...(type && { 'content-type': type }), location: '/elsewhere' }).end(body)
      t.equal((await s.browser.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })).status, 204)
      const lines = s.gateway.logs.filter(line => line.includes('could not be revoked')).map(line => JSON.parse(line))
      t.equal(lines.length, isRevoked ? 0 : 1)
      if (!isRevoked) t.match(lines[0], { provider: 'productboard', nextTryInSeconds: 5, ...(code && { code }) })
      if (status >= 400 && !isRevoked) t.match(lines[0], { status })
      t.notMatch(lines.join(), /refresh-|canary/)
    })
  }
})

t.test('SEC-15: an error code that contains the token is not logged', async t => {
  const s = await startConnected(t)
  s.provider.revoke = ({ body }, r) => json(r, 400, { error: new URLSearchParams(body.toString()).get('token') })
  await s.browser.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })
  t.match(s.gateway.logs.join(''), 'could not be revoked')
  t.notMatch(s.gateway.logs.join(''), /refresh-\d/)
})

async function restart(t: Test, s: Awaited<ReturnType<typeof startConnected>>, environment: Record<string, string>) {
  await s.gateway.close()
  return startGateway(t, {
    port: Number(new URL(s.gateway.url).port),
    clock: s.clock,
    environment: { ...s.provider.environment, ...environment }
  })
}

t.test('SEC-15: a failed revocation is retried after a restart', async t => {
  const environment = { TOKEN_KEYS: newKey(), SESSION_KEYS: newKey(), DATA_DIR: t.testdir() }
  const s = await startConnected(t, { environment })
  s.provider.revoke = (_, r) => void r.writeHead(503).end()
  await s.browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' })
  t.equal(s.provider.seen.revoke.length, 1)
  s.provider.revoke = (_, r) => void r.writeHead(200).end()
  s.clock.advance(5_000)
  await restart(t, s, environment)
  const [first, second] = await waitForRevocations(s.provider, 2)
  t.match(first, /^refresh-/)
  t.equal(second, first)
})

t.test('SEC-15: the grant of an expired session is revoked, with either store', async t => {
  for (const url of [undefined, (await startRedis(t)).url]) {
    const provider = await startFakeProvider(t)
    const environment = { ...provider.environment, SESSION_IDLE: '1', ...(url !== undefined && { REDIS_URL: url }) }
    const gateway = await startGateway(t, { environment })
    await signIn(gateway, new Browser())
    t.match(await waitForRevocations(provider, 1), [/^refresh-/])
  }
})

t.test('SEC-15: a token refreshed during a new sign-in is revoked', async t => {
  const s = await startConnected(t)
  const tokenRequest = Promise.withResolvers<() => void>()
  s.provider.token = (_, r) => tokenRequest.resolve(() => json(r, 200, tokens({ refresh_token: 'replaced' })))
  const refreshing = s.browser.copy().fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })
  const respond = await tokenRequest.promise
  s.provider.token = (_, r) => json(r, 200, tokens({ refresh_token: 'newest' }))
  s.clock.advance(1)
  await signIn(s.gateway, s.browser)
  respond()
  t.equal((await refreshing).status, 200)
  const revoked = await waitForRevocations(s.provider, 2)
  t.ok(revoked.includes('replaced'))
  t.notOk(revoked.includes('newest'))
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
})
