import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { must, property } from '../fuzz/property.ts'
import { newSigningKey, type SigningKey, sign } from '../support/jwt-issuer.ts'
import { audience, invalid, setUp } from './support.ts'

const minuteMs = 60_000
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** HS256 with this secret. */
const secretSigner = (secret: Buffer): SigningKey => ({ alg: 'HS256', privateKey: createSecretKey(secret), jwk: { kty: 'oct' } })

const secret = randomBytes(32)
const secretsJwt = (...secrets: Buffer[]) =>
  ({ issuer: undefined, keys: { kind: 'secrets', secrets: secrets.map(bytes => createSecretKey(bytes)) } }) as const

/** Appends the signature: what jose would not sign. */
function signInput(input: string): string {
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

t.test('a token of the issuer names its user', async t => {
  const s = await setUp(t)
  const verified = await s.verify(await s.token({ name: 'Ada Lovelace', email: 'ada@example.com' }))
  t.strictSame(verified, { userId: 'ada', name: 'Ada Lovelace', expiresAtMs: (s.nowSeconds() + 3600) * 1000 })
})

t.test('SEC-44: every asymmetric algorithm of a published key is accepted', async t => {
  const keys = (['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const).map(alg => newSigningKey(alg, alg))
  const s = await setUp(t)
  s.issuer.keys = keys.map(({ jwk }) => jwk)
  for (const key of keys) t.match(await s.verify(await s.token({}, {}, key)), { userId: 'ada' }, key.alg)
  const rsa = keys[0] as SigningKey
  for (const alg of ['RS384', 'RS512', 'PS384', 'PS512']) t.match(await s.verify(await s.token({}, { alg }, rsa)), { userId: 'ada' }, alg)
})

t.test('SEC-44: an algorithm that the key set does not allow is refused', async t => {
  const s = await setUp(t)
  const rsa = newSigningKey('rsa', 'RS256', { alg: 'RS256' })
  s.issuer.keys = [s.key.jwk, rsa.jwk]
  await t.rejects(s.verify(await s.token({}, { alg: 'PS256' }, rsa)), invalid(/signature/), 'the key is for RS256 alone')
  const [, payload = '', signature = ''] = (await s.token()).split('.')
  for (const alg of ['none', 'None', 'HS256', 'es256', '', undefined, null, ['ES256'], 'ES256K'])
    await t.rejects(s.verify(`${base64url({ alg, kid: 'first' })}.${payload}.${signature}`), invalid(/algorithm/), String(alg))
  await t.rejects(s.verify(`${base64url({ alg: 'none' })}.${payload}.`), invalid(/algorithm/))
})

t.test('SEC-44: a public key is no secret', async t => {
  const s = await setUp(t)
  const rsa = newSigningKey('rsa', 'RS256')
  s.issuer.keys = [rsa.jwk]
  for (const secret of [JSON.stringify(rsa.jwk), String(rsa.jwk.n), String(Buffer.from(String(rsa.jwk.n), 'base64url'))])
    await t.rejects(s.verify(await s.token({}, { kid: 'rsa' }, secretSigner(Buffer.from(secret)))), invalid(/algorithm/))
})

t.test('SEC-44: keys in the header and their addresses are not looked at', async t => {
  const s = await setUp(t)
  const own = newSigningKey('first')
  const jku = `${s.issuer.origin}/evil`
  for (const header of [{ jwk: own.jwk }, { jku }, { x5u: jku }, { x5c: ['MIIB'] }]) {
    await t.rejects(s.verify(await s.token({}, header, own)), invalid(/signature/), Object.keys(header).join())
    t.match(await s.verify(await s.token({}, header)), { userId: 'ada' }, 'nor do they harm')
  }
  t.notOk(s.issuer.requests.includes('/evil'))
})

t.test('SEC-44: an extension that must be understood is refused', async t => {
  const s = await setUp(t)
  const [, payload, signature] = (await s.token()).split('.')
  for (const crit of [['exp'], ['b64'], [], 'b64', null])
    await t.rejects(
      s.verify(`${base64url({ alg: 'ES256', kid: 'first', crit, b64: false, exp: 1 })}.${payload}.${signature}`),
      invalid(/crit/)
    )
})

t.test('SEC-45: a token of another issuer or audience is refused', async t => {
  const s = await setUp(t)
  for (const iss of [`${s.issuer.issuer}/`, s.issuer.issuer.toUpperCase(), 'https://evil.example', '', undefined, 1, [s.issuer.issuer]])
    await t.rejects(s.verify(await s.token({ iss })), invalid(/issuer|"iss"/), String(iss))
  for (const aud of [`${audience}/`, 'https://other.example', [], ['x', 'y'], '', undefined, { 0: audience }])
    await t.rejects(s.verify(await s.token({ aud })), invalid(/audience|"aud"/), JSON.stringify(aud))
})

t.test('SEC-45: one of several audiences is enough', async t => {
  const s = await setUp(t, { jwt: { audiences: ['first', 'second'] } })
  for (const aud of ['first', 'second', ['other', 'second']])
    t.match(await s.verify(await s.token({ aud })), { userId: 'ada' }, String(aud))
})

t.test('SEC-45: times are checked with a minute of leeway', async t => {
  const s = await setUp(t)
  const now = s.nowSeconds()
  for (const times of [{ exp: now - 59 }, { nbf: now + 60 }, { iat: now + 60 }, { iat: undefined }])
    t.match(await s.verify(await s.token(times)), { userId: 'ada' }, JSON.stringify(times))
  for (const [times, detail] of [
    [{ exp: now - 60 }, /expired/],
    [{ exp: undefined }, /no "exp"/],
    [{ exp: String(now + 60) }, /invalid "exp"/],
    [{ exp: (now + 60) * 1000 }, /seconds/],
    [{ nbf: now + 61 }, /not valid yet/],
    [{ nbf: 'soon' }, /invalid "nbf"/],
    [{ iat: now + 62 }, /future/],
    [{ iat: '1' }, /invalid "iat"/]
  ] as const)
    await t.rejects(s.verify(await s.token(times)), invalid(detail), JSON.stringify(times))
})

t.test('SEC-45: a token that never ends is refused', async t => {
  const s = await setUp(t, { jwt: secretsJwt(secret) })
  // JSON has no infinity, but JSON.parse reads one.
  const input = `${base64url({ alg: 'HS256' })}.${Buffer.from(`{"sub":"ada","aud":"${audience}","exp":1e999}`).toString('base64url')}`
  await t.rejects(s.verify(signInput(input)), invalid(/year 9999/))
})

t.test('SEC-46: an id token of the gateway’s own sign-in is refused', async t => {
  const strict = await setUp(t, { loginClientId: 'login-client' })
  for (const aud of ['login-client', ['login-client', audience]])
    await t.rejects(strict.verify(await strict.token({ aud })), invalid(/audience|id token/), String(aud))
  const configured = await setUp(t, { loginClientId: 'login-client', jwt: { audiences: ['login-client'] } })
  t.match(await configured.verify(await configured.token({ aud: 'login-client' })), { userId: 'ada' }, 'unless the operator lists it')
})

t.test('SEC-44: tokens for another purpose are refused, whatever their claims', async t => {
  const s = await setUp(t)
  for (const typ of ['logout+jwt', 'Application/Logout+JWT', 'secevent+jwt', 'dpop+jwt', 1, null])
    await t.rejects(s.verify(await s.token({}, { typ })), invalid(/kind/), String(typ))
  for (const events of [{}, null, { 'http://schemas.openid.net/event/backchannel-logout': {} }])
    await t.rejects(s.verify(await s.token({ events })), invalid(/logout/))
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT'])
    t.match(await s.verify(await s.token({}, { typ })), { userId: 'ada' }, typ)
})

t.test('a user is a text of at most 255 characters, or a whole number', async t => {
  const s = await setUp(t)
  for (const sub of ['auth0|42', 'zoë', '名前', '\ufeffx', ' ', 'x'.repeat(255)])
    t.match(await s.verify(await s.token({ sub })), { userId: sub })
  t.match(await s.verify(await s.token({ sub: 42 })), { userId: '42' })
  for (const sub of [undefined, null, '', 'x'.repeat(1024), 'a\nb', 'a\0', '\ud800', 1.5, 2 ** 53, true, ['ada'], { id: 'ada' }])
    await t.rejects(s.verify(await s.token({ sub })), invalid(/names no user/), JSON.stringify(sub)?.slice(0, 20))
})

t.test('another claim than sub can name the user', async t => {
  const s = await setUp(t, { jwt: { userClaim: 'https://example.com/id' } })
  t.match(await s.verify(await s.token({ 'https://example.com/id': 'grace' })), { userId: 'grace' })
  await t.rejects(s.verify(await s.token()), invalid(/names no user/))
  for (const userClaim of ['toString', 'constructor', '__proto__']) {
    const odd = await setUp(t, { jwt: { userClaim } })
    await t.rejects(odd.verify(await odd.token()), invalid(/names no user/), userClaim)
  }
})

t.test('an e-mail address that is not verified names no user', async t => {
  const s = await setUp(t, { jwt: { userClaim: 'email' } })
  for (const verified of [true, 'true', undefined])
    t.match(await s.verify(await s.token({ email: 'ada@example.com', email_verified: verified })), { userId: 'ada@example.com' })
  for (const verified of [false, 'false'])
    await t.rejects(s.verify(await s.token({ email: 'ada@example.com', email_verified: verified })), invalid(/not verified/))
})

t.test('the name of a user is one short line, if there is any', async t => {
  const s = await setUp(t)
  for (const [claims, name] of [
    [{ email: 'ada@example.com', preferred_username: 'ada' }, 'ada@example.com'],
    [{ name: ' ', preferred_username: 'ada' }, 'ada'],
    [{ name: 'A\nd\u202ea' }, 'Ada'],
    [{ name: 'x'.repeat(1000) }, 'x'.repeat(200)],
    [{ name: { first: 'Ada' }, email: 7 }, undefined]
  ] as const)
    t.equal((await s.verify(await s.token(claims))).name, name)
})

t.test('what is no signed token is refused without asking the issuer', async t => {
  const s = await setUp(t)
  const [header, payload, signature] = (await s.token()).split('.')
  for (const token of [
    'x',
    'gk_abc',
    '..',
    '...',
    'a.b.c',
    `${header}.${payload}`,
    `${header}.${payload}.${signature}.`,
    `${header}..${payload}.${signature}.x`,
    `${base64url([])}.${payload}.${signature}`,
    `${base64url(null)}.${payload}.${signature}`,
    `.${payload}.${signature}`,
    'x'.repeat(8192)
  ])
    await t.rejects(s.verify(token), invalid(/not a signed JSON Web Token/), token.slice(0, 40))
  t.strictSame(s.issuer.requests, [])
})

t.test('a payload that is no JSON object is refused', async t => {
  const s = await setUp(t, { jwt: secretsJwt(secret) })
  for (const payload of ['', '[]', 'null', '"x"', '{', Buffer.from([0x7b, 0xff, 0x7d])])
    await t.rejects(
      s.verify(signInput(`${base64url({ alg: 'HS256' })}.${Buffer.from(payload).toString('base64url')}`)),
      invalid(/malformed/)
    )
})

t.test('SEC-40: no refusal repeats or holds anything of the token', async t => {
  const s = await setUp(t)
  const canary = { sub: 'canary', iss: 'canary', aud: 'canary', name: 'canary' }
  for (const change of [canary, { ...canary, iss: s.issuer.issuer }, { exp: 'canary' }, { sub: 'canary\n' }, { exp: 1, sub: 'canary' }])
    for (const header of [{}, { kid: 'canary' }, { alg: 'canary' }, { typ: 'canary+jwt' }]) {
      const [, payload, signature] = (await s.token(change)).split('.')
      const token = `${base64url({ alg: 'ES256', kid: 'first', ...header })}.${payload}.${signature}`
      const error = await s.verify(Object.keys(header).length > 0 ? token : await s.token(change)).catch(refusal => refusal)
      t.equal(error.code, 'token_invalid')
      t.notMatch(error.message, 'canary')
      t.equal(error.cause, undefined)
    }
})

t.test('a token that was verified is not verified again', async t => {
  const s = await setUp(t)
  const token = await s.token()
  const first = s.bearerTokens.verify(token)
  t.equal(s.bearerTokens.verify(token), first, 'concurrent requests share the verification')
  const verified = await first
  s.issuer.isDown = true
  for (let i = 0; i < 3; i++) t.equal(s.bearerTokens.verify(token), verified, 'at once')
})

t.test('SEC-45: a remembered token ends with its leeway', async t => {
  const s = await setUp(t)
  const token = await s.token({ exp: s.nowSeconds() + 60 })
  const verified = await s.verify(token)
  s.clock.advance(2 * minuteMs - 1)
  t.equal(s.bearerTokens.verify(token), verified)
  s.clock.advance(1)
  await t.rejects(s.verify(token), invalid(/expired/))
})

t.test('a refusal is not remembered', async t => {
  const s = await setUp(t)
  const token = await s.token({ nbf: s.nowSeconds() + 90 })
  await t.rejects(s.verify(token), invalid(/not valid yet/))
  s.clock.advance(minuteMs)
  t.match(await s.verify(token), { userId: 'ada' })
})

t.test('SEC-44: with secrets only HS256 is accepted, under any of them', async t => {
  const older = randomBytes(48)
  const s = await setUp(t, { jwt: secretsJwt(secret, older) })
  for (const key of [secretSigner(secret), secretSigner(older)])
    for (const header of [{}, { kid: 'whatever' }]) t.match(await s.verify(await sign(s.claims(), key, header)), { userId: 'ada' })
  await t.rejects(s.verify(await sign(s.claims(), secretSigner(randomBytes(32)))), invalid(/signature/))
  await t.rejects(s.verify(await s.token()), invalid(/algorithm.* HS256/))
  await t.rejects(s.verify(await sign(s.claims(), secretSigner(randomBytes(64)), { alg: 'HS512' })), invalid(/algorithm/))
  t.strictSame(s.issuer.requests, [])
})

t.test('SEC-45: with secrets the issuer is checked only if it is set', async t => {
  const free = await setUp(t, { jwt: secretsJwt(secret) })
  t.match(await free.verify(await sign(free.claims({ iss: 'anything' }), secretSigner(secret))), { userId: 'ada' })
  const strict = await setUp(t, { jwt: { ...secretsJwt(secret), issuer: 'my-app' } })
  t.match(await strict.verify(await sign(strict.claims({ iss: 'my-app' }), secretSigner(secret))), { userId: 'ada' })
  for (const iss of ['anything', undefined])
    await t.rejects(strict.verify(await sign(strict.claims({ iss }), secretSigner(secret))), invalid(/iss/))
})

const rsa = newSigningKey('rsa', 'RS256')
const withIssuer = await setUp(t)
withIssuer.issuer.keys = [rsa.jwk, withIssuer.key.jwk]
const withSecret = await setUp(t, { jwt: secretsJwt(secret) })
const signedTokens = [
  { token: await withIssuer.token(), verify: withIssuer.verify },
  { token: await withIssuer.token({}, {}, rsa), verify: withIssuer.verify },
  { token: await sign(withSecret.claims(), secretSigner(secret)), verify: withSecret.verify }
]
const characters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/=~']

t.test('SEC-43: a signature has one spelling, to its last bits', async t => {
  for (const { token, verify } of signedTokens) {
    t.match(await verify(token), { userId: 'ada' })
    for (const character of characters) {
      const other = token.slice(0, -1) + character
      if (other !== token) await t.rejects(verify(other), { code: 'token_invalid' }, character)
    }
    for (const suffix of ['=', '==', 'A', 'AA']) await t.rejects(verify(token + suffix), { code: 'token_invalid' }, suffix)
  }
})

property(
  'SEC-43: a token with one other character is refused',
  300,
  fc.tuple(fc.constantFrom(...signedTokens), fc.nat(), fc.constantFrom(...characters)),
  async ([{ token, verify }, position, character]) => {
    const i = position % token.length
    const mutated = token.slice(0, i) + character + token.slice(i + 1)
    if (mutated === token) return false
    const outcome = await verify(mutated).catch(error => error.code)
    must(outcome === 'token_invalid', `character ${i} as ${character}: ${JSON.stringify(outcome)}`)
    return true
  }
)
