import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { type Config, readConfig } from '../../../src/config/config.ts'
import { ConfigError } from '../../../src/config/environment.ts'
import { definitions, newKey } from '../../config/support.ts'
import { hostileAddress, text } from '../arbitraries.ts'
import { must, property } from '../property.ts'

const canary = 'CaNaRy7'
const files = t.testdir({
  DATA: {},
  canary: `${canary}\n`,
  key: `${newKey()}\n`,
  keys: `${newKey()}, ${canary}`,
  address: `https://user:${canary}@host`,
  empty: '',
  bytes: Buffer.from([0xff, 0xfe, 0, 0x0a])
})

/** The canary with the text that a mistake or a shell may put around it. */
const secret = fc.oneof(
  fc.tuple(text, text).map(([before, after]) => before + canary + after),
  fc.constantFrom(canary, `${newKey()},${canary}`, `${canary}=`, `"${canary}"`, `${newKey()}\n${canary}`)
)
const redisUrl = fc
  .tuple(
    fc.constantFrom('redis', 'rediss', 'redis+cluster', 'rediss+sentinel', 'http', ''),
    fc.constantFrom('://', ':', '//', ''),
    fc.constantFrom(`:${canary}@`, `user:${canary}@`, `${canary}@`, `:%zz${canary}@`, `:${canary}`, `:a@${canary}@`),
    fc.constantFrom('h', 'h:1', 'h:99999', '[::1]:6379', 'h,i', '', 'h i', '['),
    fc.constantFrom('', '/', '/0', '/x', '/mymaster', '/mymaster/0', '/-1')
  )
  .map(parts => parts.join(''))
const secretAddress = fc
  .tuple(
    fc.constantFrom('https://', 'http://', 'https:', ''),
    fc.constantFrom(`user:${canary}@`, `${canary}@`, `:${canary}@`),
    hostileAddress
  )
  .map(parts => parts.join(''))
const number = fc.oneof(
  fc.bigInt().map(String),
  fc.double().map(String),
  fc.constantFrom('0', '1', '3600', ' 60 ', '1e3', '0x10', '٣', '9'.repeat(400))
)
const word = fc.constantFrom(
  '',
  ' ',
  ',',
  'true',
  'production',
  'info',
  'silent',
  '*',
  'null',
  'acme',
  'keyed,acme',
  '__proto__',
  '10.0.0.0/8',
  '::/0',
  '1.2.3.4/33',
  'https://app.example.com'
)
const any = fc.oneof(text, number, word, hostileAddress)

const key = fc.oneof({ weight: 3, arbitrary: fc.constant(newKey()) }, { weight: 1, arbitrary: secret })
const plain = [
  'NODE_ENV',
  'ALLOW_PUBLIC_DEVELOPMENT',
  'HOST',
  'PORT',
  'ALLOWED_ORIGINS',
  'TRUST_PROXY',
  'SESSION_IDLE',
  'SESSION_MAX',
  'STORE_GRACE',
  'SHUTDOWN_DELAY',
  'SHUTDOWN_TIMEOUT',
  'LOG_LEVEL',
  'PROVIDERS',
  'ACME_CLIENT_ID',
  'ACME_SCOPES',
  'ROAD_RUNNER_CLIENT_ID',
  'KEYED_CLIENT_ID',
  'ACME_ISSUER'
]
const addresses = [
  'PUBLIC_URL',
  'ACME_API_URL',
  'ACME_AUTHORIZE_URL',
  'ACME_TOKEN_URL',
  'ACME_REFRESH_URL',
  'ACME_REVOKE_URL',
  'KEYED_API_URL'
]
const secrets = ['ACME_CLIENT_SECRET', 'ROAD_RUNNER_CLIENT_SECRET', 'KEYED_CLIENT_SECRET']
const inFiles = [...plain, ...addresses, ...secrets, 'SESSION_KEYS', 'TOKEN_KEYS', 'REDIS_URL'].map(name => `${name}_FILE`)
/** A path, or by mistake the content of the file. */
const file = fc.oneof(
  secret,
  fc.constantFrom(
    '',
    '/',
    '/nowhere',
    '\0',
    ...['DATA', 'canary', 'key', 'keys', 'address', 'empty', 'bytes'].map(name => `${files}/${name}`)
  )
)

const named = (names: readonly string[], value: fc.Arbitrary<string>) => fc.tuple(fc.constantFrom(...names), value)
const good = fc.constantFrom<[string, string]>(
  ['NODE_ENV', 'production'],
  ['PUBLIC_URL', 'https://connect.example.com'],
  ['ACME_CLIENT_ID', 'id'],
  ['ACME_CLIENT_SECRET', canary],
  ['PORT', '0'],
  ['ALLOW_PUBLIC_DEVELOPMENT', '1'],
  ['TRUST_PROXY', '10.0.0.0/8'],
  ['REDIS_URL', `redis://:${canary}@h`],
  ['ALLOWED_ORIGINS', 'https://app.example.com'],
  ['ACME_API_URL', 'https://api.example.com/v1/']
)
const variable = fc.oneof(
  { weight: 4, arbitrary: good },
  { weight: 4, arbitrary: named(plain, any) },
  { weight: 2, arbitrary: named(addresses, fc.oneof(secretAddress, hostileAddress, text)) },
  { weight: 2, arbitrary: named(secrets, secret) },
  { weight: 1, arbitrary: named(['REDIS_URL'], fc.oneof(redisUrl, secret)) },
  { weight: 1, arbitrary: named(inFiles, file) }
)
const environment = fc
  .tuple(key, key, fc.array(variable, { maxLength: 6 }))
  .map(([session, token, list]) => ({ DATA_DIR: `${files}/DATA`, SESSION_KEYS: session, TOKEN_KEYS: token, ...Object.fromEntries(list) }))

property('SEC-40: any environment gives a usable configuration or an error without secrets', 800, environment, variables => {
  try {
    check(readConfig(variables, definitions))
    return true
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    must(error.problems.length > 0, 'it lists no problem')
    must(!inspect(error, { depth: 9 }).includes(canary), `it repeats a secret: ${error.message}`)
    return false
  }
})

function check(config: Config): void {
  const { publicUrl, allowedOrigins, session, storeGraceMs, shutdown, port, keys, providers, production } = config
  must(new URL(publicUrl).origin === publicUrl, `${publicUrl} is not an origin`)
  must(allowedOrigins.has(publicUrl), 'its own origin is not allowed')
  for (const origin of allowedOrigins) must(/^https?:/.test(origin) && new URL(origin).origin === origin, `${origin} is not an origin`)
  for (const ms of [session.idleMs, session.maxMs, storeGraceMs, shutdown.delayMs, shutdown.timeoutMs])
    must(Number.isSafeInteger(ms) && ms >= 0, `${ms} is not a duration`)
  must(session.idleMs > 0 && session.idleMs <= session.maxMs, 'a session has no lifetime')
  must(Number.isInteger(port) && port >= 0 && port <= 65_535, `${port} is not a port`)
  for (const ring of [keys.session, keys.token])
    must(ring.length > 0 && ring.every(({ length }) => length === 32), 'a key is not 32 bytes long')
  for (const { definition, client, trustedOrigins } of providers.values()) {
    const { oauth2 } = definition.methods
    for (const address of [definition.api.baseUrl, oauth2?.authorizeUrl, oauth2?.tokenUrl, oauth2?.revokeUrl]) {
      const url = address === undefined ? undefined : new URL(address)
      must(
        url === undefined || (/^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hash === ''),
        `${address} is not an endpoint`
      )
      must(
        !production || url === undefined || url.protocol === 'https:' || /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(url.hostname),
        `${address} is not encrypted`
      )
    }
    for (const origin of trustedOrigins) must(new URL(origin).origin === origin, `${origin} is not an origin`)
    must(
      !inspect(client, { depth: 9 }).includes(canary) || String(client?.id).includes(canary) || String(client?.scopes).includes(canary),
      'a client prints its secret'
    )
  }
}
