import { lookup } from 'node:dns'
import t, { type Test } from 'tap'
import type { ApiKeyMethod } from '../../src/core/provider/definition.ts'
import type { RequestTemplate } from '../../src/core/provider/request-template.ts'
import { Secret } from '../../src/core/secret.ts'
import { createKeyExchange } from '../../src/oauth2/key-exchange.ts'
import { apiKeyWith, connectionWith, providerWith } from '../core/support.ts'
import { fieldsOf, type PlayedGateway, playGateway, playVendor, type VendorRequest, type VendorResponse } from './played-vendor.ts'

const hour = 3600_000
const field = { title: 'Field', example: 'x' }

/** A client credentials grant (RFC 6749 §4.4) with the user's own client. */
const clientCredentialsAt = (origin: string): ApiKeyMethod & { readonly tokenRequest: RequestTemplate } => ({
  ...apiKeyWith({ in: 'header', name: 'authorization', prefix: 'Bearer ' }),
  fields: { client: field, key: { ...field, secret: true } },
  tokenRequest: {
    url: `${origin}/token`,
    params: { grant_type: 'client_credentials', scope: 'things' },
    basic: { username: '{client}', password: '{key}' }
  },
  revokeRequest: {
    url: `${origin}/revoke`,
    params: { token: '{access_token}' },
    basic: { username: '{client}', password: '{key}' }
  }
})

const basicOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
const usersClient = basicOf('their-client:their:s&cret')
const key = new Secret('their:s&cret')
const parameters = { client: 'their-client' }

/** Issues tokens to the user's client, while it is one, and serves the newest. */
async function playClientCredentials(t: Test) {
  const state = { issued: 0, isClient: true, refused: 0 }
  const vendor = await playVendor(t, () => ({
    'POST /token': request => {
      const { grant_type, scope, ...others } = fieldsOf(request)
      const isForm = grant_type === 'client_credentials' && scope === 'things' && Object.keys(others).length === 0
      if (!isForm) return [400, { error: 'invalid_request' }]
      if (!state.isClient || request.headers.authorization !== usersClient) return [401, { error: 'invalid_client' }]
      state.issued++
      return [200, { access_token: `access-${state.issued}`, token_type: 'Bearer', expires_in: 3600, refresh_token: 'never-used' }]
    },
    'GET /api/me': ({ headers }) => [headers.authorization === `Bearer access-${state.issued}` ? 200 : 401, {}],
    'POST /revoke': request =>
      request.headers.authorization === usersClient && request.body === `token=access-${state.issued}` ? [200, undefined] : [401, {}],
    'GET /api/things': ({ headers }): VendorResponse => {
      if (headers.authorization === `Bearer access-${state.issued}`) return [200, { fine: true }]
      state.refused++
      return [401, {}]
    }
  }))
  return { vendor, state }
}

/** A browser that is connected by such a key. */
async function connectByKey(t: Test) {
  const { vendor, state } = await playClientCredentials(t)
  const played = await playGateway(t, vendor.origin, {}, { apiKey: clientCredentialsAt(vendor.origin) })
  const connect = (secret = key.reveal()) =>
    played.browser.fetch(`${played.gateway.url}/connections/acme`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ fields: { ...parameters, key: secret } })
    })
  const response = await connect()
  t.equal(response.status, 201)
  t.notMatch(await response.text(), /s&cret|access-1/)
  return { ...played, vendor, state, connect }
}

const tokenRequests = ({ requests }: { requests: readonly VendorRequest[] }) => requests.filter(({ path }) => path === '/token').length
const callManyTimes = ({ call }: Pick<PlayedGateway, 'call'>) =>
  Promise.all(Array.from({ length: 20 }, async () => (await call()).status)).then(statuses => [...new Set(statuses)])

t.test('client credentials are exchanged for a token, and the client stays what renews it', async t => {
  const { connection, call, vendor } = await connectByKey(t)
  const stored = (await connection())?.value
  t.strictSame(
    [stored?.method, stored?.credential.reveal(), stored?.refreshToken?.reveal(), stored?.parameters],
    ['api_key', 'access-1', key.reveal(), parameters]
  )
  t.equal((await call()).status, 200)
  t.strictSame(vendor.sent('/token'), ['POST /token grant_type=client_credentials&scope=things'])
})

t.test('a client that the vendor refuses, or whose token it does not take, connects nothing', async t => {
  const { connect, connection, gateway, vendor, state } = await connectByKey(t)
  for (const refuse of [
    () => connect('another'),
    () => {
      state.isClient = false
      return connect()
    }
  ]) {
    const response = await refuse()
    t.match([response.status, response.headers.get('grantkeeper-error')], [422, 'api_key_rejected'])
  }
  t.equal((await connection())?.value.credential.reveal(), 'access-1', 'the connection from before stays')
  t.equal(vendor.sent('/token').length, 3)
  t.notMatch(gateway.logs.join(''), /s&cret|access-1/)
})

t.test('SEC-13: a token of a key is renewed once, ahead of its end and after a refusal', async t => {
  const played = await connectByKey(t)
  const { clock, vendor, state } = played
  clock.advance(hour - 30_000)
  t.strictSame(await callManyTimes(played), [200])
  t.strictSame([tokenRequests(vendor), state.refused], [2, 0], 'ahead of its end')

  state.issued++
  t.strictSame(await callManyTimes(played), [200])
  t.equal(tokenRequests(vendor), 3, 'after a refusal')
  t.equal((await played.connection())?.value.refreshToken?.reveal(), key.reveal())
})

t.test('a client that the vendor does not know any more ends the connection, and not the gateway’s client', async t => {
  const { clock, call, state, gateway, connection } = await connectByKey(t)
  state.isClient = false
  clock.advance(2 * hour)
  t.equal((await call()).headers.get('grantkeeper-error'), 'reconnect_required')
  t.match((await connection())?.value, { status: 'reconnect_required', method: 'api_key' })
  t.equal((await connection())?.value.refreshToken, undefined, 'the key is not kept')
  const log = gateway.logs.join('')
  t.match(log, /"method":"api_key","reason":"invalid_grant"/)
  t.notMatch(log, /rejects this gateway's OAuth client|s&cret/)
})

t.test('SEC-15: the token of a key that is disconnected is revoked, with the key', async t => {
  const { disconnect, gateway, vendor } = await connectByKey(t)
  t.equal((await disconnect()).status, 204)
  await gateway.services.revocation.close(5_000)
  t.strictSame(vendor.sent('/revoke'), ['POST /revoke token=access-1'])
  t.notMatch(gateway.logs.join(''), /could not be revoked/)
})

const exchangeAt = (origin: string, change: Partial<ApiKeyMethod> = {}) => {
  const method = { ...clientCredentialsAt(origin), ...change }
  const definition = providerWith({ methods: { apiKey: method } })
  return createKeyExchange({
    definition,
    method,
    clientId: 'client-1',
    lookupFor: () => lookup,
    timeouts: { exchangeMs: 2_000, refreshMs: 2_000 }
  })
}

t.test('what a vendor refuses is the user’s, and what it cannot say is nobody’s', async t => {
  let response: VendorResponse = [200, {}]
  const vendor = await playVendor(t, () => ({ 'POST /token': () => response }))
  const failure = () =>
    exchangeAt(vendor.origin)
      .exchange(key, parameters)
      .catch(error => error)
  for (const refused of [
    [401, { error: 'invalid_client' }],
    [400, { error: 'invalid_client' }],
    [400, { error: 'invalid_grant' }],
    [400, { error: 'unauthorized_client' }],
    [401, { message: 'Bad credentials' }],
    [401, 'who are you?'],
    [200, { error: 'invalid_client' }]
  ] as const) {
    response = refused
    t.match(await failure(), { name: 'TokenEndpointError', isInvalidGrant: true, isClientRejected: false }, JSON.stringify(refused))
  }
  for (const refused of [
    [400, { error: 'invalid_scope' }],
    [403, { error: 'access_denied' }]
  ] as const) {
    response = refused
    t.match(await failure(), { isInvalidGrant: false, isRejection: true }, JSON.stringify(refused))
  }
  for (const unclear of [
    [500, {}],
    [503, { error: 'invalid_client_later' }],
    [429, { error: 'rate' }],
    [200, 'hello'],
    [200, {}],
    [302, {}]
  ] as const) {
    response = unclear
    t.match(await failure(), { name: 'TokenEndpointError', isInvalidGrant: false, isRejection: false }, JSON.stringify(unclear))
  }
})

t.test('a key that cannot stand in the request is refused without one', async t => {
  const vendor = await playVendor(t, () => ({}))
  const exchange = exchangeAt(vendor.origin, { tokenRequest: { url: `${vendor.origin}/keys/{key}/token` } })
  for (const bad of ['../admin', 'a/b', '..'])
    t.match(await exchange.exchange(new Secret(bad)).catch(error => error), { isInvalidGrant: true, message: /^[^/.]+\{key\}[^/.]+$/ }, bad)
  t.equal(vendor.requests.length, 0)
})

t.test('values come from the key and from the response, and what is learnt is of use in the request', async t => {
  let body: Record<string, unknown> = { token: { value: 'access-1', ttl: 60 }, server: 'https://eu1.acme.com' }
  const vendor = await playVendor(t, () => ({ 'POST /eu1/token': () => [200, body] }))
  const exchange = exchangeAt(vendor.origin, {
    fields: { key: { ...field, secret: true } },
    tokenRequest: { url: `${vendor.origin}/{region}/token`, format: 'json', params: { secret: '{key}', app: '{client_id}' } },
    tokenResponse: { accessToken: '/token/value', expiresIn: '/token/ttl' },
    values: {
      region: { from: 'key', pattern: '.*-([a-z]{2}\\d)', example: 'eu1' },
      server: { from: 'token', pointer: '/server', suffix: '.acme.com', example: 'https://eu1.acme.com' }
    }
  })
  const grant = await exchange.exchange(new Secret('abc"{x}-eu1'))
  t.match(grant, { expiresInMs: 60_000, values: { region: 'eu1', server: 'https://eu1.acme.com' } })
  t.strictSame(
    vendor.sent('/eu1/token'),
    ['POST /eu1/token {"secret":"abc\\"{x}-eu1","app":"client-1"}'],
    'each value once, and none as a template'
  )

  body = { token: { value: 'access-2' }, server: 'https://evil.example' }
  const unusable = await exchange.exchange(new Secret('abc-eu1')).catch(error => error)
  t.match(unusable, { kind: 'invalid_value', message: 'the provider’s server is not at a host of the provider' })
  t.equal(unusable.grant.accessToken.reveal(), 'access-2', 'to be revoked')
  const renewed = await exchange.refresh(
    connectionWith({ method: 'api_key', refreshToken: new Secret('abc-eu1'), values: { region: 'eu1' } })
  )
  t.match(renewed, { ignoredValues: ['server'] })
  await t.rejects(exchange.exchange(new Secret('no-region')), { name: 'LearntValueError' })
  await t.rejects(exchange.refresh(connectionWith({ method: 'api_key' })), { code: 'reconnect_required' })
})
