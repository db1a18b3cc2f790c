import t from 'tap'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import { Browser } from '../support/browser.ts'
import { type Connected, connected, problem, signIn } from '../support/connected.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { pasteKey } from '../support/paste-key.ts'

const list = async ({ gateway }: Connected, browser: Browser): Promise<ConnectionView[]> => {
  const response = await browser.request(`${gateway.url}/connections`)
  return ((await response.json()) as { connections: ConnectionView[] }).connections
}

t.test('the list shows everything of a connection but its credential', async t => {
  const s = await connected(t)
  t.same(Object.keys((await list(s, new Browser()))[0] ?? {}).sort(), ['connectUrl', 'methods', 'provider', 'status', 'title'])
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
    connectUrl: `${s.gateway.url}/auth/productboard`
  })
  t.equal(Date.parse(view?.connectedAt ?? ''), s.clock.now() - 1000)
  t.equal(Date.parse(view?.expiresAt ?? ''), s.clock.now() - 1000 + 3600_000)
  t.equal(Date.parse(view?.lastUsedAt ?? ''), s.clock.now())
  t.notMatch(JSON.stringify(view), /access-|refresh-/)
})

t.test('SEC-15: disconnecting ends the connection here first, and then revokes the refresh token there', async t => {
  const s = await connected(t)
  let statusDuringRevocation: string | undefined
  s.provider.revoke = async (_, r) => {
    statusDuringRevocation = (await list(s, s.browser))[0]?.status
    r.writeHead(200).end()
  }
  const response = await s.browser.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })
  t.equal(response.status, 204)
  t.equal(await response.text(), '')
  t.equal(statusDuringRevocation, 'disconnected')
  const asked = new URLSearchParams(s.provider.seen.revoke[0]?.body.toString())
  t.match(Object.fromEntries(asked), { token: /^refresh-/, token_type_hint: 'refresh_token', client_id: 'client-1' })
  await problem(t, await s.browser.fetch(`${s.proxy}/x`), 401, 'connection_required')
  t.equal(
    (await s.browser.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })).status,
    204,
    'a second time changes nothing'
  )
  t.equal(s.provider.seen.revoke.length, 1)
})

t.test('SEC-15: a provider that cannot revoke now keeps nobody from disconnecting', async t => {
  const s = await connected(t)
  s.provider.revoke = (_, r) => void r.writeHead(503).end()
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })).status, 204)
  t.equal((await list(s, s.browser))[0]?.status, 'disconnected')
})

t.test('SEC-20: signing out ends every connection and every copy of the cookie', async t => {
  const s = await connected(t)
  const copy = s.browser.copy()
  const response = await s.browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' })
  t.equal(response.status, 204)
  t.equal(s.browser.cookies.size, 0, 'the browser’s cookies are cleared')
  await problem(t, await copy.fetch(`${s.proxy}/x`), 401, 'connection_required')
  t.equal((await list(s, copy))[0]?.status, 'disconnected')
  t.match(s.provider.seen.revoke[0]?.body.toString(), /refresh-/)
  t.equal((await new Browser().fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status, 204, 'without a session as well')
})

t.test('a refresh renews now and shows the connection', async t => {
  const s = await connected(t)
  s.clock.advance(5000)
  const response = await s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' }
  })
  t.equal(response.status, 200)
  const view = (await response.json()) as ConnectionView
  t.equal(Date.parse(view.expiresAt ?? ''), s.clock.now() + 3600_000)
  t.equal(s.provider.seen.token.length, 2)
  t.notMatch(JSON.stringify(view), /access-|refresh-/)

  s.provider.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
  await problem(
    t,
    await s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' }),
    401,
    'reconnect_required'
  )
  t.equal((await list(s, s.browser))[0]?.status, 'reconnect_required')
  await problem(
    t,
    await new Browser().fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' }),
    401,
    'connection_required'
  )
})

t.test('a refresh leaves a connection as it is when there is nothing to renew it with, and it has not ended', async t => {
  const s = await connected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: undefined })) })
  const keyed = new Browser()
  t.equal((await pasteKey(s.gateway, keyed, 'productboard', 'key')).status, 201)
  const asked = s.provider.seen.token.length
  for (const [browser, method] of [
    [s.browser, 'oauth2'],
    [keyed, 'api_key']
  ] as const) {
    const refreshed = await browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })
    t.equal(refreshed.status, 200)
    t.match(await refreshed.json(), { status: 'connected', method })
    t.equal((await browser.fetch(`${s.proxy}/x`)).status, 200)
  }
  t.equal(s.provider.seen.token.length, asked)
  s.clock.advance(3600_000)
  const ended = await s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })
  await problem(t, ended, 401, 'reconnect_required')
})

t.test('a connection without a refresh token asks for a new sign-in when its token ends', async t => {
  const s = await connected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: undefined })) })
  s.provider.api = (_, r) => json(r, 401, {})
  s.clock.advance(3600_000)
  await problem(t, await s.browser.fetch(`${s.proxy}/x`), 401, 'reconnect_required')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-24: whatever changes something asks for the header, a POST without a body included', async t => {
  const s = await connected(t)
  for (const [method, path] of [
    ['POST', '/logout'],
    ['DELETE', '/connections/productboard'],
    ['POST', '/connections/productboard/refresh']
  ] as const) {
    await problem(t, await s.browser.request(s.gateway.url + path, { method }), 403, 'csrf_rejected')
    await problem(
      t,
      await s.browser.fetch(s.gateway.url + path, { method, headers: { origin: 'https://evil.example' } }),
      403,
      'csrf_rejected'
    )
    await problem(
      t,
      await s.browser.fetch(s.gateway.url + path, { method, headers: { 'sec-fetch-site': 'cross-site' } }),
      403,
      'csrf_rejected'
    )
  }
  t.equal((await list(s, s.browser))[0]?.status, 'connected')
})

t.test('a disconnect while a renewal is under way wins, and what was granted meanwhile is revoked', async t => {
  const s = await connected(t)
  s.provider.api = (seen, r) => (seen.headers.authorization === 'Bearer late' ? json(r, 200, {}) : json(r, 401, {}))
  const asked = Promise.withResolvers<() => void>()
  s.provider.token = (_, r) => asked.resolve(() => json(r, 200, tokens({ access_token: 'late', refresh_token: 'late-refresh' })))
  const call = s.browser.fetch(`${s.proxy}/x`)
  const answer = await asked.promise
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' })).status, 204)
  const revoked = new Promise<string>(resolve => {
    s.provider.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  answer()
  await problem(t, await call, 401, 'connection_required')
  t.match(await revoked, /late-refresh/)
  t.equal((await list(s, s.browser))[0]?.status, 'disconnected')
})

t.test('a sign-in that ends after its session was signed out keeps nothing, and revokes what it got', async t => {
  const ignition = await startFakeProvider(t, 'IGNITION')
  const two = await connected(t, { environment: ignition.environment })
  const asked = Promise.withResolvers<() => void>()
  ignition.token = (_, r) => asked.resolve(() => json(r, 200, tokens({ refresh_token: 'too-late' })))
  const copy = two.browser.copy()
  const finishing = signIn(two.gateway, two.browser, 'ignition')
  const answer = await asked.promise
  await copy.fetch(`${two.gateway.url}/logout`, { method: 'POST' })
  const revoked = new Promise<string>(resolve => {
    ignition.revoke = (seen, r) => {
      r.writeHead(200).end()
      resolve(seen.body.toString())
    }
  })
  answer()
  const response = await finishing
  t.equal(response.status, 400)
  t.equal(response.headers.get('grantkeeper-error'), 'state_invalid')
  t.match(await revoked, /too-late/)
})

t.test('a weekend, a holiday of two weeks and daily use from month to month cost nobody a connection', async t => {
  const s = await connected(t)
  const day = 24 * 3600_000
  const status = async () => (await s.browser.fetch(`${s.proxy}/x`)).status
  s.clock.advance(14 * day - 1)
  t.equal(await status(), 200, 'after a holiday')
  const refusedOn: number[] = []
  for (let on = 15; on < 90; on++) {
    s.clock.advance(day)
    if ((await status()) !== 200) refusedOn.push(on)
  }
  t.strictSame(refusedOn, [], 'used every day')
  s.clock.advance(2 * day)
  t.equal(await status(), 401, 'the absolute limit')
})

t.test('SEC-21: a session ends when it is idle, and at its absolute limit however much it is used', async t => {
  const s = await connected(t, {
    environment: { SESSION_IDLE: '100', SESSION_MAX: '300' },
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

  const idle = await connected(t, { environment: { SESSION_IDLE: '100', SESSION_MAX: '300' } })
  idle.clock.advance(100_000)
  await problem(t, await idle.browser.fetch(`${idle.proxy}/x`), 401, 'connection_required')
})
