import t, { type Test } from 'tap'
import type { OAuth2Method } from '../../src/core/provider/definition.ts'
import { assertConnectError } from '../support/connected.ts'
import { fieldsOf, type PlayedGateway, playGateway, playVendor, type VendorRequest, type VendorResponse } from './played-vendor.ts'

/** Requests of a vendor's own form, played by vendors that refuse every other one. */

const hour = 3600_000
const day = 24 * hour
const invalidGrant: VendorResponse = [400, { error: 'invalid_grant' }]
const basic = `Basic ${Buffer.from('client-1:s3cret').toString('base64')}`

/** An API that takes one bearer token, which a test may change. */
const apiOf =
  (token: () => string) =>
  ({ headers }: VendorRequest): VendorResponse =>
    headers.authorization === `Bearer ${token()}` ? [200, { fine: true }] : [401, { error: 'token_expired' }]

async function connect(t: Test, played: PlayedGateway): Promise<void> {
  const { status, headers } = await played.signIn()
  t.strictSame([status, headers.get('location')], [303, '/'], 'the sign-in connects')
}

/** Disconnects and waits until the revocation has ended. */
async function disconnect(t: Test, { gateway, disconnect }: PlayedGateway): Promise<void> {
  t.equal((await disconnect()).status, 204)
  await gateway.services.revocation.close(5_000)
}

t.test('Slack-like: two shapes of a response, refusals in a 200, and a refresh that rotates', async t => {
  let refreshes = 0
  const vendor = await playVendor(t, () => ({
    'POST /token': request => {
      const { grant_type, code, refresh_token } = fieldsOf(request)
      if (grant_type === 'refresh_token') {
        if (refresh_token !== `refresh-${refreshes}`) return [200, { ok: false, error: 'invalid_refresh_token' }]
        refreshes++
        const next = { access_token: `access-${refreshes}`, refresh_token: `refresh-${refreshes}`, expires_in: 43_200 }
        return [200, { ok: true, ...next, token_type: 'user', scope: 'a,b' }]
      }
      if (code !== 'code-1') return [200, { ok: false, error: 'bad_client_secret' }]
      const user = { id: 'U1', access_token: 'access-0', refresh_token: 'refresh-0', expires_in: 43_200, token_type: 'user', scope: 'a,b' }
      return [200, { ok: true, access_token: 'bot-token', token_type: 'bot', scope: 'c', team: { id: 'T1' }, authed_user: user }]
    },
    'GET /api/things': apiOf(() => `access-${refreshes}`)
  }))
  const method: Partial<OAuth2Method> = {
    scopeParameter: 'user_scope',
    scopeSeparator: ',',
    tokenResponse: {
      accessToken: '/authed_user/access_token',
      refreshToken: '/authed_user/refresh_token',
      expiresIn: '/authed_user/expires_in',
      scope: '/authed_user/scope',
      tokenType: 'bot'
    },
    refreshResponse: { tokenType: 'user' },
    values: { bot_token: { from: 'token', pointer: '/access_token', secret: true, example: 'xoxb-1' } },
    refusals: [{ pointer: '/error', oneOf: ['invalid_refresh_token'], means: 'invalid_grant' }]
  }
  const played = await playGateway(t, vendor.origin, method)
  await connect(t, played)
  t.match((await played.connection())?.value, { scopes: ['a', 'b'], values: { bot_token: 'bot-token' } })
  for (const expected of [1, 2]) {
    played.clock.advance(13 * hour)
    t.equal((await played.call()).status, 200)
    t.equal((await played.connection())?.value.credential.reveal(), `access-${expected}`)
  }
  t.strictSame((await played.connection())?.value.values, { bot_token: 'bot-token' })

  refreshes = 7
  played.clock.advance(13 * hour)
  t.equal((await played.call()).headers.get('grantkeeper-error'), 'reconnect_required', 'a refusal in a 200 ends the grant')
  assertConnectError(t, await played.signIn({ code: 'x' }), 'client_rejected')

  const { refreshResponse: _, ...without } = method
  refreshes = 0
  const other = await playGateway(t, vendor.origin, without)
  await connect(t, other)
  other.clock.advance(13 * hour)
  t.equal((await other.call()).status, 502, 'in the shape of the sign-in, the response to a refresh has no token')
})

t.test('GitHub-like: a grant is revoked by DELETE, with the client as user and the token in JSON', async t => {
  const vendor = await playVendor(t, () => ({
    'POST /token': () => [200, { access_token: 'gho_1', token_type: 'bearer', scope: 'repo,user' }],
    'DELETE /applications/client-1/grant': ({ headers, body }) =>
      headers.authorization === basic && headers.accept === 'application/vnd.github+json' && body === '{"access_token":"gho_1"}'
        ? [204, undefined]
        : [404, { message: 'Not Found' }]
  }))
  const played = await playGateway(t, vendor.origin, {
    revokeRequest: {
      url: `${vendor.origin}/applications/{client_id}/grant`,
      method: 'DELETE',
      format: 'json',
      params: { access_token: '{access_token}' },
      headers: { accept: 'application/vnd.github+json' },
      basic: { username: '{client_id}', password: '{client_secret}' }
    }
  })
  await connect(t, played)
  await disconnect(t, played)
  t.strictSame(vendor.sent('/applications/client-1/grant'), ['DELETE /applications/client-1/grant {"access_token":"gho_1"}'])
  t.equal(vendor.requests.at(-1)?.headers['content-type'], 'application/json')
  t.equal(played.gateway.services.revocation.pendingCount(), 0)
  t.notMatch(played.gateway.logs.join(''), /could not be revoked/)
})

/** The revocations of vendors that do not follow RFC 7009, and what each sends. */
const revocations: ReadonlyArray<
  readonly [title: string, (origin: string) => OAuth2Method['revokeRequest'] & object, request: string, authorization?: string]
> = [
  [
    'HubSpot-like, with the refresh token in the path',
    origin => ({ url: `${origin}/refresh-tokens/{refresh_token}`, method: 'DELETE' }),
    'DELETE /refresh-tokens/re%20fresh%3D1 '
  ],
  [
    'Square-like, with the client’s secret in the header',
    origin => ({
      url: `${origin}/oauth2/revoke`,
      format: 'json',
      params: { client_id: '{client_id}', access_token: '{access_token}' },
      headers: { authorization: 'Client {client_secret}' }
    }),
    'POST /oauth2/revoke {"client_id":"client-1","access_token":"access-1"}',
    'Client s3cret'
  ],
  [
    'Dropbox-like, with the token to revoke as bearer and no body',
    origin => ({ url: `${origin}/2/auth/token/revoke`, headers: { authorization: 'Bearer {access_token}' } }),
    'POST /2/auth/token/revoke ',
    'Bearer access-1'
  ],
  [
    'Facebook-like, with the token in the query',
    origin => ({ url: `${origin}/me/permissions`, method: 'DELETE', format: 'query', params: { access_token: '{access_token}' } }),
    'DELETE /me/permissions?access_token=access-1 '
  ]
]

for (const [title, revokeRequestAt, expected, authorization] of revocations) {
  t.test(`a revocation ${title}`, async t => {
    const vendor = await playVendor(t, () => ({
      'POST /token': () => [200, { access_token: 'access-1', refresh_token: 'ref-1', expires_in: 3600 }]
    }))
    const played = await playGateway(t, vendor.origin, { revokeRequest: revokeRequestAt(vendor.origin) })
    await connect(t, played)
    await disconnect(t, played)
    const { method, path, query, body, headers } = vendor.requests.at(-1) ?? { headers: {} as VendorRequest['headers'] }
    t.equal(`${method} ${path}${query === '' ? '' : `?${query}`} ${body}`, expected.replace('re%20fresh%3D1', 'ref-1'))
    t.equal(headers.authorization, authorization)
  })
}

t.test('a revocation that takes the refresh token is not sent for a grant without one', async t => {
  const vendor = await playVendor(t, () => ({ 'POST /token': () => [200, { access_token: 'access-1' }] }))
  const played = await playGateway(t, vendor.origin, {
    revokeRequest: { url: `${vendor.origin}/refresh-tokens/{refresh_token}`, method: 'DELETE' }
  })
  await connect(t, played)
  await disconnect(t, played)
  t.equal(vendor.requests.length, 1)
})

t.test('an access token that has expired is renewed to revoke the grant with it', async t => {
  let current = 'access-1'
  let failures = 1
  const vendor = await playVendor(t, () => ({
    'POST /token': request => {
      const { grant_type, refresh_token } = fieldsOf(request)
      if (grant_type === 'authorization_code') return [200, { access_token: current, refresh_token: 'refresh-1', expires_in: 14_400 }]
      if (refresh_token !== 'refresh-1') return invalidGrant
      current = 'access-2'
      return [200, { access_token: current, refresh_token: 'refresh-2', expires_in: 14_400 }]
    },
    'POST /revoke': ({ headers }) => {
      if (headers.authorization !== `Bearer ${current}`) return [401, { error: { '.tag': 'expired_access_token' } }]
      return failures-- > 0 ? [503, 'busy'] : [200, null]
    }
  }))
  const played = await playGateway(t, vendor.origin, {
    revokeRequest: { url: `${vendor.origin}/revoke`, headers: { authorization: 'Bearer {access_token}' } }
  })
  await connect(t, played)
  current = 'another'
  t.equal((await played.disconnect()).status, 204)
  const { revocation, store } = played.gateway.services
  t.match(played.gateway.logs.join(''), /could not be revoked; it will be retried/)
  t.equal(vendor.requests.filter(({ path }) => path === '/revoke').length, 2)
  // The refresh token was rotated for it: the retry has the next one.
  played.clock.advance(6_000)
  revocation.start()
  while (vendor.requests.filter(({ path }) => path === '/revoke').length < 3) await store.changes.waitForChange('never', 50)
  await revocation.close(5_000)
  t.strictSame(
    vendor.requests.filter(({ path }) => path === '/revoke').map(({ headers }) => headers.authorization),
    ['Bearer access-1', 'Bearer access-2', 'Bearer access-2']
  )
  t.equal(vendor.sent('/token').length, 2)
})

t.test('Facebook-like: a token is exchanged for a longer one, which is renewed with itself', async t => {
  let newest = 0
  const tokens = (seconds: number): VendorResponse => [200, { access_token: `long-${++newest}`, token_type: 'bearer', expires_in: seconds }]
  const vendor = await playVendor(t, () => ({
    'GET /token': ({ query }) => {
      const { grant_type, fb_exchange_token, client_id, client_secret, code, redirect_uri, ...others } = fieldsOf({
        body: query
      } as VendorRequest)
      if (client_id !== 'client-1' || client_secret !== 's3cret' || Object.keys(others).length > 0)
        return [400, { error: { type: 'OAuthException', code: 101 } }]
      if (grant_type === 'authorization_code' && code && redirect_uri) return [200, { access_token: 'short', expires_in: 3600 }]
      if (fb_exchange_token !== 'short' && fb_exchange_token !== `long-${newest}`)
        return [400, { error: { type: 'OAuthException', code: 190 } }]
      return tokens(7 * 3600)
    },
    'GET /api/things': apiOf(() => `long-${newest}`),
    'DELETE /me/permissions': ({ query }) =>
      query === `access_token=long-${newest}` ? [200, { success: true }] : [400, { error: { code: 190 } }]
  }))
  const longer = {
    url: `${vendor.origin}/token`,
    method: 'GET',
    params: {
      grant_type: 'fb_exchange_token',
      client_id: '{client_id}',
      client_secret: '{client_secret}',
      fb_exchange_token: '{access_token}'
    }
  } as const
  const method: Partial<OAuth2Method> = {
    pkce: false,
    tokenRequestFormat: 'query',
    upgradeRequest: longer,
    refreshRequest: longer,
    refusals: [{ pointer: '/error/code', oneOf: [190], means: 'invalid_grant' }],
    revokeRequest: { url: `${vendor.origin}/me/permissions`, method: 'DELETE', format: 'query', params: { access_token: '{access_token}' } }
  }
  const played = await playGateway(t, vendor.origin, method)
  await connect(t, played)
  t.equal((await played.connection())?.value.credential.reveal(), 'long-1')
  t.equal((await played.call()).status, 200)
  t.equal(vendor.sent('/token').length, 2, 'a code and a longer token')

  played.clock.advance(4 * hour)
  const [status] = await Promise.all(Array.from({ length: 5 }, async () => (await played.call()).status))
  t.equal(status, 200)
  t.equal(vendor.sent('/token').length, 3, 'renewed once, and long before it ends')
  t.match(vendor.sent('/token').at(-1), 'fb_exchange_token=long-1')
  t.equal((await played.connection())?.value.refreshToken?.reveal(), 'long-2')

  await disconnect(t, played)
  t.strictSame(vendor.sent('/me/permissions'), ['DELETE /me/permissions?access_token=long-2'])

  const other = await playGateway(t, vendor.origin, method)
  await connect(t, other)
  other.clock.advance(8 * hour)
  newest++
  t.equal((await other.call()).headers.get('grantkeeper-error'), 'reconnect_required', 'a token that is over cannot be renewed')
  assertConnectError(
    t,
    await (await playGateway(t, vendor.origin, { ...method, pkce: 'S256' })).signIn(),
    'provider_error',
    'it refuses PKCE'
  )
})

t.test('Instagram-like: the account comes with the first token, and the second is refreshed by GET', async t => {
  const vendor = await playVendor(t, () => ({
    'POST /token': () => [200, { access_token: 'short', user_id: 178, permissions: ['basic'] }],
    'GET /access_token': ({ query }) =>
      query === 'grant_type=ig_exchange_token&client_secret=s3cret&access_token=short'
        ? [200, { access_token: 'long-1', token_type: 'bearer', expires_in: 5_184_000 }]
        : [400, { error: { code: 101 } }],
    'GET /refresh_access_token': ({ query }) =>
      query === 'grant_type=ig_refresh_token&access_token=long-1'
        ? [200, { access_token: 'long-2', token_type: 'bearer', expires_in: 5_184_000 }]
        : [400, { error: { code: 190 } }],
    'GET /api/things': apiOf(() => 'long-2')
  }))
  const { origin } = vendor
  const played = await playGateway(t, origin, {
    account: { from: 'token', id: '/user_id' },
    values: { user_id: { from: 'token', pointer: '/user_id', example: '1' } },
    upgradeRequest: {
      url: `${origin}/access_token`,
      method: 'GET',
      params: { grant_type: 'ig_exchange_token', client_secret: '{client_secret}', access_token: '{access_token}' }
    },
    refreshRequest: {
      url: `${origin}/refresh_access_token`,
      method: 'GET',
      params: { grant_type: 'ig_refresh_token', access_token: '{access_token}' }
    }
  })
  await connect(t, played)
  const stored = (await played.connection())?.value
  t.match([stored?.accountId, stored?.values, stored?.credential.reveal()], ['178', { user_id: '178' }, 'long-1'])
  t.equal((await played.call()).status, 200, 'renewed after a refusal')
  t.equal(vendor.sent('/refresh_access_token').length, 1)
  t.equal((await played.connection())?.value.credential.reveal(), 'long-2')
})

t.test('a token that cannot be exchanged for a longer one connects nothing, and is revoked', async t => {
  const vendor = await playVendor(t, () => ({
    'POST /token': () => [200, { access_token: 'short' }],
    'GET /longer': () => [400, { error: { message: 'not for short', code: 1 } }],
    'POST /revoke': () => [200, undefined]
  }))
  const played = await playGateway(t, vendor.origin, {
    revokeUrl: `${vendor.origin}/revoke`,
    upgradeRequest: { url: `${vendor.origin}/longer`, method: 'GET', params: { access_token: '{access_token}' } }
  })
  assertConnectError(t, await played.signIn(), 'provider_unavailable')
  await played.gateway.services.revocation.close(5_000)
  t.match(vendor.sent('/revoke'), [/token=short/])
  t.equal(await played.connection(), undefined)
  t.notMatch(played.gateway.logs.join(''), 'short')
})

t.test('Square-like: the end of a token is a date', async t => {
  let expiresAt: unknown
  const vendor = await playVendor(t, () => ({
    'POST /token': () => [200, { access_token: 'access-1', refresh_token: 'refresh-1', expires_at: expiresAt }],
    'GET /api/things': () => [200, {}]
  }))
  const method: Partial<OAuth2Method> = {
    clientAuthentication: 'body',
    tokenRequestFormat: 'json',
    tokenHeaders: { 'square-version': '2026-01-22' },
    tokenResponse: { expiresAt: '/expires_at' }
  }
  const played = await playGateway(t, vendor.origin, method)
  const at = Math.floor(played.clock.now() / 1000) * 1000 + 30 * day
  for (const value of [
    new Date(at).toISOString(),
    new Date(at).toISOString().replace(/\.000Z$/, '+00:00'),
    at / 1000,
    at,
    String(at / 1000)
  ]) {
    expiresAt = value
    await connect(t, played)
    t.equal((await played.connection())?.value.expiresAtMs, at, String(value))
  }
  for (const value of ['soon', '2026-13-45T00:00:00Z', {}, [], -1, 0, 1e30, new Date(at - 60 * day).toISOString()]) {
    expiresAt = value
    await connect(t, played)
    t.equal((await played.connection())?.value.expiresAtMs, undefined, String(value))
  }
  expiresAt = new Date(played.clock.now() + 3 * hour).toISOString()
  await connect(t, played)
  const before = vendor.sent('/token').length
  played.clock.advance(3 * hour - 90_000)
  await played.call()
  t.equal(vendor.sent('/token').length, before)
  played.clock.advance(60_000)
  await played.call()
  t.equal(vendor.sent('/token').length, before + 1, 'renewed a minute before')
  t.ok(vendor.requests.every(({ path, headers }) => path !== '/token' || headers['square-version'] === '2026-01-22'))
})

t.test('TikTok-like: the client has other names, in the authorization request too', async t => {
  const vendor = await playVendor(t, () => ({
    'POST /token': request => {
      const { client_key, client_id, client_secret } = fieldsOf(request)
      return client_key === 'client-1' && client_id === undefined && client_secret === 's3cret'
        ? [200, { access_token: 'access-1', open_id: 'o1' }]
        : [200, { error: 'invalid_client', error_description: 'Client key is missing' }]
    }
  }))
  const played = await playGateway(t, vendor.origin, { clientIdParameter: 'client_key', scopeSeparator: ',' })
  const query = (await played.begin()).searchParams
  t.strictSame([query.get('client_key'), query.get('client_id')], ['client-1', null])
  await connect(t, played)
  assertConnectError(t, await (await playGateway(t, vendor.origin, {})).signIn(), 'client_rejected')
})
