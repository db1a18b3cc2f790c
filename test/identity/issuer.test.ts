import { lookup } from 'node:dns'
import t, { type Test } from 'tap'
import { createEvents, type GatewayEvents } from '../../src/core/events.ts'
import { Secret } from '../../src/core/secret.ts'
import { createLoginFlow } from '../../src/core/users/login-flow.ts'
import { createBearerTokens } from '../../src/identity/bearer-tokens.ts'
import { createIssuer } from '../../src/identity/issuer.ts'
import { createLoginClient } from '../../src/identity/login-client.ts'
import { TestClock } from '../support/gateway.ts'
import { newSigningKey, startJwtIssuer } from '../support/jwt-issuer.ts'
import { ada, startOpenidIssuer } from '../support/openid-issuer.ts'
import { paramsOf, redirectUri } from './login-support.ts'
import { audience, setUp } from './support.ts'

const minuteMs = 60_000
const discovery = '/.well-known/openid-configuration'
const unavailable = { code: 'issuer_unavailable', status: 503 }

/** An identity provider at which users sign in and whose access tokens are accepted. */
async function startShared(t: Test) {
  const provider = await startOpenidIssuer(t, { redirectUris: [redirectUri] })
  const { issuer: name, clientId } = provider
  const clock = new TestClock()
  const events = createEvents()
  const published: string[] = []
  for (const event of ['issuer.unavailable', 'issuer.available'] as const satisfies Array<keyof GatewayEvents>)
    events.subscribe(event, () => void published.push(event))
  const lookupFor = () => lookup
  const issuer = createIssuer({ issuer: name, isForLogin: true, clock, events, lookupFor })
  t.teardown(() => issuer.close())
  const shared = { issuer, clock, events, lookupFor }
  const bearerTokens = createBearerTokens({
    jwt: {
      issuer: name,
      audiences: [audience],
      userClaim: 'sub',
      keys: { kind: 'issuer', issuer: name, jwksUrl: undefined, trustedOrigins: [] }
    },
    loginClientId: clientId,
    ...shared
  })
  const clientSecret = new Secret(String(provider.environment.LOGIN_CLIENT_SECRET))
  const client = createLoginClient({ config: { issuer: name, clientId, clientSecret, scopes: ['openid'] }, redirectUri, ...shared })

  async function signIn() {
    const flow = createLoginFlow('/', clock.now())
    const result = await client.complete(paramsOf(await provider.signInAt(await client.authorizationUrl(flow), ada)), flow)
    if (result.kind !== 'signed_in') throw new Error(`nobody is signed in: ${result.error}`)
    return result.user
  }

  const requestsOf = (path: string) => provider.requests.filter(request => request === `GET ${path}`).length
  const verify = async (token: string) => bearerTokens.verify(token)
  return { provider, issuer, clock, events, published, bearerTokens, client, signIn, verify, requestsOf }
}

t.test('a sign-in and bearer tokens share the issuer’s metadata and keys', async t => {
  const { provider, signIn, verify, requestsOf } = await startShared(t)
  t.equal((await signIn()).subject, 'ada-1')
  t.match(await verify(await provider.accessToken(ada, audience)), { userId: 'ada-1' })
  t.match([requestsOf(discovery), requestsOf('/jwks')], [1, 1])
})

t.test('what a preload has fetched serves both', async t => {
  const { provider, client, bearerTokens, signIn, verify, requestsOf } = await startShared(t)
  await Promise.all([client.preload(), bearerTokens.preload()])
  await signIn()
  await verify(await provider.accessToken(ada, audience))
  t.match([requestsOf(discovery), requestsOf('/jwks')], [1, 1])
})

t.test('SEC-47: a key that one has fetched is known to the other', async t => {
  const { provider, client, signIn, verify, requestsOf } = await startShared(t)
  await signIn()
  await provider.rotateKeys()
  await verify(await provider.accessToken(ada, audience))
  t.match(await client.verifyLogoutToken(await provider.logoutToken({ sub: 'ada-1' })), { subject: 'ada-1' })
  await t.rejects(client.verifyLogoutToken(await provider.logoutToken({}, { kid: 'other' })), { name: 'LogoutTokenError' })
  t.equal(requestsOf('/jwks'), 2, 'both have one request for unknown keys in 30 s')
})

t.test('SEC-46: no token of one kind passes as another', async t => {
  const { provider, client, signIn, verify } = await startShared(t)
  const { idToken } = await signIn()
  await t.rejects(verify(idToken.reveal()), { code: 'token_invalid' }, 'an id token as bearer')
  await t.rejects(verify(await provider.logoutToken({ aud: audience, sub: 'ada-1' })), { code: 'token_invalid', message: /kind/ })
  for (const token of [idToken.reveal(), await provider.accessToken(ada, provider.clientId)])
    await t.rejects(client.verifyLogoutToken(token), { name: 'LogoutTokenError' })
})

t.test('an outage is published once, and ends when all documents are there', async t => {
  const { provider, clock, client, verify, published } = await startShared(t)
  const token = await provider.accessToken(ada, audience)
  await provider.pause()
  await t.rejects(verify(token), { ...unavailable, message: /discovery document.*ECONNREFUSED/ })
  await t.rejects(client.authorizationUrl(createLoginFlow('/', clock.now())), unavailable)
  t.strictSame(published, ['issuer.unavailable'])
  await provider.resume()
  clock.advance(5_000)
  await client.authorizationUrl(createLoginFlow('/', clock.now()))
  t.strictSame(published, ['issuer.unavailable'], 'its keys are still missing')
  await verify(token)
  t.strictSame(published, ['issuer.unavailable', 'issuer.available'])
})

t.test('a shared issuer is closed by whoever made it', async t => {
  const { provider, client, bearerTokens, issuer, signIn, verify, published } = await startShared(t)
  const token = await provider.accessToken(ada, audience)
  client.close()
  bearerTokens.close()
  await signIn()
  await verify(token)
  issuer.close()
  await provider.rotateKeys()
  await t.rejects(verify(await provider.accessToken(ada, audience)), unavailable)
  t.strictSame(published, [], 'closing is no outage')
})

t.test('an issuer without a page to sign in still verifies bearer tokens', async t => {
  const s = await setUp(t)
  t.match(await s.verify(await s.token()), { userId: 'ada' })
  const { clock, events } = s
  const issuer = createIssuer({ issuer: s.issuer.issuer, isForLogin: true, clock, events, lookupFor: () => lookup })
  await t.rejects(issuer.metadata(), { ...unavailable, message: /no https URL in "authorization_endpoint"/ })
})

t.test('keys that have moved are found', async t => {
  const s = await setUp(t)
  await s.verify(await s.token())
  const second = newSigningKey('second')
  s.issuer.metadata = { jwks_uri: `${s.issuer.origin}/moved` }
  s.issuer.handlers.set('/keys', (_, response) => void response.writeHead(404).end())
  s.issuer.handlers.set('/moved', (_, response) => void response.end(JSON.stringify({ keys: [second.jwk] })))
  s.clock.advance(10 * minuteMs)
  t.match(await s.verify(await s.token({}, {}, second)), { userId: 'ada' })
})

t.test('metadata that cannot be fetched again are not in the way of keys', async t => {
  const s = await setUp(t)
  await s.verify(await s.token())
  const second = newSigningKey('second')
  s.issuer.keys = [second.jwk]
  s.issuer.handlers.set(discovery, (_, response) => void response.destroy())
  s.clock.advance(10 * minuteMs)
  t.match(await s.verify(await s.token({}, {}, second)), { userId: 'ada' })
  t.match(s.published, [['issuer.unavailable', { hasKeys: true, message: /discovery document/ }]])
})

t.test('with a key set that is configured, bearer tokens need no metadata', async t => {
  const issuer = await startJwtIssuer(t)
  issuer.handlers.set(discovery, (_, response) => void response.destroy())
  const { key, token, verify, clock, events } = await setUp(t, { issuer, hasJwksUrl: true })
  t.match(await verify(await token()), { userId: 'ada' })
  const { jwksUrl } = issuer
  const login = createIssuer({ issuer: issuer.issuer, jwksUrl, isForLogin: true, clock, events, lookupFor: () => lookup })
  t.match(await login.keys.current(), [{ kid: key.jwk.kid }])
  await t.rejects(login.metadata(), unavailable)
})

t.test('a token is not remembered if a key is withdrawn while it is verified', async t => {
  const { issuer, token, clock, events, claims } = await setUp(t)
  const lookupFor = () => lookup
  const real = createIssuer({ issuer: issuer.issuer, isForLogin: false, clock, events, lookupFor })
  let withdrawals = 0
  const current = () => real.keys.current().finally(() => withdrawals++)
  const keys = { ...real.keys, current, withdrawals: () => withdrawals }
  const jwt = {
    issuer: issuer.issuer,
    audiences: [audience],
    userClaim: 'sub',
    keys: { kind: 'issuer', issuer: issuer.issuer, jwksUrl: undefined, trustedOrigins: [] }
  } as const
  const { verify } = createBearerTokens({ jwt, issuer: { ...real, keys }, clock, events, lookupFor })
  const jws = await token(claims())
  await verify(jws)
  const again = verify(jws)
  t.type(again, Promise, 'it is verified again')
  t.match(await again, { userId: 'ada' })
})

t.test('a request in flight ends when the issuer is closed', async t => {
  const jwtIssuer = await startJwtIssuer(t)
  const asked = Promise.withResolvers<void>()
  jwtIssuer.handlers.set(discovery, () => asked.resolve())
  const { clock, events } = await setUp(t, { issuer: jwtIssuer })
  const issuer = createIssuer({ issuer: jwtIssuer.issuer, isForLogin: true, clock, events, lookupFor: () => lookup })
  const preloaded = issuer.preload()
  await asked.promise
  issuer.close()
  await t.resolves(preloaded)
})
