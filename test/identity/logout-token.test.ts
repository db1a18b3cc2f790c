import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import t from 'tap'
import { LogoutTokenError } from '../../src/identity/logout-token.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { ada } from '../support/openid-issuer.ts'
import { paramsOf, startIssuerAndClient } from './login-support.ts'

type Claims = Readonly<Record<string, unknown>>

const seconds = (fromNow: number) => Math.floor(Date.now() / 1000) + fromNow

t.test('the issuer’s own logout token names the session of the sign-in', async t => {
  const app = await startFakeProvider(t)
  const { issuer, client, newFlow } = await startIssuerAndClient(t, { backchannelLogoutUri: `${app.origin}/logout` })
  const flow = newFlow()
  const result = await client.complete(paramsOf(await issuer.signInAt(await client.authorizationUrl(flow), ada)), flow)
  if (result.kind !== 'signed_in') return t.fail('nobody is signed in')
  await issuer.sendLogout(ada, String(result.user.sid))
  const token = new URLSearchParams(app.seen.api[0]?.body.toString()).get('logout_token') ?? ''
  const logout = await client.verifyLogoutToken(token)
  t.match(logout, { subject: 'ada-1', sid: result.user.sid, jti: /.+/ })
})

t.test('SEC-51: a logout token names a subject, a session, or both', async t => {
  const { issuer, client } = await startIssuerAndClient(t)
  const verify = async (claims: Claims, header = {}) => client.verifyLogoutToken(await issuer.logoutToken({ jti: 'j', ...claims }, header))
  t.match(await verify({ sub: 'ada-1' }), { subject: 'ada-1', sid: undefined, jti: 'j' })
  t.match(await verify({ sid: 's-1' }), { subject: undefined, sid: 's-1' })
  t.match(await verify({ sub: 'ada-1', sid: 's-1' }), { subject: 'ada-1', sid: 's-1' })
  for (const typ of [undefined, 'JWT', 'LOGOUT+JWT', 'application/logout+jwt'])
    t.match(await verify({ sid: 's-1' }, { typ }), { sid: 's-1' }, `type ${typ}`)
  t.match(await verify({ sid: 's-1', aud: ['other', issuer.clientId] }), { sid: 's-1' })
  t.match(await verify({ sid: 's-1', exp: undefined }), { sid: 's-1' }, 'exp may be missing')
  t.match(await verify({ sid: 's-1', iat: seconds(-200) }), { sid: 's-1' })
})

t.test('SEC-51: a logout token that is not valid is refused', async t => {
  const { issuer, client } = await startIssuerAndClient(t)
  const event = 'http://schemas.openid.net/event/backchannel-logout'
  const cases: ReadonlyArray<readonly [string, Claims, object?]> = [
    ['a nonce', { nonce: 'n' }],
    ['an empty nonce', { nonce: '' }],
    ['no events', { events: undefined }],
    ['other events', { events: { 'http://example.com/event': {} } }],
    ['events as a list', { events: [event] }],
    ['events as a text', { events: event }],
    ['an event that is no object', { events: { [event]: true } }],
    ['an inherited event', { events: { __proto__: null, constructor: {} } }],
    ['another audience', { aud: 'other' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'https://evil.example.com' }],
    ['issued long ago', { iat: seconds(-370), exp: undefined }],
    ['issued in the future', { iat: seconds(90) }],
    ['issued at no time', { iat: undefined }],
    ['expired', { exp: seconds(-70) }],
    ['no jti', { jti: undefined }],
    ['an empty jti', { jti: '' }],
    ['neither sub nor sid', { sub: undefined, sid: undefined }],
    ['a sub that is no text', { sub: 7 }],
    ['an empty sub', { sub: '' }],
    ['a sid that is no text', { sid: ['s-1'] }],
    ['an empty sid', { sid: '' }],
    ['the type of an access token', {}, { typ: 'at+jwt' }],
    ['a type that is no text', {}, { typ: 7 }],
    ['an unknown key', {}, { kid: 'other' }],
    ['100 kB', { filler: 'x'.repeat(75_000) }]
  ]
  for (const [title, claims, header] of cases) {
    const token = await issuer.logoutToken({ sub: 'ada-1', ...claims }, header)
    await t.rejects(client.verifyLogoutToken(token), LogoutTokenError, title)
  }
})

t.test('SEC-51: a logout token that another key signed is refused', async t => {
  const { issuer, client } = await startIssuerAndClient(t)
  const token = await issuer.logoutToken({ sub: 'ada-canary' })
  const [header = '', payload = '', signature = ''] = token.split('.')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: 'logout+jwt' }).sign(privateKey)
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
  for (const bad of [forged, unsigned, `${header}.${payload}.`, `${header}.${signature}`, '', 'x', 'x'.repeat(100_000), `${token}.x.y`]) {
    const error = await t.rejects(client.verifyLogoutToken(bad), LogoutTokenError, `${bad.length} characters`)
    t.notMatch(String(error), /canary/)
  }
})

t.test('a logout token is remembered until its age alone has it refused', async t => {
  const { issuer, client, clock } = await startIssuerAndClient(t)
  for (const exp of [seconds(120), undefined]) {
    const token = await issuer.logoutToken({ sub: 'ada-1', exp })
    const { expiresAtMs } = await client.verifyLogoutToken(token)
    clock.advance(expiresAtMs - clock.now())
    await t.rejects(client.verifyLogoutToken(token), LogoutTokenError)
    clock.advance(Date.now() - clock.now())
    t.ok(expiresAtMs - Date.now() < 7 * 60_000)
  }
})

t.test('while the issuer is down a logout token is neither valid nor invalid', async t => {
  const { issuer, client, clock } = await startIssuerAndClient(t)
  const token = await issuer.logoutToken({ sub: 'ada-1' })
  await issuer.pause()
  await t.rejects(client.verifyLogoutToken(token), { code: 'issuer_unavailable' })
  await issuer.resume()
  clock.advance(5_000)
  t.match(await client.verifyLogoutToken(token), { subject: 'ada-1' })
  await issuer.pause()
  t.match(await client.verifyLogoutToken(await issuer.logoutToken({ sid: 's-1' })), { sid: 's-1' }, 'its keys are known')
})
