import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import { readBearerConfig } from '../../src/config/bearer-config.ts'
import { type Environment, EnvironmentReader } from '../../src/config/environment.ts'
import { checkMisspelledNames } from '../../src/config/misspelled-names.ts'
import { newServiceKey } from '../../src/core/users/service-keys.ts'
import { newKey } from './support.ts'

function read(variables: Environment, production = true) {
  const env = new EnvironmentReader(variables)
  const config = readBearerConfig(env, { production })
  return { ...config, problems: env.problems, env }
}

const problemsOf = (variables: Environment, production?: boolean): readonly string[] => read(variables, production).problems
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const issuer = { JWT_ISSUER: 'https://login.example.com/', JWT_AUDIENCE: 'https://connect.example.com' }
const secrets = { JWT_SECRETS: newKey(), JWT_AUDIENCE: 'connect' }

t.test('without any variable no bearer is accepted', async t => {
  const { jwt, serviceKeys, problems } = read({})
  t.strictSame([jwt, serviceKeys, problems], [undefined, [], []])
})

t.test('an issuer is kept to the letter, and its keys are discovered', async t => {
  t.strictSame(read({ ...issuer, JWT_AUDIENCE: 'one, two' }).jwt, {
    issuer: 'https://login.example.com/',
    audiences: ['one', 'two'],
    userClaim: 'sub',
    keys: {
      kind: 'issuer',
      issuer: 'https://login.example.com/',
      jwksUrl: undefined,
      trustedOrigins: ['https://login.example.com']
    }
  })
})

t.test('a URL of the key set and a claim can be set', async t => {
  const jwt = read({ ...issuer, JWT_JWKS_URL: 'https://keys.example.com/k?v=1', JWT_USER_CLAIM: 'https://example.com/user' }).jwt
  t.match(jwt, {
    userClaim: 'https://example.com/user',
    keys: { jwksUrl: 'https://keys.example.com/k?v=1', trustedOrigins: ['https://login.example.com', 'https://keys.example.com'] }
  })
})

t.test('secrets need no issuer, and an issuer beside them may be a plain name', async t => {
  const long = Buffer.from(newKey() + newKey()).toString('base64')
  for (const name of [undefined, 'my-app', 'https://app.example.com']) {
    const { jwt, problems } = read({ ...secrets, JWT_SECRETS: `${newKey()},${long}`, ...(name !== undefined && { JWT_ISSUER: name }) })
    t.strictSame(problems, [])
    t.equal(jwt?.issuer, name)
    t.equal(jwt?.keys.kind === 'secrets' && jwt.keys.secrets.length, 2)
  }
})

t.test('SEC-40: a configuration with secrets does not print them', async t => {
  const { jwt } = read(secrets)
  t.notMatch(inspect(jwt, { depth: 10 }) + JSON.stringify(jwt), secrets.JWT_SECRETS.slice(0, 20))
})

t.test('SEC-45: an audience is required with any other variable of JWTs', async t => {
  for (const [name, value] of Object.entries({ ...issuer, ...secrets, JWT_USER_CLAIM: 'sub', JWT_JWKS_URL: 'https://a.example/k' })) {
    if (name === 'JWT_AUDIENCE') continue
    t.match(problemsOf({ [name]: value }).join('\n'), /JWT_AUDIENCE is missing: .* for example JWT_AUDIENCE=/, name)
  }
  t.match(problemsOf({ JWT_AUDIENCE: 'x' }), [/^JWT_ISSUER is missing: .* for example JWT_ISSUER=/])
  t.match(problemsOf({ ...issuer, JWT_AUDIENCE: ' , ' }), [/^JWT_AUDIENCE is missing/])
})

t.test('SEC-44: secrets and a key set exclude each other', async t => {
  t.match(problemsOf({ ...secrets, JWT_JWKS_URL: 'https://a.example/k' }), [/^JWT_SECRETS and JWT_JWKS_URL are both set/])
})

t.test('SEC-47: in production the issuer and its key set are https, except on loopback', async t => {
  for (const name of ['JWT_ISSUER', 'JWT_JWKS_URL']) {
    t.match(problemsOf({ ...issuer, [name]: 'http://login.example.com' }), [new RegExp(`^${name} must be https, for example ${name}=`)])
    t.strictSame(problemsOf({ ...issuer, [name]: 'http://127.0.0.1:4000' }), [])
    t.strictSame(problemsOf({ ...issuer, [name]: 'http://login.example.com' }, false), [])
  }
})

t.test('a malformed URL is a problem', async t => {
  for (const value of ['login.example.com', 'https://', 'https://u:p@h', 'https://h#f', 'ftp://h'])
    for (const name of ['JWT_ISSUER', 'JWT_JWKS_URL']) {
      const { jwt, problems } = read({ ...issuer, [name]: value })
      t.match(problems, [new RegExp(`^${name} must .*for example ${name}=`)], `${name} ${value}`)
      t.equal(jwt, undefined)
    }
  t.match(problemsOf({ ...issuer, JWT_ISSUER: 'https://h?q' }), [/^JWT_ISSUER must not contain a query/])
})

t.test('secrets that are short, typed or no base64 are problems', async t => {
  for (const [value, problem] of [
    [newKey().slice(0, 40), /key 1 of 1 has 30 bytes instead of 32 or more/],
    ['!'.repeat(44), /is not base64/],
    ['A'.repeat(43), /is not random/],
    [`${secrets.JWT_SECRETS},${secrets.JWT_SECRETS}`, /lists a key twice/]
  ] as const)
    t.match(problemsOf({ ...secrets, JWT_SECRETS: value }), [problem], String(problem))
})

t.test('a claim that does not tell users apart is a problem', async t => {
  for (const claim of ['iss', 'aud', 'exp', 'jti', 'x'.repeat(256)])
    t.match(problemsOf({ ...issuer, JWT_USER_CLAIM: claim }), [/^JWT_USER_CLAIM .* for example JWT_USER_CLAIM=sub/], claim)
})

t.test('SEC-49: service keys are names and hashes, one name twice for a rotation', async t => {
  const made = newServiceKey('nightly-2026', { mayReadTokens: true })
  const { serviceKeys, problems } = read({ SERVICE_KEYS: `${made.entry}, nightly-2026:${sha256('old').toUpperCase()}` })
  t.strictSame(problems, [])
  t.strictSame(serviceKeys, [
    { name: 'nightly-2026', hash: Buffer.from(sha256(made.key.reveal()), 'hex'), mayReadTokens: true },
    { name: 'nightly-2026', hash: Buffer.from(sha256('old'), 'hex'), mayReadTokens: false }
  ])
})

t.test('SEC-49: a malformed service key is a problem that repeats nothing of it', async t => {
  const key = newServiceKey('canary').key.reveal()
  for (const entry of [
    key,
    `nightly:${key}`,
    `:${sha256('canary')}`,
    `night ly:${sha256('canary')}`,
    `nightly:${sha256('canary').slice(1)}`,
    `nightly:${sha256('canary')}:`,
    `nightly:${sha256('canary')}:tokens`,
    `nightly:${sha256('canary')}:token:canary`,
    `nightly:${sha256('other')}`
  ]) {
    const problems = problemsOf({ SERVICE_KEYS: `x:${sha256('other')},${entry}` })
    t.match(problems, [/^SERVICE_KEYS: entry 2 of 2 .*, for example SERVICE_KEYS=/], entry)
    t.notMatch(problems.join(), new RegExp(`${key}|canary|${sha256('canary').slice(1)}`))
  }
})

t.test('all problems are reported at once', async t => {
  const problems = problemsOf({ JWT_ISSUER: 'x', JWT_JWKS_URL: 'y', JWT_USER_CLAIM: 'iss', JWT_SECRETS: 'z', SERVICE_KEYS: 'k' })
  for (const name of ['JWT_AUDIENCE', 'JWT_JWKS_URL', 'JWT_USER_CLAIM', 'JWT_SECRETS', 'SERVICE_KEYS'])
    t.ok(
      problems.some(problem => problem.startsWith(name)),
      name
    )
})

t.test('a misspelled variable is found though no other is set', async t => {
  for (const [name, meant] of Object.entries({
    JWT_SECRET: 'JWT_SECRETS',
    JWT_ISSUERS: 'JWT_ISSUER',
    SERVICE_KEY: 'SERVICE_KEYS',
    JWT_AUD: ''
  })) {
    const { env } = read({ [name]: 'x' })
    checkMisspelledNames(env, true, [])
    t.equal(env.problems.length, meant === '' ? 0 : 1, name)
    t.match(env.problems.join(), meant)
  }
})
