import { createSign, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import t from 'tap'
import { createLookup } from '../../src/upstream/lookup.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { fixedLookup } from '../support/dns.ts'
import { json } from '../support/fake-provider.ts'
import { newSigningKey, signingKeyOf, startJwtIssuer } from '../support/jwt-issuer.ts'
import { invalid, setUp } from './support.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const discovery = '/.well-known/openid-configuration'
const unavailable = { code: 'issuer_unavailable', status: 503 }

t.test('a key set that is configured needs no discovery', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  await s.verify(await s.token())
  t.strictSame(s.issuer.requests, ['/keys'])
})

t.test('SEC-47: an unknown key fetches the keys again, at most once in 30 s', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  await s.verify(await s.token())
  const second = newSigningKey('second')
  s.issuer.keys = [s.key.jwk, second.jwk]
  t.match(await s.verify(await s.token({}, {}, second)), { userId: 'ada' }, 'a new key is found')
  t.equal(s.issuer.fetchesOfKeys(), 2)

  const third = newSigningKey('third')
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => s.token({ sub: `user ${i}` }, { kid: `unknown ${i}` }, third)))
  const refuseAll = () => Promise.all(tokens.map(token => t.rejects(s.verify(token), invalid(/signature/))))
  await refuseAll()
  s.clock.advance(30 * secondMs - 1)
  await refuseAll()
  t.equal(s.issuer.fetchesOfKeys(), 2)
  s.clock.advance(1)
  await refuseAll()
  t.equal(s.issuer.fetchesOfKeys(), 3)
  t.match(await s.verify(await s.token()), { userId: 'ada' }, 'known keys are not in the way of this')
})

t.test('SEC-47: a wrong signature under a known key fetches nothing', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  await s.verify(await s.token())
  await t.rejects(s.verify(await s.token({}, {}, newSigningKey('first'))), invalid(/signature/))
  t.equal(s.issuer.fetchesOfKeys(), 1)
})

t.test('every fetch has a connection of its own', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  s.issuer.handlers.set('/keys', (request, response) => {
    t.equal(request.headers.connection, 'close', 'one that another lookup has allowed is not reused')
    json(response, 200, { keys: s.issuer.keys })
  })
  await s.verify(await s.token())
})

t.test('concurrent first tokens share one fetch', async t => {
  const s = await setUp(t)
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => s.token({ sub: `user ${i}` })))
  await Promise.all(tokens.map(s.verify))
  t.strictSame(s.issuer.requests, [discovery, '/keys'])
})

t.test('keys that are ten minutes old are fetched again in the background', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  const token = await s.token()
  const verified = await s.verify(token)
  const second = newSigningKey('second')
  const newer = await s.token({}, {}, second)
  s.issuer.keys = [s.key.jwk, second.jwk]
  s.clock.advance(10 * minuteMs - 1)
  s.bearerTokens.verify(token)
  t.equal(s.issuer.fetchesOfKeys(), 1)
  s.clock.advance(1)
  t.equal(s.bearerTokens.verify(token), verified, 'this request does not wait')
  t.match(await s.verify(newer), { userId: 'ada' }, 'the next one has the new key')
  t.equal(s.issuer.fetchesOfKeys(), 2)
  const third = newSigningKey('third')
  s.issuer.keys.push(third.jwk)
  t.match(await s.verify(await s.token({}, {}, third)), { userId: 'ada' }, 'that fetch was not one for an unknown key')
})

t.test('remembered tokens alone have the keys fetched again', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  const token = await s.token()
  await s.verify(token)
  const asked = new Promise<void>(resolve =>
    s.issuer.handlers.set('/keys', (_, response) => {
      json(response, 200, { keys: s.issuer.keys })
      resolve()
    })
  )
  s.clock.advance(10 * minuteMs)
  s.bearerTokens.verify(token)
  await asked
})

t.test('a key that is withdrawn ends the tokens that it signed', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  const token = await s.token()
  await s.verify(token)
  const second = newSigningKey('second')
  s.issuer.keys = [second.jwk]
  s.clock.advance(10 * minuteMs)
  await s.verify(await s.token({}, {}, second))
  await t.rejects(s.verify(token), invalid(/signature/))
})

t.test('an issuer that is down does not stop tokens whose keys are known', async t => {
  const s = await setUp(t)
  await s.verify(await s.token())
  s.issuer.isDown = true
  const down = new Promise(resolve => s.events.subscribe('issuer.unavailable', resolve))
  for (let hours = 1; hours <= 48; hours++) {
    s.clock.advance(60 * minuteMs)
    t.match(await s.verify(await s.token({ sub: `user ${hours}` })), { userId: `user ${hours}` })
  }
  t.match(await down, { hasKeys: true, issuer: s.issuer.issuer })
})

t.test('a token whose key nobody knows is not judged while the issuer is down', async t => {
  const s = await setUp(t)
  await s.verify(await s.token())
  s.issuer.isDown = true
  const second = newSigningKey('second')
  for (let i = 0; i < 3; i++) await t.rejects(s.verify(await s.token({ sub: `user ${i}` }, {}, second)), { ...unavailable, retryAfter: 30 })
  t.equal(s.issuer.requests.length, 3, 'one more request than for the first keys')
  t.equal(s.published.length, 1)
  s.issuer.isDown = false
  s.issuer.keys.push(second.jwk)
  s.clock.advance(30 * secondMs)
  t.match(await s.verify(await s.token({}, {}, second)), { userId: 'ada' })
})

t.test('without any key an unreachable issuer is 503, and is asked again after a pause', async t => {
  const s = await setUp(t)
  s.issuer.isDown = true
  const token = await s.token()
  for (let i = 0; i < 5; i++) await t.rejects(s.verify(token), { ...unavailable, retryAfter: 5 })
  t.equal(s.issuer.requests.length, 1)
  s.clock.advance(4 * secondMs)
  await t.rejects(s.verify(token), { ...unavailable, retryAfter: 1 })
  s.clock.advance(secondMs)
  await t.rejects(s.verify(token), unavailable)
  t.equal(s.issuer.requests.length, 2)
  s.issuer.isDown = false
  s.clock.advance(5 * secondMs)
  t.match(await s.verify(token), { userId: 'ada' })
})

t.test('an outage is published at its beginning and its end', async t => {
  const s = await setUp(t)
  s.issuer.isDown = true
  for (let i = 0; i < 3; i++) {
    await s.bearerTokens.preload()
    s.clock.advance(5 * secondMs)
  }
  s.issuer.isDown = false
  await s.bearerTokens.preload()
  t.match(s.published, [
    [
      'issuer.unavailable',
      { issuer: s.issuer.issuer, code: 'ECONNRESET', message: 'the discovery document of the issuer could not be fetched' }
    ],
    ['issuer.available', { issuer: s.issuer.issuer }]
  ])
  t.equal(s.published.length, 2)
})

t.test('SEC-47: documents that are giant, slow, redirected or odd are refused', async t => {
  for (const [path, respond, message] of [
    ['/keys', (_: unknown, r) => void r.end(`{"keys":[],"x":"${'x'.repeat(600 * 1024)}"}`), /larger than 512 KiB/],
    [discovery, (_: unknown, r) => void r.end(`{"x":"${'x'.repeat(600 * 1024)}"}`), /larger than 512 KiB/],
    ['/keys', (_: unknown, r) => void r.writeHead(302, { location: '/elsewhere' }).end(), /status 302, and redirects are not followed/],
    [discovery, (_: unknown, r) => void r.writeHead(500).end('{}'), /status 500/],
    [discovery, (_: unknown, r) => void r.writeHead(204).end(), /status 204/],
    ['/keys', (_: unknown, r) => void r.writeHead(304).end(), /status 304/],
    ['/keys', (_: unknown, r) => void r.end('<html>canary'), /key set of the issuer is not JSON/],
    [discovery, (_: unknown, r) => void r.writeHead(200, { 'content-length': 100 }).end('{', () => r.destroy()), /could not be fetched/],
    [discovery, (_: unknown, r) => void r.end('[]'), /not a JSON object/],
    [discovery, (_: unknown, r) => void r.end('null'), /not a JSON object/],
    ['/keys', (_: unknown, r) => void r.end('{"keys":{}}'), /no key/],
    ['/keys', (_: unknown, r) => void r.end('{"keys":[]}'), /no key/],
    ['/keys', (_: unknown, r) => void r.end('null'), /no key/],
    ['/keys', (_: unknown, r) => void r.writeHead(200, { 'content-length': '100' }).write('{'), /did not arrive in time/],
    [discovery, () => {}, /did not arrive in time/]
  ] as Array<[string, Parameters<Awaited<ReturnType<typeof startJwtIssuer>>['handlers']['set']>[1], RegExp]>) {
    const s = await setUp(t, { fetchTimeoutMs: 200 })
    s.issuer.handlers.set(path, respond)
    const error = await s.verify(await s.token()).catch(failure => failure)
    t.match(error, { ...unavailable, message }, String(message))
    t.notMatch(`${error.stack} ${JSON.stringify(error)}`, /canary/, 'nothing of a document is repeated')
    t.match(s.published, [['issuer.unavailable', { message }]])
    t.notOk(s.issuer.requests.includes('/elsewhere'))
  }
})

t.test('a key set without usable keys does not replace one that has some', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  await s.verify(await s.token())
  s.issuer.keys = []
  await t.rejects(s.verify(await s.token({}, {}, newSigningKey('second'))), unavailable)
  t.match(await s.verify(await s.token({ sub: 'grace' })), { userId: 'grace' })
})

t.test('SEC-44: odd members of a key set neither count nor harm', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  const rsa = newSigningKey('rsa', 'RS256')
  const unusable = [
    newSigningKey('for encryption', 'ES256', { use: 'enc' }),
    newSigningKey('cannot verify', 'ES256', { key_ops: ['sign'] }),
    newSigningKey('odd operations', 'ES256', { key_ops: 'verify' }),
    newSigningKey('other algorithm', 'ES256', { alg: 'ES384' }),
    newSigningKey('odd algorithm', 'ES256', { alg: ['ES256'] }),
    newSigningKey('odd kid', 'ES256', { kid: { a: 1 } }),
    newSigningKey('other curve', 'ES256', { crv: 'P-384' }),
    newSigningKey('no point', 'ES256', { x: 'AAAA' }),
    newSigningKey('no type', 'ES256', { kty: undefined }),
    newSigningKey('number', 'ES256', { y: 7 })
  ]
  const published = newSigningKey('private')
  s.issuer.keys = [
    null,
    7,
    'key',
    [],
    {},
    { kty: 'RSA' },
    { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA', kid: 'secret' },
    { kty: '__proto__', crv: 'toString', kid: 'x' },
    { ...published.privateKey.export({ format: 'jwk' }), kid: 'private' },
    ...unusable.map(({ jwk }) => jwk),
    rsa.jwk,
    s.key.jwk
  ]
  t.match(await s.verify(await s.token()), { userId: 'ada' })
  t.match(await s.verify(await s.token({}, {}, rsa)), { userId: 'ada' })
  for (const key of [...unusable, published])
    await t.rejects(s.verify(await s.token({}, { kid: String(key.jwk.kid) }, key)), invalid(/signature/), String(key.jwk.kid))
})

t.test('SEC-44: an RSA key of fewer than 2048 bits is not used', async t => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const weak = signingKeyOf({ ...privateKey.export({ format: 'jwk' }), kid: 'weak' }, 'RS256')
  const s = await setUp(t, { hasJwksUrl: true })
  s.issuer.keys.push(weak.jwk)
  // jose refuses to sign with it.
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: 'RS256', kid: 'weak' })}.${encode(s.claims())}`
  await t.rejects(s.verify(`${input}.${createSign('sha256').update(input).sign(privateKey, 'base64url')}`), invalid(/signature/))
})

t.test('a token without a key id is tried with every key, and a key without one fits any token', async t => {
  const s = await setUp(t, { hasJwksUrl: true })
  const nameless = newSigningKey(undefined)
  s.issuer.keys = [newSigningKey('other').jwk, s.key.jwk, nameless.jwk]
  t.match(await s.verify(await s.token({}, { kid: undefined })), { userId: 'ada' })
  t.match(await s.verify(await s.token({ sub: 'grace' }, { kid: 'unknown' }, nameless)), { userId: 'grace' })
  t.equal(s.issuer.fetchesOfKeys(), 1)
  const fresh = newSigningKey(undefined)
  s.issuer.keys.push(fresh.jwk)
  t.match(await s.verify(await s.token({}, {}, fresh)), { userId: 'ada' }, 'a new key without an id is found too')
})

t.test('two keys of one id are both tried', async t => {
  const s = await setUp(t)
  const twin = newSigningKey('first')
  s.issuer.keys = [twin.jwk, s.key.jwk]
  for (const key of [twin, s.key]) t.match(await s.verify(await s.token({}, {}, key)), { userId: 'ada' })
})

t.test('SEC-47: in production keys are not fetched from a private address unless the operator set it', async t => {
  const s = await setUp(t)
  let connections = 0
  const internal = createServer((_, response) => json(response, 200, { keys: [s.key.jwk] })).on('connection', () => connections++)
  internal.listen(0, '127.0.0.1')
  await once(internal, 'listening')
  t.teardown(() => internal.close())
  const { port } = internal.address() as AddressInfo
  const trusting = (...trustedOrigins: string[]) =>
    createLookup({ production: true, providers: new Map([['issuer', { trustedOrigins }]]) }, fixedLookup('127.0.0.1'))
  for (const host of ['keys.example', '127.0.0.1', '[::ffff:127.0.0.1]']) {
    s.issuer.metadata = { jwks_uri: `http://${host}:${port}/keys` }
    const production = await setUp(t, { issuer: s.issuer, lookupFor: trusting(s.issuer.origin) })
    await t.rejects(production.verify(await s.token()), unavailable, host)
    t.match(production.published, [['issuer.unavailable', { code: 'ERR_ADDRESS_NOT_PUBLIC' }]])
  }
  t.equal(connections, 0)
  s.issuer.metadata = { jwks_uri: `http://keys.example:${port}/keys` }
  const trusted = await setUp(t, { issuer: s.issuer, lookupFor: trusting(s.issuer.origin, `http://keys.example:${port}`) })
  t.match(await trusted.verify(await s.token()), { userId: 'ada' })
})

t.test('SEC-47: the certificate of an issuer is verified, and its keys are not fetched by http', async t => {
  const tls = await selfSignedCertificate(t, 'localhost')
  const issuer = await startJwtIssuer(t, { tls })
  const untrusting = await setUp(t, { issuer })
  await t.rejects(untrusting.verify(await untrusting.token()), unavailable)
  t.match(untrusting.published, [['issuer.unavailable', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }]])
  t.strictSame(issuer.requests, [])

  const trusted = getCACertificates()
  setDefaultCACertificates([...trusted, String(tls.cert)])
  t.teardown(() => setDefaultCACertificates(trusted))
  const plain = await startJwtIssuer(t)
  plain.keys = issuer.keys
  for (const [jwksUri, isFetched] of [
    [plain.jwksUrl, false],
    [issuer.jwksUrl, true]
  ] as const) {
    issuer.metadata = { jwks_uri: jwksUri }
    const s = await setUp(t, { issuer })
    issuer.keys = [s.key.jwk]
    if (isFetched) t.match(await s.verify(await s.token()), { userId: 'ada' })
    else await t.rejects(s.verify(await s.token()), unavailable)
  }
  t.strictSame(plain.requests, [])
})

t.test('closing ends a fetch in flight and is no outage', async t => {
  const s = await setUp(t)
  const asked = new Promise<void>(resolve => s.issuer.handlers.set(discovery, () => resolve()))
  const refused = t.rejects(s.verify(await s.token()), unavailable)
  await asked
  s.bearerTokens.close()
  await refused
  t.strictSame(s.published, [])
})
