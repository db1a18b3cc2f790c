import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.ts'
import { TestClock } from '../support/gateway.ts'
import { type JwtIssuer, newSigningKey, startJwtIssuer } from '../support/jwt-issuer.ts'
import { startOpenidIssuer } from '../support/openid-issuer.ts'
import { examine, soundVariables } from './support.ts'
import { createAuthority } from './tls-server.ts'

const area = 'issuer'
const redirectUris = ['http://localhost:3000/login/callback']
const signIn = (LOGIN_ISSUER: string) => ({ LOGIN_ISSUER, LOGIN_CLIENT_ID: 'client-1', LOGIN_CLIENT_SECRET: 'login-canary' })
const bearers = (JWT_ISSUER: string, more: Record<string, string> = {}) => ({
  JWT_ISSUER,
  JWT_AUDIENCE: 'https://connect.example.com',
  ...more
})

const examineWith = (t: Test, variables: Record<string, string>, options = {}) =>
  examine(t, { ...soundVariables(t), ...variables }, options)

/** An issuer whose documents a test makes wrong. */
async function startWrongIssuer(t: Test, change: (issuer: JwtIssuer) => void = () => {}, options = {}) {
  const issuer = await startJwtIssuer(t, options)
  issuer.keys = [newSigningKey('key-1').jwk]
  change(issuer)
  return issuer
}

t.test('a real identity provider that knows the client is well', async t => {
  const issuer = await startOpenidIssuer(t, { redirectUris })
  const { has, hasNoError } = await examineWith(t, issuer.environment)
  const subject = new RegExp(`^${issuer.issuer}$`)
  has({ level: 'ok', area, subject, message: /discovery document/ })
  has({ level: 'ok', area, subject, message: /publishes one key/ })
  has({ level: 'ok', area, subject, message: /accepts LOGIN_CLIENT_ID/ })
  has({ level: 'ok', area, subject, message: /end_session_endpoint/ })
  has({ level: 'ok', area, subject, message: /back-channel logout/ })
  hasNoError()
})

t.test('a wrong client secret is an error, and is not repeated', async t => {
  const issuer = await startOpenidIssuer(t, { redirectUris })
  const { has, findings } = await examineWith(t, { ...issuer.environment, LOGIN_CLIENT_SECRET: 'wrong-canary' })
  has({ level: 'error', area, message: /refuses LOGIN_CLIENT_ID or its secret: invalid_client/, cure: /LOGIN_CLIENT_SECRET again/ })
  t.notMatch(JSON.stringify(findings), 'wrong-canary')
})

t.test('an unknown client is an error', async t => {
  const issuer = await startOpenidIssuer(t, { redirectUris })
  const { has } = await examineWith(t, { ...issuer.environment, LOGIN_CLIENT_ID: 'unknown' })
  has({ level: 'error', area, message: /refuses LOGIN_CLIENT_ID/ })
})

t.test('a confidential client without its secret is an error', async t => {
  const issuer = await startOpenidIssuer(t, { redirectUris })
  const { has } = await examineWith(t, { LOGIN_ISSUER: issuer.issuer, LOGIN_CLIENT_ID: issuer.clientId })
  has({ level: 'error', area, message: /refuses LOGIN_CLIENT_ID/, cure: /LOGIN_CLIENT_SECRET/ })
})

t.test('a public client is accepted', async t => {
  const issuer = await startOpenidIssuer(t, { redirectUris, clientSecret: null })
  const { has, hasNoError } = await examineWith(t, issuer.environment)
  has({ level: 'ok', area, message: /accepts LOGIN_CLIENT_ID/ })
  hasNoError()
})

t.test('an issuer whose path is missing is an error', async t => {
  const issuer = await startWrongIssuer(t, undefined, { path: '/realms/main' })
  const { has } = await examineWith(t, signIn(issuer.origin))
  has({ level: 'error', area, message: /has the status 404/, cure: /LOGIN_ISSUER: its path may be missing/ })
})

t.test('an issuer that differs by a slash is an error', async t => {
  const issuer = await startWrongIssuer(t, ({ metadata, issuer }) => {
    metadata.issuer = `${issuer}/`
  })
  const { has } = await examineWith(t, signIn(issuer.issuer))
  has({ level: 'error', area, message: /is of the issuer .+\/, not of/, cure: /LOGIN_ISSUER.+character by character/ })
})

t.test('an issuer that does not run is one error', async t => {
  const { has, findings } = await examineWith(t, signIn(`http://127.0.0.1:${await freePort()}`))
  has({ level: 'error', area, message: /refuses connections/, cure: /LOGIN_ISSUER/ })
  t.equal(findings.filter(({ level }) => level === 'error').length, 1)
})

t.test('an issuer that closes connections is a warning', async t => {
  const issuer = await startWrongIssuer(t, issuer => {
    issuer.isDown = true
  })
  const { has } = await examineWith(t, signIn(issuer.issuer))
  has({ level: 'warning', area, message: /cannot be reached from here \(ECONNRESET\)/, cure: /firewall/ })
})

t.test('an issuer with a certificate of an unknown authority is an error', async t => {
  const tls = createAuthority(t, { isTrusted: false }).issue('localhost', 90)
  const issuer = await startWrongIssuer(t, undefined, { tls })
  const { has } = await examineWith(t, signIn(issuer.issuer))
  has({ level: 'error', area, message: /does not trust/, cure: /NODE_EXTRA_CA_CERTS/ })
})

t.test('an issuer with a page instead of its document is an error', async t => {
  const issuer = await startWrongIssuer(t, ({ handlers }) =>
    handlers.set('/.well-known/openid-configuration', (_, response) => void response.end('<h1>Sign in</h1>'))
  )
  const { has } = await examineWith(t, signIn(issuer.issuer))
  has({ level: 'error', area, message: /is not JSON/ })
})

t.test('an issuer without an endpoint that sign-in needs is an error', async t => {
  const { issuer } = await startWrongIssuer(t)
  const { has } = await examineWith(t, signIn(issuer))
  has({ level: 'error', area, message: /has no https URL in "authorization_endpoint"/ })
})

t.test('an issuer that signs with a shared secret alone is an error', async t => {
  const issuer = await startWrongIssuer(t, ({ metadata, issuer }) =>
    Object.assign(metadata, {
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      id_token_signing_alg_values_supported: ['HS256']
    })
  )
  const { has } = await examineWith(t, signIn(issuer.issuer))
  has({ level: 'error', area, message: /no algorithm that is accepted/, cure: /RS256/ })
})

t.test('a token endpoint that tells nothing about the client is a warning', async t => {
  for (const status of [200, 503]) {
    const issuer = await startWrongIssuer(t, ({ metadata, handlers, issuer }) => {
      Object.assign(metadata, { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` })
      handlers.set('/token', (_, response) => void response.writeHead(status).end('<h1>Sign in</h1>'))
    })
    const { has, hasNoError } = await examineWith(t, signIn(issuer.issuer))
    has({ level: 'warning', area, message: /accepts LOGIN_CLIENT_ID cannot be told: \w/, cure: /Sign in once/ })
    hasNoError()
  }
})

t.test('the keys of bearer tokens are well', async t => {
  const issuer = await startWrongIssuer(t, ({ keys }) => keys.push(newSigningKey('key-2', 'RS256').jwk))
  const { has, hasNoError } = await examineWith(t, bearers(issuer.issuer))
  has({ level: 'ok', area, message: /publishes 2 keys/ })
  hasNoError()
})

t.test('a key set without a usable key is an error', async t => {
  const issuer = await startWrongIssuer(t, issuer => {
    issuer.keys = [{ kty: 'oct', k: 'c2VjcmV0' }]
  })
  const { has, findings } = await examineWith(t, bearers(issuer.issuer))
  has({ level: 'error', area, message: /publishes no key/, cure: /RSA of 2048/ })
  t.notMatch(JSON.stringify(findings), 'c2VjcmV0')
})

t.test('a key set that the discovery document misplaces is an error', async t => {
  const issuer = await startWrongIssuer(t, ({ metadata, origin }) => {
    metadata.jwks_uri = `${origin}/certs`
  })
  const { has } = await examineWith(t, bearers(issuer.issuer))
  has({ level: 'error', area, message: /key set has the status 404/, cure: /"jwks_uri" in its discovery document/ })
})

t.test('an issuer that fails is a warning', async t => {
  const issuer = await startWrongIssuer(t, ({ handlers }) =>
    handlers.set('/.well-known/openid-configuration', (_, response) => void response.writeHead(503).end())
  )
  const { has, hasNoError } = await examineWith(t, bearers(issuer.issuer))
  has({ level: 'warning', area, message: /has the status 503/, cure: /log/ })
  hasNoError()
})

t.test('a wrong JWT_JWKS_URL is an error that names it', async t => {
  const issuer = await startWrongIssuer(t)
  const { has } = await examineWith(t, bearers(issuer.issuer, { JWT_JWKS_URL: `${issuer.origin}/jwks` }))
  has({ level: 'error', area, message: /key set has the status 404/, cure: /JWT_JWKS_URL to what "jwks_uri" is/ })
  t.strictSame(issuer.requests, ['/jwks'])
})

t.test('an issuer whose clock differs by minutes is an error', async t => {
  const issuer = await startWrongIssuer(t)
  const clock = new TestClock()
  clock.advance(300_000)
  const { has } = await examineWith(t, bearers(issuer.issuer), { clock })
  has({ level: 'error', area, message: /ahead of its clock/, cure: /NTP/ })
})

t.test('without an identity provider nothing is asked', async t => {
  const { findings } = await examineWith(t, {})
  t.notOk(findings.some(finding => finding.area === area))
})
