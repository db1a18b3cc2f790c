import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { lookup } from 'node:dns'
import { jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { codeChallenge, createFlow } from '../../src/core/flow.ts'
import type { OAuth2Method, Provider } from '../../src/core/provider/definition.ts'
import { Secret } from '../../src/core/secret.ts'
import { createOAuthProvider, type OAuthProvider } from '../../src/oauth2/oauth-provider.ts'
import { connectionWith, oauth2With, providerWith } from '../core/support.ts'
import { playVendor, type VendorRequest, type VendorResponse } from './played-vendor.ts'

const redirectUri = 'https://gateway.example/auth/acme/callback'
const codeVerifier = 'v'.repeat(43)
const timeouts = { exchangeMs: 5_000, refreshMs: 5_000 }
const granted: VendorResponse = [200, { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3600 }]
const refused: VendorResponse = [401, { error: 'invalid_client' }]

type ProviderParts = { origin: string; method?: Partial<OAuth2Method>; definition?: Partial<Provider>; id?: string; secret?: string }

/** The provider `acme`, whose authorization server is at this origin. */
function providerAt({ origin, method = {}, definition = {}, id = 'client 1', secret = 's:e/c+r%t' }: ProviderParts) {
  const oauth2 = oauth2With({ authorizeUrl: `${origin}/authorize`, tokenUrl: `${origin}/token`, ...method })
  return createOAuthProvider({
    definition: providerWith({ ...definition, methods: { oauth2 } }),
    method: oauth2,
    client: { id, ...(secret !== '' && { secret: new Secret(secret) }), scopes: ['a:read', 'b:read'] },
    publicUrl: 'https://gateway.example',
    lookupFor: () => lookup,
    timeouts
  })
}

const flow = createFlow({ provider: 'acme', owner: '', returnTo: '/', startsSession: true }, 0)
const failureOf = ({ tokenEndpoint }: OAuthProvider) => tokenEndpoint.exchange(code).catch(error => error)
const code = { code: 'co/de', redirectUri, codeVerifier }

const codeFields = 'grant_type=authorization_code&code=co%2Fde&redirect_uri=https%3A%2F%2Fgateway.example%2Fauth%2Facme%2Fcallback'
const verifier = `&code_verifier=${codeVerifier}`
const idField = '&client_id=client%201'
const secretField = '&client_secret=s%3Ae%2Fc%2Br%25t'
const basicOf = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

type Sent = { readonly request: string; readonly authorization?: string; readonly type?: string }
const sentOf = ({ method, path, query, headers, body }: VendorRequest): Sent => ({
  request: `${method} ${path}${query === '' ? '' : `?${query}`} ${body}`,
  ...(headers.authorization !== undefined && { authorization: headers.authorization }),
  ...(headers['content-type'] !== undefined && { type: headers['content-type'] })
})

const formType = 'application/x-www-form-urlencoded'
/** A quirk of a token endpoint; all that it accepts; and a definition without the quirk, which it refuses. */
const quirks: ReadonlyArray<readonly [title: string, method: Partial<OAuth2Method>, accepted: Sent, without: Partial<OAuth2Method>]> = [
  [
    'the secret in the body',
    {},
    { request: `POST /token ${codeFields}${verifier}${idField}${secretField}`, type: formType },
    { pkce: false }
  ],
  [
    'Basic, encoded as RFC 6749 says',
    { clientAuthentication: 'basic' },
    { request: `POST /token ${codeFields}${verifier}`, authorization: basicOf('client+1:s%3Ae%2Fc%2Br%25t'), type: formType },
    { clientAuthentication: 'basic-raw' }
  ],
  [
    'Basic, not encoded',
    { clientAuthentication: 'basic-raw' },
    { request: `POST /token ${codeFields}${verifier}`, authorization: basicOf('client 1:s:e/c+r%t'), type: formType },
    { clientAuthentication: 'basic' }
  ],
  [
    'no secret, whether or not there is one',
    { clientAuthentication: 'none' },
    { request: `POST /token ${codeFields}${verifier}${idField}`, type: formType },
    {}
  ],
  [
    'no PKCE (LinkedIn, Facebook)',
    { pkce: false },
    { request: `POST /token ${codeFields}${idField}${secretField}`, type: formType },
    { pkce: 'S256' }
  ],
  [
    'other names of the client’s id and secret (TikTok)',
    { clientIdParameter: 'client_key', clientSecretParameter: 'client_pass' },
    { request: `POST /token ${codeFields}${verifier}&client_key=client%201&client_pass=s%3Ae%2Fc%2Br%25t`, type: formType },
    { clientIdParameter: 'client_key' }
  ],
  [
    'JSON',
    { tokenRequestFormat: 'json' },
    {
      request: `POST /token ${JSON.stringify({
        grant_type: 'authorization_code',
        code: 'co/de',
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
        client_id: 'client 1',
        client_secret: 's:e/c+r%t'
      })}`,
      type: 'application/json'
    },
    {}
  ],
  [
    'a GET with a query',
    { tokenRequestFormat: 'query' },
    { request: `GET /token?${codeFields}${verifier}${idField}${secretField} `.replaceAll('%20', '+') },
    {}
  ],
  [
    'a GET with a query, and Basic',
    { tokenRequestFormat: 'query', clientAuthentication: 'basic-raw' },
    { request: `GET /token?${codeFields}${verifier} `, authorization: basicOf('client 1:s:e/c+r%t') },
    { tokenRequestFormat: 'query', clientAuthentication: 'basic' }
  ],
  [
    'further parameters',
    { tokenParams: { audience: 'api' } },
    {
      request: `POST /token grant_type=authorization_code&audience=api${codeFields.slice(29)}${verifier}${idField}${secretField}`,
      type: formType
    },
    {}
  ]
]

for (const [title, method, accepted, without] of quirks) {
  t.test(`a token request with ${title}`, async t => {
    const { origin } = await playVendor(t, () => {
      const token = (request: VendorRequest) => (JSON.stringify(sentOf(request)) === JSON.stringify(accepted) ? granted : refused)
      return { 'POST /token': token, 'GET /token': token }
    })
    const grant = await providerAt({ origin, method }).tokenEndpoint.exchange(code)
    t.equal(grant.accessToken.reveal(), 'access-1')
    t.match(await failureOf(providerAt({ origin, method: without })), { kind: 'refused', reason: 'invalid_client' })
  })
}

t.test('a refresh has the same form as the exchange of a code', async t => {
  for (const [title, method] of quirks) {
    const vendor = await playVendor(t, () => ({ 'POST /token': () => granted, 'GET /token': () => granted }))
    const { tokenEndpoint } = providerAt({ origin: vendor.origin, method })
    await tokenEndpoint.exchange(code)
    await tokenEndpoint.refresh(connectionWith())
    const [exchange, refresh] = vendor.requests
    const shapeOf = (request: VendorRequest | undefined) => [
      request?.method,
      request?.headers['content-type'],
      request?.headers.authorization
    ]
    t.strictSame(shapeOf(refresh), shapeOf(exchange), title)
    const text = `${refresh?.query} ${refresh?.body}`
    t.match(text, /refresh_token.{1,3}refresh-1/, title)
    t.notMatch(text, /code/, title)
  }
})

t.test('headers of the token endpoint come with every request to it, and an endpoint may end with a slash', async t => {
  const headers = { 'user-agent': 'acme-app/1 (ops@acme.example)', accept: 'application/vnd.acme+json', 'x-version': '2026-01' }
  for (const format of ['form', 'query'] as const) {
    const method = format === 'form' ? 'POST' : 'GET'
    const vendor = await playVendor(t, () => ({
      [`${method} /oauth/token/`]: ({ headers: { accept, 'user-agent': agent, 'x-version': version } }) =>
        accept === headers.accept && agent === headers['user-agent'] && version === '2026-01'
          ? granted
          : [400, { error: 'invalid_request' }]
    }))
    const { origin } = vendor
    const at = { tokenRequestFormat: format, tokenUrl: `${origin}/oauth/token/` }
    const { tokenEndpoint } = providerAt({ origin, method: { ...at, tokenHeaders: headers } })
    await tokenEndpoint.exchange(code)
    await tokenEndpoint.refresh(connectionWith())
    t.equal(vendor.requests.length, 2)
    t.match(await failureOf(providerAt({ origin, method: at })), { reason: 'invalid_request' })
    await t.rejects(
      providerAt({ origin, method: { ...at, tokenHeaders: headers, tokenUrl: `${origin}/oauth/token` } }).tokenEndpoint.exchange(code)
    )
  }
})

t.test('the authorization request has the definition’s own names', async t => {
  const queryOf = async (method: Partial<OAuth2Method>, from = flow) => {
    const url = new URL(await providerAt({ origin: 'https://acme.example', method }).authorizeUrl(from))
    t.equal(url.origin + url.pathname, 'https://acme.example/authorize')
    return Object.fromEntries(url.searchParams)
  }
  const common = { response_type: 'code', redirect_uri: redirectUri, state: flow.state }
  const challenge = { code_challenge: codeChallenge(flow), code_challenge_method: 'S256' }
  t.strictSame(await queryOf({}), {
    response_type: 'code',
    client_id: 'client 1',
    redirect_uri: redirectUri,
    scope: 'a:read b:read',
    state: flow.state,
    ...challenge
  })
  t.strictSame(await queryOf({ pkce: false }), { ...common, client_id: 'client 1', scope: 'a:read b:read' })
  t.match(await queryOf({ pkce: 'plain' }), { code_challenge: flow.codeVerifier, code_challenge_method: 'plain' })
  t.strictSame(await queryOf({ pkce: false, clientIdParameter: 'client_key', scopeParameter: 'user_scope', scopeSeparator: ',' }), {
    ...common,
    client_key: 'client 1',
    user_scope: 'a:read,b:read'
  })
  t.match(await queryOf({ responseMode: 'form_post' }), { response_mode: 'form_post' })
})

t.test('addresses and parameters are those of each user', async t => {
  const shops: string[] = []
  const vendor = await playVendor(t, () =>
    Object.fromEntries(
      ['one', 'two'].map(shop => [
        `POST /${shop}/token`,
        ({ body }: VendorRequest): VendorResponse => {
          shops.push(shop)
          return body.includes(`shop=${shop}`) ? granted : [400, { error: 'invalid_request' }]
        }
      ])
    )
  )
  const { origin } = vendor
  const { authorizeUrl, tokenEndpoint } = providerAt({
    origin,
    definition: { parameters: { shop: { title: 'Shop', example: 'one' } } },
    method: {
      authorizeUrl: 'https://{shop}.acme.example/authorize',
      authorizeParams: { team: 'of {shop}' },
      tokenUrl: `${origin}/{shop}/token`,
      tokenParams: { shop: '{shop}' },
      refreshParams: { shop: '{shop}' }
    }
  })
  for (const shop of ['one', 'two']) {
    const url = new URL(await authorizeUrl({ ...flow, parameters: { shop } }))
    t.strictSame([url.host, url.searchParams.get('team')], [`${shop}.acme.example`, `of ${shop}`])
    await tokenEndpoint.exchange({ ...code, parameters: { shop } })
    await tokenEndpoint.refresh(connectionWith({ parameters: { shop } }))
  }
  t.strictSame(shops, ['one', 'one', 'two', 'two'])
  await t.rejects(authorizeUrl(flow), { code: 'parameters_invalid', parameter: 'shop' })
  await t.rejects(tokenEndpoint.refresh(connectionWith()), { code: 'reconnect_required' })
  t.equal(vendor.requests.length, 4, 'nothing is sent to an address that is not known')
})

t.test('a connection that was made without a parameter of the sign-in alone is renewed and revoked all the same', async t => {
  const vendor = await playVendor(t, () => ({ 'POST /token': () => granted, 'POST /revoke': () => [200, undefined] }))
  const { origin } = vendor
  const { tokenEndpoint, authorizeUrl } = providerAt({
    origin,
    definition: { parameters: { shop: { title: 'Shop', example: 'one' } } },
    method: { authorizeUrl: 'https://{shop}.acme.example/authorize', revokeUrl: `${origin}/revoke` }
  })
  await tokenEndpoint.refresh(connectionWith())
  await tokenEndpoint.revoke({ token: new Secret('refresh-1'), type: 'refresh_token' })
  t.equal(vendor.requests.length, 2)
  for (const shop of ['a/b', 'a.b/', 'evil.example#'])
    await t.rejects(authorizeUrl({ ...flow, parameters: { shop } }), { code: 'parameters_invalid', parameter: 'shop' }, shop)
})

t.test('a revocation that needs what the connection was made without is given up', async t => {
  const vendor = await playVendor(t, () => ({}))
  const { origin } = vendor
  const definition = { parameters: { shop: { title: 'Shop', example: 'one' } } }
  for (const method of [
    { revokeUrl: `${origin}/{shop}/revoke` },
    { revokeRequest: { url: `${origin}/{shop}/revoke`, params: { token: '{access_token}' } } }
  ]) {
    const { revoke } = providerAt({ origin, definition, method }).tokenEndpoint
    await t.rejects(revoke({ token: new Secret('access-1'), type: 'access_token' }), { name: 'RevocationError', isFinal: true })
  }
  t.equal(vendor.requests.length, 0)
})

const pem = ({ privateKey }: { privateKey: KeyObject }) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Takes a client that proves itself by a signature, as a vendor does. */
async function verified(
  t: Test,
  assertion: string | undefined,
  key: string,
  expected: { issuer: string; audience: string; algorithms: string[] }
) {
  const { payload, protectedHeader } = await jwtVerify(assertion ?? '', createPublicKey(key), { ...expected, subject: 'client 1' })
  t.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 300)
  t.ok(payload.jti)
  return protectedHeader
}

t.test('private_key_jwt: each request has an assertion of its own, and never the key', async t => {
  const vendor = await playVendor(t, () => ({
    'POST /token': () => granted,
    'POST /revoke': () => [200, undefined],
    'GET /token': () => granted
  }))
  const { origin } = vendor
  for (const tokenRequestFormat of ['form', 'query'] as const) {
    const method: Partial<OAuth2Method> = {
      clientAuthentication: 'private_key_jwt',
      clientAssertion: { algorithm: 'RS256', keyId: 'key-1' },
      revokeUrl: `${origin}/revoke`,
      tokenRequestFormat
    }
    // As it stands in a file of the environment, on one line.
    const { tokenEndpoint } = providerAt({ origin, method, secret: pem(rsa).replaceAll('\n', '\\n') })
    await tokenEndpoint.exchange(code)
    await tokenEndpoint.refresh(connectionWith())
    await tokenEndpoint.revoke({ token: new Secret('refresh-1'), type: 'refresh_token' })
  }
  const assertions = new Set<string>()
  t.equal(vendor.requests.length, 6)
  for (const { body, query, headers } of vendor.requests) {
    const fields = Object.fromEntries(new URLSearchParams(body === '' ? query : body))
    const assertion = fields.client_assertion ?? ''
    assertions.add(assertion)
    const { kid } = await verified(t, assertion, pem(rsa), { issuer: 'client 1', audience: `${origin}/token`, algorithms: ['RS256'] })
    t.equal(kid, 'key-1')
    t.match(fields, { client_id: 'client 1', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' })
    t.strictSame([fields.client_secret, headers.authorization], [undefined, undefined])
    t.notMatch(body + query, 'PRIVATE')
  }
  t.equal(assertions.size, 6)
})

t.test('Apple-like: an assertion is the client’s secret, for the issuer and audience that the definition says', async t => {
  const vendor = await playVendor(t, () => ({ 'POST /token': () => granted, 'POST /revoke': () => [200, undefined] }))
  const { origin } = vendor
  const { tokenEndpoint } = providerAt({
    origin,
    secret: pem(ec),
    method: {
      clientAuthentication: 'private_key_jwt',
      clientAssertion: { algorithm: 'ES256', keyId: 'KEY1', issuer: 'TEAM1', audience: 'https://appleid.example', asSecret: true },
      revokeUrl: `${origin}/revoke`
    }
  })
  await tokenEndpoint.exchange(code)
  await tokenEndpoint.refresh(connectionWith())
  await tokenEndpoint.revoke({ token: new Secret('refresh-1'), type: 'refresh_token' })
  t.equal(vendor.requests.length, 3)
  for (const { body } of vendor.requests) {
    const fields = Object.fromEntries(new URLSearchParams(body))
    t.strictSame([fields.client_id, fields.client_assertion, fields.client_assertion_type], ['client 1', undefined, undefined])
    await verified(t, fields.client_secret, pem(ec), { issuer: 'TEAM1', audience: 'https://appleid.example', algorithms: ['ES256'] })
  }
})

t.test('an assertion that a response repeats is in no error', async t => {
  for (const tokenRequestFormat of ['form', 'query'] as const) {
    const echo = ({ body, query }: VendorRequest): VendorResponse => {
      const assertion = new URLSearchParams(body === '' ? query : body).get('client_assertion')
      return [401, { error: 'invalid_client', error_description: `${assertion} is not valid` }]
    }
    const { origin } = await playVendor(t, () => ({ 'POST /token': echo, 'GET /token': echo }))
    const method = { clientAuthentication: 'private_key_jwt', clientAssertion: { algorithm: 'ES256' }, tokenRequestFormat } as const
    const failure = await failureOf(providerAt({ origin, method, secret: pem(ec) }))
    t.match(failure, { isClientRejected: true, details: { description: undefined } })
    t.notMatch(`${failure.stack} ${JSON.stringify(failure)}`, 'eyJ')
  }
})

t.test('a secret that is no private key rejects the client, in words without any of it', async t => {
  const { origin, requests } = await playVendor(t, () => ({ 'POST /token': () => granted }))
  const method = { clientAuthentication: 'private_key_jwt', clientAssertion: { algorithm: 'ES256' } } as const
  for (const secret of ['', 'canary-canary', pem(rsa), `${pem(ec).slice(0, 60)}canary`]) {
    const failure = await providerAt({ origin, method, secret })
      .tokenEndpoint.exchange(code)
      .catch(error => error)
    t.match(failure, { isClientRejected: true, message: 'the client secret is not a private key in PEM (PKCS #8) for ES256' })
    t.notMatch(`${failure.stack} ${JSON.stringify(failure)}`, 'canary')
  }
  t.equal(requests.length, 0)
})
