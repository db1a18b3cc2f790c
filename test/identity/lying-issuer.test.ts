import { createHmac, generateKeyPairSync } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { type JWTPayload, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { GatewayError } from '../../src/core/errors.ts'
import { Secret } from '../../src/core/secret.ts'
import { createLookup } from '../../src/upstream/lookup.ts'
import { fixedLookup } from '../support/dns.ts'
import { json } from '../support/fake-provider.ts'
import { newSigningKey } from '../support/jwt-issuer.ts'
import { clientOf, complete, type LyingIssuer, startLyingIssuer } from './login-support.ts'

const seconds = (fromNow: number) => Math.floor(Date.now() / 1000) + fromNow

async function failureOf(t: Test, work: Promise<unknown>): Promise<GatewayError> {
  const error = await work.then(
    () => t.fail('it was accepted'),
    error => error
  )
  if (!(error instanceof GatewayError)) throw error
  t.notMatch(`${error.stack} ${JSON.stringify(error)}`, /canary/, 'nothing secret is repeated')
  return error
}

async function start(t: Test, change: Parameters<typeof clientOf>[1] = {}) {
  const issuer = await startLyingIssuer(t)
  return { issuer, ...clientOf(issuer, change) }
}

t.test('a correct id token is accepted', async t => {
  const { issuer, client, newFlow } = await start(t)
  const flow = newFlow()
  t.match(await complete(client, issuer, flow), { kind: 'signed_in', user: { subject: 'ada-1', name: 'Ada' } })
  t.match(await client.authorizationUrl(flow), /\/authorize\?tenant=1&client_id=/, 'the query of the endpoint stays')
})

t.test('SEC-50: an id token with a wrong claim is refused', async t => {
  const { issuer, client, newFlow } = await start(t)
  const cases: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>]> = [
    ['another nonce', { nonce: 'other' }],
    ['no nonce', { nonce: undefined }],
    ['another audience', { aud: 'client-2' }],
    ['several audiences without azp', { aud: ['client-1', 'client-2'] }],
    ['several audiences and another azp', { aud: ['client-1', 'client-2'], azp: 'client-2' }],
    ['another azp', { azp: 'client-2' }],
    ['another issuer', { iss: 'https://evil.example.com' }],
    ['the issuer with a slash', { iss: `${issuer.issuer}/` }],
    ['expired', { exp: seconds(-61) }],
    ['no end', { exp: undefined }],
    ['issued in the future', { iat: seconds(90) }],
    ['issued long ago', { iat: seconds(-3600) }],
    ['issued at no time', { iat: undefined }],
    ['not valid yet', { nbf: seconds(90) }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject with a line break', { sub: 'ada\n1' }],
    ['a subject of 256 characters', { sub: 'a'.repeat(256) }],
    ['a subject that is no text', { sub: 7 }]
  ]
  for (const [title, claims] of cases) {
    const error = await failureOf(t, complete(client, issuer, newFlow(), claims))
    t.equal(error.code, 'state_invalid', `${title}: ${error.message}`)
  }
  t.match(await complete(client, issuer, newFlow(), { aud: ['client-1', 'client-2'], azp: 'client-1' }), { kind: 'signed_in' })
  t.match(await complete(client, issuer, newFlow(), { exp: seconds(-30) }), { kind: 'signed_in' }, 'clocks may differ by a minute')
})

t.test('the times of an id token are compared with the clock that is passed in', async t => {
  const { issuer, client, newFlow, clock } = await start(t)
  clock.advance(-20 * 60_000)
  const claims = { iat: seconds(-20 * 60), exp: seconds(-15 * 60) }
  t.match(await complete(client, issuer, newFlow(), claims), { kind: 'signed_in' })
})

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs with the public key, as text, for the secret. */
function withHmac(claims: JWTPayload, publicKey: string): string {
  const input = `${encode({ alg: 'HS256', kid: 'key-1' })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', publicKey).update(input).digest('base64url')}`
}

t.test('SEC-44: an id token that no key of the issuer signed is refused', async t => {
  const { issuer, client, newFlow } = await start(t)
  // Announced by the issuer, and refused all the same.
  issuer.metadata = { id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none', 'RS256'] }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  const signed = (claims: JWTPayload, header: object) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(privateKey)
  const forgeries: Readonly<Record<string, LyingIssuer['idToken']>> = {
    'alg none': claims => `${encode({ alg: 'none' })}.${encode(claims)}.`,
    'HMAC with the public key': claims => withHmac(claims, JSON.stringify(jwk)),
    'HMAC with the client’s id': claims => withHmac(claims, 'client-1'),
    'another key under the same kid': claims => signed(claims, { kid: 'key-1' }),
    'the type of an access token': claims => issuer.sign(claims, { typ: 'at+jwt' }),
    'a type that is no text': claims => issuer.sign(claims, { typ: 7 }),
    'an unknown kid': claims => signed(claims, { kid: 'key-2' }),
    'a key in the header': claims => signed(claims, { jwk }),
    'a key set in the header': claims => signed(claims, { kid: 'key-2', jku: 'https://evil.example.com/jwks' }),
    'a changed payload': async claims => {
      const [header, , signature] = (await issuer.sign(claims)).split('.')
      return `${header}.${encode({ ...claims, sub: 'grace-2' })}.${signature}`
    },
    'no JWT': () => 'canary',
    'no id token': () => undefined as unknown as string
  }
  for (const [title, idToken] of Object.entries(forgeries)) {
    issuer.idToken = idToken
    const error = await failureOf(t, complete(client, issuer, newFlow()))
    t.equal(error.code, 'state_invalid', `${title}: ${error.message}`)
  }
})

t.test('SEC-47: unknown keys cause one request in 30 s', async t => {
  const { issuer, client, newFlow, clock } = await start(t)
  await complete(client, issuer, newFlow())
  issuer.idToken = claims => issuer.sign(claims, { kid: 'key-2' })
  for (let i = 0; i < 5; i++) await failureOf(t, complete(client, issuer, newFlow()))
  t.equal(issuer.fetchesOfKeys(), 2)
  clock.advance(29_999)
  await failureOf(t, complete(client, issuer, newFlow()))
  t.equal(issuer.fetchesOfKeys(), 2)
  clock.advance(1)
  for (let i = 0; i < 5; i++) await failureOf(t, complete(client, issuer, newFlow()))
  t.equal(issuer.fetchesOfKeys(), 3)
})

t.test('a token without kid is verified by whichever key fits', async t => {
  const { issuer, client, newFlow } = await start(t)
  const other = newSigningKey('other').jwk
  issuer.keys.unshift(other)
  issuer.idToken = claims => issuer.sign(claims, { kid: undefined })
  t.match(await complete(client, issuer, newFlow()), { kind: 'signed_in' })
})

t.test('with LOGIN_MAX_AGE an old sign-in is refused', async t => {
  const { issuer, client, newFlow } = await start(t, { maxAgeSeconds: 300 })
  t.equal((await failureOf(t, complete(client, issuer, newFlow()))).code, 'state_invalid', 'auth_time is missing')
  t.equal((await failureOf(t, complete(client, issuer, newFlow(), { auth_time: seconds(-400) }))).code, 'state_invalid')
  t.match(await complete(client, issuer, newFlow(), { auth_time: seconds(-200) }), { kind: 'signed_in' })
})

t.test('with LOGIN_ACR_VALUES a token without acr is refused', async t => {
  const { issuer, client, newFlow } = await start(t, { acrValues: ['mfa'] })
  for (const acr of [undefined, 'pwd', ['mfa', 'pwd'], 7])
    t.equal((await failureOf(t, complete(client, issuer, newFlow(), { acr }))).code, 'state_invalid', String(acr))
})

t.test('SEC-47: metadata that cannot be trusted are not used', async t => {
  const { issuer, client, newFlow, clock } = await start(t)
  const metadata: Readonly<Record<string, Record<string, unknown>>> = {
    'another issuer': { issuer: 'https://evil.example.com' },
    'the issuer with a slash': { issuer: `${issuer.issuer}/` },
    'no issuer': { issuer: undefined },
    'no token endpoint': { token_endpoint: undefined },
    'a script for a page': { authorization_endpoint: 'javascript:alert(1)' },
    'keys in a file': { jwks_uri: 'file:///etc/passwd' }
  }
  for (const [title, change] of Object.entries(metadata)) {
    issuer.metadata = change
    const error = await failureOf(t, client.authorizationUrl(newFlow()))
    t.match(error, { code: 'issuer_unavailable', retryAfter: 5 }, `${title}: ${error.message}`)
    clock.advance(5_000)
  }
  issuer.metadata = {}
  t.match(await client.authorizationUrl(newFlow()), issuer.issuer, 'it is used once it is correct')
})

t.test('SEC-47: in production no issuer on a private address is asked', async t => {
  const { issuer } = await start(t)
  const lookupFor = createLookup({ production: true, providers: new Map() }, fixedLookup('127.0.0.1'))
  const { port } = new URL(issuer.issuer)
  for (const host of ['127.0.0.1', 'issuer.example', '[::1]', '169.254.169.254']) {
    const { client, newFlow } = clientOf({ issuer: `http://${host}:${port}`, clientId: 'client-1' }, { lookupFor })
    const error = await failureOf(t, client.authorizationUrl(newFlow()))
    t.match(error, { code: 'issuer_unavailable', message: /not public/ }, host)
  }
  t.strictSame(issuer.requests, [])
})

t.test('a token endpoint that fails tells whose fault it is', async t => {
  const { issuer, client, newFlow } = await start(t, { fetchTimeoutMs: 300 })
  const cases: ReadonlyArray<readonly [string, string, Parameters<typeof issuer.handlers.set>[1]]> = [
    ['503', 'issuer_unavailable', (_, response) => json(response, 503, { error: 'canary' }, { 'retry-after': '7' })],
    ['429', 'issuer_unavailable', (_, response) => json(response, 429, { error: 'invalid_request' })],
    ['redirect', 'issuer_unavailable', (_, response) => void response.writeHead(307, { location: '/x' }).end()],
    ['silent', 'issuer_unavailable', () => {}],
    ['reset', 'issuer_unavailable', (_, response) => void response.destroy()],
    ['400 invalid_grant', 'state_invalid', (_, response) => json(response, 400, { error: 'invalid_grant', error_description: 'canary' })],
    ['400 unauthorized_client', 'client_rejected', (_, response) => json(response, 400, { error: 'unauthorized_client' })],
    ['400 of its own', 'client_rejected', (_, response) => json(response, 400, { error: 'canary' })],
    ['401 invalid_client', 'client_rejected', (_, response) => json(response, 401, { error: 'invalid_client' })],
    ['401 with a challenge', 'client_rejected', (_, response) => json(response, 401, {}, { 'www-authenticate': 'Basic realm="canary"' })],
    ['200 without tokens', 'state_invalid', (_, response) => json(response, 200, { error: 'canary' })],
    ['200 without JSON', 'state_invalid', (_, response) => void response.writeHead(200).end('canary')]
  ]
  for (const [title, code, handler] of cases) {
    issuer.handlers.set('/token', handler)
    const error = await failureOf(t, complete(client, issuer, newFlow()))
    t.equal(error.code, code, `${title}: ${error.message}`)
    if (title === '503') t.equal(error.retryAfter, 7)
  }
})

t.test('a client is authenticated in the way that the issuer accepts', async t => {
  const { issuer, client, newFlow } = await start(t, { clientSecret: new Secret('s:ecret canary') })
  const respond = issuer.handlers.get('/token')
  const seen: string[] = []
  const only = (isAccepted: (authorization: string | undefined, form: URLSearchParams) => boolean) =>
    issuer.handlers.set('/token', async (request, response) => {
      const { authorization } = request.headers
      seen.push(authorization === undefined ? 'post' : 'basic')
      if (!isAccepted(authorization, new URLSearchParams(await text(request)))) return json(response, 401, { error: 'invalid_client' })
      return respond?.(request, response)
    })
  const isPost = (_: string | undefined, form: URLSearchParams) =>
    form.get('client_id') === 'client-1' && form.get('client_secret') === 's:ecret canary'
  // RFC 6749 §2.3.1: both are form-encoded before they are joined.
  const isBasic = (authorization: string | undefined) => authorization === `Basic ${btoa('client%2D1:s%3Aecret+canary')}`

  only(isPost)
  t.match(await complete(client, issuer, newFlow()), { kind: 'signed_in' })
  t.strictSame(seen.splice(0), ['basic', 'post'], 'Basic is the default')

  const other = clientOf(issuer, { clientSecret: new Secret('s:ecret canary') })
  issuer.metadata = { token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'] }
  only(isBasic)
  t.match(await complete(other.client, issuer, other.newFlow()), { kind: 'signed_in' })
  t.match(await complete(other.client, issuer, other.newFlow()), { kind: 'signed_in' })
  t.strictSame(seen.splice(0), ['post', 'basic', 'basic'], 'what was accepted is used from then on')

  only(isPost)
  t.match(await complete(other.client, issuer, other.newFlow()), { kind: 'signed_in' }, 'the registration may change')

  only(() => false)
  t.equal((await failureOf(t, complete(other.client, issuer, other.newFlow()))).code, 'client_rejected')
})

t.test('userinfo that is slow, wrong or about somebody else is left out', async t => {
  const { issuer, client, newFlow } = await start(t, { userInfoTimeoutMs: 100 })
  issuer.metadata = { userinfo_endpoint: `${issuer.issuer}/me` }
  const responses: Readonly<Record<string, Parameters<typeof issuer.handlers.set>[1]>> = {
    'of another subject': (_, response) => json(response, 200, { sub: 'grace-2', name: 'Grace' }),
    silent: () => {},
    'an error': (_, response) => json(response, 500, {}),
    'no JSON': (_, response) => void response.writeHead(200).end('x')
  }
  for (const [title, handler] of Object.entries(responses)) {
    issuer.handlers.set('/me', handler)
    const result = await complete(client, issuer, newFlow(), { name: undefined, preferred_username: 'ada' })
    t.match(result, { kind: 'signed_in', user: { subject: 'ada-1', name: 'ada' } }, title)
  }
  issuer.handlers.set('/me', (_, response) => json(response, 200, { sub: 'ada-1', name: 'Ada\nof userinfo' }))
  t.match(await complete(client, issuer, newFlow(), { name: undefined }), { user: { name: 'Adaof userinfo' } })
})

t.test('claims that are no text are left out', async t => {
  const { issuer, client, newFlow } = await start(t)
  const result = await complete(client, issuer, newFlow(), { name: { canary: 1 }, email: 7, sid: ['x'] })
  t.strictSame(result.kind === 'signed_in' && Object.keys(result.user), ['subject', 'idToken'])
})

t.test('without an end-session endpoint there is no page to sign out', async t => {
  const { issuer, client } = await start(t)
  for (const end_session_endpoint of [undefined, 'javascript:alert(1)', 7]) {
    issuer.metadata = { end_session_endpoint }
    t.equal(await client.endSessionUrl({ postLogoutRedirectUri: 'http://localhost:3000/' }), undefined)
  }
})
