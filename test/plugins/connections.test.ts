import t from 'tap'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, type ConnectedGateway, signIn, startConnected } from '../support/connected.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { pasteKey } from '../support/paste-key.ts'

const disconnect = ({ gateway, browser }: ConnectedGateway): Promise<Response> =>
  browser.fetch(`${gateway.url}/connections/productboard`, { method: 'DELETE' })

const refresh = ({ gateway }: Pick<ConnectedGateway, 'gateway'>, browser: Browser, init: RequestInit = {}): Promise<Response> =>
  browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST', ...init })

const list = async ({ gateway }: ConnectedGateway, browser: Browser): Promise<ConnectionView[]> => {
  const response = await browser.request(`${gateway.url}/connections`)
  return ((await response.json()) as { connections: ConnectionView[] }).connections
}

t.test('the list without a session shows how to connect', async t => {
  const s = await startConnected(t)
  t.same(Object.keys((await list(s, new Browser()))[0] ?? {}).sort(), ['connectUrl', 'methods', 'provider', 'status', 'title'])
})

t.test('the list shows all details of a connection except its credential', async t => {
  const s = await startConnected(t)
  s.clock.advance(1000)
  await s.browser.fetch(`${s.proxy}/x`)
  const [view] = await list(s, s.browser)
  t.match(view, {
    provider: 'productboard',
    title: 'Productboard',
    status: 'connected',
    methods: ['oauth2'],
    method: 'oauth2',
    scopes: ['entities:read', 'notes:read', 'members:read'],
    connectUrl: `${s.gateway.url}/connect/productboard`
  })
  t.equal(Date.parse(view?.connectedAt ?? ''), s.clock.now() - 1000)
  t.equal(Date.parse(view?.expiresAt ?? ''), s.clock.now() - 1000 + 3600_000)
  t.equal(Date.parse(view?.lastUsedAt ?? ''), s.clock.now())
  t.notMatch(JSON.stringify(view), /access-|refresh-/)
})

t.test('SEC-15: a disconnect deletes the connection, then revokes its refresh token at the provider', async t => {
  const s = await startConnected(t)
  let statusDuringRevocation: string | undefined
  s.provider.revoke = async (_, r) => {
    statusDuringRevocation = (await list(s, s.browser))[0]?.status
    r.writeHead(200).end()
  }
  const response = await disconnect(s)
  t.equal(response.status, 204)
  t.equal(await response.text(), '')
  t.equal(statusDuringRevocation, 'disconnected')
  const body = new URLSearchParams(s.provider.seen.revoke[0]?.body.toString())
  t.match(Object.fromEntries(body), { token: /^refresh-/, token_type_hint: 'refresh_token', client_id: 'client-1' })
  await assertProblem(t, await s.browser.fetch(`${s.proxy}/x`), 401, 'connection_required')
})

t.test('SEC-15: a second disconnect succeeds and revokes nothing', async t => {
  const s = await startConnected(t)
  for (let i = 0; i < 2; i++) t.equal((await disconnect(s)).status, 204)
  t.equal(s.provider.seen.revoke.length, 1)
})

t.test('SEC-15: a disconnect succeeds although the provider’s revocation endpoint fails', async t => {
  const s = await startConnected(t)
  s.provider.revoke = (_, r) => void r.writeHead(503).end()
  t.equal((await disconnect(s)).status, 204)
  t.equal((await list(s, s.browser))[0]?.status, 'disconnected')
})

t.test('SEC-20: signing out ends every connection and every copy of the cookie', async t => {
  const s = await startConnected(t)
  const copy = s.browser.copy()
  const response = await s.browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' })
  t.equal(response.status, 204)
  t.equal(s.browser.cookies.size, 0, 'the browser’s cookies are cleared')
  await assertProblem(t, await copy.fetch(`${s.proxy}/x`), 401, 'connection_required')
  t.equal((await list(s, copy))[0]?.status, 'disconnected')
  t.match(s.provider.seen.revoke[0]?.body.toString(), /refresh-/)
})

t.test('signing out without a session succeeds', async t => {
  const { gateway } = await startConnected(t)
  t.equal((await new Browser().fetch(`${gateway.url}/logout`, { method: 'POST' })).status, 204)
})

t.test('a refresh renews the token at once and shows the connection', async t => {
  const s = await startConnected(t)
  s.clock.advance(5000)
  const response = await refresh(s, s.browser, { headers: { 'content-type': 'application/json' } })
  t.equal(response.status, 200)
  const view = (await response.json()) as ConnectionView
  t.equal(Date.parse(view.expiresAt ?? ''), s.clock.now() + 3600_000)
  t.equal(s.provider.seen.token.length, 2)
  t.notMatch(JSON.stringify(view), /access-|refresh-/)
})

t.test('a refresh of an ended grant requires a new connection', async t => {
  const s = await startConnected(t)
  s.provider.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
  await assertProblem(t, await refresh(s, s.browser), 401, 'reconnect_required')
  t.equal((await list(s, s.browser))[0]?.status, 'reconnect_required')
})

t.test('a refresh without a connection is refused', async t => {
  await assertProblem(t, await refresh(await startConnected(t), new Browser()), 401, 'connection_required')
})

t.test('a refresh changes nothing for keys or valid grants without a refresh token', async t => {
  const s = await startConnected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: undefined })) })
  const keyBrowser = new Browser()
  t.equal((await pasteKey(s.gateway, keyBrowser, 'productboard', 'key')).status, 201)
  const tokenRequests = s.provider.seen.token.length
  for (const [browser, method] of [
    [s.browser, 'oauth2'],
    [keyBrowser, 'api_key']
  ] as const) {
    const response = await refresh(s, browser)
    t.equal(response.status, 200)
    t.match(await response.json(), { status: 'connected', method })
    t.equal((await browser.fetch(`${s.proxy}/x`)).status, 200)
  }
  t.equal(s.provider.seen.token.length, tokenRequests)
})

t.test('a refresh of an expired grant without a refresh token requires a new connection', async t => {
  const s = await startConnected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: undefined })) })
  s.clock.advance(3600_000)
  await assertProblem(t, await refresh(s, s.browser), 401, 'reconnect_required')
})

t.test('a request with an expired token and no refresh token requires a new connection', async t => {
  const s = await startConnected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: undefined })) })
  s.provider.api = (_, r) => json(r, 401, {})
  s.clock.advance(3600_000)
  await assertProblem(t, await s.browser.fetch(`${s.proxy}/x`), 401, 'reconnect_required')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-24: every state-changing request needs the CSRF header, even without a body', async t => {
  const s = await startConnected(t)
  for (const [method, path] of [
    ['POST', '/logout'],
    ['DELETE', '/connections/productboard'],
    ['POST', '/connections/productboard/refresh']
  ] as const) {
    await assertProblem(t, await s.browser.request(s.gateway.url + path, { method }), 403, 'csrf_rejected')
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])
      await assertProblem(t, await s.browser.fetch(s.gateway.url + path, { method, headers }), 403, 'csrf_rejected')
  }
  t.equal((await list(s, s.browser))[0]?.status, 'connected')
})

t.test('a disconnect wins over a renewal in flight, whose new grant is revoked', async t => {
  const s = await startConnected(t)
  s.provider.api = (seen, r) => (seen.headers.authorization === 'Bearer late' ? json(r, 200, {}) : json(r, 401, {}))
  const tokenRequest = Promise.withResolvers<() => void>()
  s.provider.token = (_, r) => tokenRequest.resolve(() => json(r, 200, tokens({ access_token: 'late', refresh_token: 'late-refresh' })))
  const response = s.browser.fetch(`${s.proxy}/x`)
  const respond = await tokenRequest.promise
  t.equal((await disconnect(s)).status, 204)
  const revoked = new Promise<string>(resolve => {
    s.provider.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  respond()
  await assertProblem(t, await response, 401, 'connection_required')
  t.match(await revoked, /late-refresh/)
  t.equal((await list(s, s.browser))[0]?.status, 'disconnected')
})

t.test('a sign-in whose session signs out meanwhile connects nothing and revokes its grant', async t => {
  const ignition = await startFakeProvider(t, 'IGNITION')
  const s = await startConnected(t, { environment: ignition.environment })
  const tokenRequest = Promise.withResolvers<() => void>()
  ignition.token = (_, r) => tokenRequest.resolve(() => json(r, 200, tokens({ refresh_token: 'too-late' })))
  const copy = s.browser.copy()
  const pending = signIn(s.gateway, s.browser, 'ignition')
  const respond = await tokenRequest.promise
  await copy.fetch(`${s.gateway.url}/logout`, { method: 'POST' })
  const revoked = new Promise<string>(resolve => {
    ignition.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  respond()
  const response = await pending
  t.equal(response.status, 400)
  t.equal(response.headers.get('grantkeeper-error'), 'state_invalid')
  t.match(await revoked, /too-late/)
})

t.test('default session limits allow two idle weeks and three months of daily use', async t => {
  const s = await startConnected(t)
  const day = 24 * 3600_000
  const status = async () => (await s.browser.fetch(`${s.proxy}/x`)).status
  s.clock.advance(14 * day - 1)
  t.equal(await status(), 200, 'after two weeks')
  const refusedOn: number[] = []
  for (let n = 15; n < 90; n++) {
    s.clock.advance(day)
    if ((await status()) !== 200) refusedOn.push(n)
  }
  t.strictSame(refusedOn, [], 'used every day')
  s.clock.advance(2 * day)
  t.equal(await status(), 401, 'the absolute limit')
})

const sessionLimits = { SESSION_IDLE: '100', SESSION_MAX: '300' }

t.test('SEC-21: a session in use ends at its absolute limit', async t => {
  const s = await startConnected(t, {
    environment: sessionLimits,
    token: (_, r) => json(r, 200, tokens({ expires_in: 86400 }))
  })
  const status = async () => (await s.browser.fetch(`${s.proxy}/x`)).status
  for (let i = 0; i < 4; i++) {
    s.clock.advance(70_000)
    t.equal(await status(), 200, `used after ${(i + 1) * 70} s`)
  }
  s.clock.advance(19_000)
  t.equal(await status(), 200, '299 s')
  s.clock.advance(1_000)
  t.equal(await status(), 401, '300 s: the absolute limit')
})

t.test('SEC-21: a session that is not used ends at its idle limit', async t => {
  const s = await startConnected(t, { environment: sessionLimits })
  s.clock.advance(100_000)
  await assertProblem(t, await s.browser.fetch(`${s.proxy}/x`), 401, 'connection_required')
})
