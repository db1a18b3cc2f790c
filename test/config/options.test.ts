import { Redis } from 'ioredis'
import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { ConfigError, type Environment } from '../../src/config/environment.ts'
import { type ConfigOptions, readOptions } from '../../src/config/options.ts'
import type { ProviderDefinition } from '../../src/core/provider/configured-provider.ts'
import { defineProvider } from '../../src/core/provider/define-provider.ts'
import * as data from './support.ts'

const { definitions, newKey } = data
const [acme, roadRunner, keyed] = [data.acme, data.roadRunner, data.keyed].map(defineProvider) as [
  ProviderDefinition,
  ProviderDefinition,
  ProviderDefinition
]

const client = { clientId: 'client', clientSecret: 'canary-secret' }
const minimal: ConfigOptions = {
  publicUrl: 'https://app.example.com',
  keys: { session: newKey(), token: [newKey()] },
  providers: [acme(client)]
}

const read = (options: unknown, { nodeEnv = 'test', prefix = '/integrations' } = {}) =>
  readOptions(options as ConfigOptions, { prefix, nodeEnv, otherOptions: ['prefix', 'identify'], problems: [] })

function problemsOf(options: unknown, context?: { nodeEnv?: string }): readonly string[] {
  try {
    read(options, context)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('options are the configuration that the same variables would be', async t => {
  const keys = { session: [newKey(), newKey()], token: [newKey()] }
  const dataDir = t.testdir()
  const { config } = read({
    publicUrl: 'https://app.example.com/',
    keys,
    store: { redisUrl: 'redis://redis.internal' },
    providers: [acme({ ...client, scopes: ['read', 'write'], apiUrl: 'https://api.other.example' }), roadRunner(client)],
    allowedOrigins: ['https://one.example.com', 'https://two.example.com'],
    login: {
      issuer: 'https://login.example.com',
      clientId: 'abc',
      clientSecret: 'def',
      scopes: ['openid', 'email'],
      acrValues: 'urn:a urn:b',
      maxAge: 60
    },
    jwt: { issuer: 'https://login.example.com', audience: ['one', 'two'], jwksUrl: 'https://login.example.com/keys', userClaim: 'sub' },
    app: { name: 'Acme', logoUrl: 'https://cdn.example.com/logo.svg', color: '#0a7d5a' },
    serviceKeys: [`nightly:${'a'.repeat(64)}`],
    sessionIdle: 100,
    sessionMax: 1000,
    connectionIdle: 10_000,
    storeGrace: 5,
    signInsPerMinute: 7,
    prefix: '/integrations'
  })
  const variables: Environment = {
    NODE_ENV: 'development',
    ALLOW_PUBLIC_DEVELOPMENT: '1',
    PUBLIC_URL: 'https://app.example.com/integrations',
    SESSION_KEYS: keys.session.join(','),
    TOKEN_KEYS: keys.token.join(','),
    REDIS_URL: 'redis://redis.internal',
    PROVIDERS: 'acme,road-runner',
    ACME_CLIENT_ID: client.clientId,
    ACME_CLIENT_SECRET: client.clientSecret,
    ACME_SCOPES: 'read write',
    ACME_API_URL: 'https://api.other.example',
    ROAD_RUNNER_CLIENT_ID: client.clientId,
    ROAD_RUNNER_CLIENT_SECRET: client.clientSecret,
    ALLOWED_ORIGINS: 'https://one.example.com,https://two.example.com',
    LOGIN_ISSUER: 'https://login.example.com',
    LOGIN_CLIENT_ID: 'abc',
    LOGIN_CLIENT_SECRET: 'def',
    LOGIN_SCOPES: 'openid email',
    LOGIN_ACR_VALUES: 'urn:a urn:b',
    LOGIN_MAX_AGE: '60',
    APP_NAME: 'Acme',
    APP_LOGO_URL: 'https://cdn.example.com/logo.svg',
    APP_COLOR: '0a7d5a',
    JWT_ISSUER: 'https://login.example.com',
    JWT_AUDIENCE: 'one,two',
    JWT_JWKS_URL: 'https://login.example.com/keys',
    JWT_USER_CLAIM: 'sub',
    SERVICE_KEYS: `nightly:${'a'.repeat(64)}`,
    SESSION_IDLE: '100',
    SESSION_MAX: '1000',
    CONNECTION_IDLE: '10000',
    STORE_GRACE: '5',
    SIGN_INS_PER_MINUTE: '7'
  }
  const expected = readConfig(variables, [acme, roadRunner], 3000)
  t.strictSame({ ...config, warnings: [] }, { ...expected, warnings: [] })
  t.equal(read({ ...minimal, store: { dataDir } }).config.dataDir, dataDir)
})

/** What only a server can set, or what a definition of the environment says by its name. */
const withoutOption = [
  'NODE_ENV',
  'HOST',
  'PORT',
  'ALLOW_PUBLIC_DEVELOPMENT',
  'TRUST_PROXY',
  'SHUTDOWN_DELAY',
  'SHUTDOWN_TIMEOUT',
  'KEEP_ALIVE_TIMEOUT',
  'WORKERS',
  'LOG_LEVEL',
  'PROVIDERS',
  'PROVIDERS_FROM'
]

t.test('every variable that the environment has is an option, or a server’s', async t => {
  const recorded = (read: (variables: Environment) => unknown) => {
    const names = new Set<string>()
    const record: ProxyHandler<Record<string, string>> = {
      get: (_, name) => {
        if (typeof name === 'string' && !name.endsWith('_FILE')) names.add(name)
        return name === 'SESSION_KEYS' || name === 'TOKEN_KEYS' ? newKey() : undefined
      }
    }
    read(new Proxy({}, record))
    return names
  }
  const read = recorded(variables => readConfig(variables, definitions, 3000))
  const isOfProvider = (name: string) => /^(ACME|ROAD_RUNNER|KEYED)_/.test(name)
  const problems = problemsOf({ publicUrl: 0, providers: [], nothing: 1 })
  t.match(problems.join('\n'), /no option nothing/)
  // The words of a problem in each option's name show that the option is known.
  const names = [...read].filter(name => !isOfProvider(name) && !withoutOption.includes(name))
  for (const name of names) {
    const path = camelCase(name)
    const value = path.includes('.') ? { [path.split('.')[0] as string]: { [path.split('.')[1] as string]: {} } } : { [path]: {} }
    t.match(problemsOf({ ...minimal, ...value }).join('\n'), `${path} must be`, name)
  }
})

/** `LOGIN_CLIENT_ID` is `login.clientId`, `SESSION_KEYS` is `keys.session`. */
function camelCase(variable: string): string {
  const special: Record<string, string> = {
    SESSION_KEYS: 'keys.session',
    TOKEN_KEYS: 'keys.token',
    REDIS_URL: 'store.redisUrl',
    DATA_DIR: 'store.dataDir'
  }
  const camel = (text: string) => text.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  const [, group, rest] = /^(LOGIN|JWT|APP)_(.*)$/.exec(variable) ?? []
  return special[variable] ?? (group && rest ? `${group.toLowerCase()}.${camel(rest)}` : camel(variable))
}

t.test('all problems are told at once, in the names of the options', async t => {
  t.strictSame(
    problemsOf(
      {
        publicUrl: 'http://app.example.com',
        keys: { session: 'c2hvcnQ=' },
        sessionIdle: 0,
        login: { issuer: 'https://login.example.com', clientID: 'abc' },
        providers: [acme({ clientSecret: 'canary-secret' })],
        sesionMax: 3
      },
      { nodeEnv: 'production' }
    ),
    [
      'There is no option login.clientID; login.clientId is probably meant.',
      'There is no option sesionMax; sessionMax is probably meant.',
      "publicUrl must be https, for example publicUrl: 'https://connect.example.com'.",
      'keys.session: key 1 of 1 has 5 bytes instead of 32. Generate one with: keys.session, an output of openssl rand -base64 32',
      'keys.token is missing: it seals the tokens in the store. Generate one with: keys.token, an output of openssl rand -base64 32',
      "login.clientId is missing: the sign-in of users needs it, and login.issuer is set. Set it, for example login.clientId: 'abc123'.",
      'sessionIdle must be a whole number from 1 to 31536000, for example sessionIdle: 1209600.',
      "the clientId of acme is missing: a secret is of use with its client ID alone, for example the clientId of acme: 'abc123'.",
      "providers lists acme, which has no OAuth client. Set one, for example the clientId of acme: 'abc123' and the clientSecret of acme, a string."
    ]
  )
})

t.test('a value of another type is one problem, which repeats no value', async t => {
  t.strictSame(problemsOf({ ...minimal, keys: { session: 5, token: ['canary-token', 5] } }), [
    "keys.session must be a string or a list of strings, for example session: ['…'].",
    "keys.token must be a string or a list of strings, for example token: ['…']."
  ])
  t.strictSame(problemsOf({ ...minimal, keys: 'canary-key' }), ["keys must be an object, for example keys: { session: ['…'] }."])
  t.strictSame(problemsOf({ ...minimal, sessionIdle: '100' }), ['sessionIdle must be a number, for example sessionIdle: 3600.'])
  t.strictSame(problemsOf({ ...minimal, publicUrl: undefined }), [
    "publicUrl is missing: it is the URL at which browsers reach your application, for example publicUrl: 'https://app.example.com'."
  ])
})

t.test('providers are a list of definitions with their options', async t => {
  const example = "for example providers: [acme({ clientId: '…', clientSecret: '…' })]"
  for (const providers of [undefined, [], 'acme', {}])
    t.strictSame(problemsOf({ ...minimal, providers }), [`providers must be a list of the providers to offer, ${example}.`])
  for (const item of [null, undefined, 'acme', {}, () => {}, { definition: { name: 'acme' }, options: {} }])
    t.strictSame(problemsOf({ ...minimal, providers: [acme(client), item] }), [
      `providers[1] is not a definition, made with defineProvider, that was called with its options, ${example}.`
    ])
  t.strictSame(problemsOf({ ...minimal, providers: [acme(client), acme(client)] }), [
    'providers[1]: acme is listed twice. Remove one of them.'
  ])
  t.strictSame([...read({ ...minimal, providers: [keyed] }).config.providers.keys()], ['keyed'], 'without options, where it needs none')
})

t.test('parameters that are the same for all users are options of the definition', async t => {
  const server = { title: 'Server', example: 'erp.example.com', isHost: true }
  const shop = { title: 'Shop', example: 'my-shop', pattern: '[a-z\\-]+' }
  const hosted = defineProvider({
    ...data.keyed,
    name: 'hosted',
    parameters: { server, shop },
    api: { baseUrl: 'https://{server}/{shop}' }
  })
  const provider = read({
    ...minimal,
    providers: [hosted({ parameters: { shop: 'acme' }, hosts: ['a.example.com', 'b.example.com'] })]
  }).config.providers.get('hosted')
  t.equal(provider?.definition.api.baseUrl, 'https://{server}/acme')
  t.strictSame(provider?.hosts, ['a.example.com', 'b.example.com'])
  t.strictSame(problemsOf({ ...minimal, providers: [hosted({ parameters: { shop: 'A' }, hosts: ['https://a.example.com/'] })] }), [
    "the hosts of hosted: \"https://a.example.com/\" is not a host name, such as one.example.com: no scheme, port, path or wildcard. For example the hosts of hosted: ['one.example.com', 'two.example.com'].",
    "parameters.shop of hosted (Shop) has another form than it must have, for example parameters.shop of hosted: 'my-shop'."
  ])
})

t.test('a mode that is not known counts as production', async t => {
  for (const nodeEnv of ['production', 'staging', 'prod'])
    t.match(problemsOf({ ...minimal, keys: {} }, { nodeEnv }), [/^keys\.session is missing/, /^keys\.token is missing/])
  for (const nodeEnv of ['', 'development', 'test']) t.strictSame(problemsOf({ ...minimal, publicUrl: 'http://app.test' }, { nodeEnv }), [])
})

t.test('an application has a public URL of its own, below which its prefix is', async t => {
  const { config } = read({ ...minimal, publicUrl: 'https://app.example.com/api/' })
  t.equal(config.publicUrl, 'https://app.example.com/api/integrations')
  t.equal(config.basePath, '/api/integrations')
  t.strictSame(config.warnings, [])
})

t.test('a Redis client of the application is the store', async t => {
  const redis = new Redis({ lazyConnect: true })
  t.teardown(() => redis.disconnect())
  const { config, redisClient } = read({ ...minimal, store: redis })
  t.equal(redisClient, redis)
  t.equal(config.redis, undefined)
})
