import { join } from 'node:path'
import t from 'tap'
import { readConfig, readPort } from '../../src/config/config.ts'
import { AllowedOrigins } from '../../src/core/guards/allowed-origins.ts'
import { parseRedisUrl } from '../../src/stores/redis/target.ts'
import { acme, definitions, development, newKey, problemsOf, production, read } from './support.ts'

const hour = 3_600_000
const day = 24 * hour

t.test('every setting but the keys has a default', async t => {
  const { keys, ...rest } = read(development)
  t.equal(keys.session.length + keys.token.length, 2)
  t.strictSame(rest, {
    production: false,
    host: '127.0.0.1',
    port: 3000,
    publicUrl: 'http://localhost:3000',
    redis: undefined,
    basePath: '',
    brand: {},
    publicOrigin: { origin: 'http://localhost:3000', host: 'localhost:3000', hostname: 'localhost', port: 3000, isHttps: false },
    dataDir: '.grantkeeper',
    bearer: { jwt: undefined, serviceKeys: [] },
    login: undefined,
    userNamespaces: [{ issuer: '', claim: 'sub' }],
    issuerOrigins: [],
    allowedOrigins: new AllowedOrigins(['http://localhost:3000']),
    trustProxy: [],
    session: { idleMs: 14 * day, maxMs: 90 * day },
    connectionIdleMs: 180 * day,
    storeGraceMs: 30_000,
    signInsPerAddress: 300,
    shutdown: { delayMs: 1000, timeoutMs: 10_000 },
    keepAliveMs: 72_000,
    workers: 1,
    logLevel: 'info',
    providers: new Map(),
    warnings: []
  })
})

t.test('every variable is read', async t => {
  const { keys, providers, ...rest } = read({
    ...production,
    HOST: '0.0.0.0',
    PORT: '8080',
    REDIS_URL: 'rediss://:canary@redis.internal',
    DATA_DIR: '/var/lib/grantkeeper',
    APP_NAME: 'Acme',
    ALLOWED_ORIGINS: 'https://app.example.com',
    TRUST_PROXY: '10.0.0.0/8',
    SESSION_IDLE: '60',
    SESSION_MAX: '3600',
    CONNECTION_IDLE: '7200',
    LOGIN_ISSUER: 'https://login.example.com',
    LOGIN_CLIENT_ID: 'login-client',
    JWT_ISSUER: 'https://login.example.com',
    JWT_AUDIENCE: 'https://connect.example.com',
    SERVICE_KEYS: `nightly:${'ab'.repeat(32)}`,
    STORE_GRACE: '0',
    SIGN_INS_PER_MINUTE: '5000',
    SHUTDOWN_DELAY: '0',
    SHUTDOWN_TIMEOUT: '60',
    KEEP_ALIVE_TIMEOUT: '620',
    WORKERS: '4',
    LOG_LEVEL: 'debug'
  })
  t.strictSame(rest, {
    production: true,
    host: '0.0.0.0',
    port: 8080,
    publicUrl: 'https://connect.example.com',
    redis: parseRedisUrl('rediss://:canary@redis.internal'),
    brand: { name: 'Acme' },
    basePath: '',
    publicOrigin: {
      origin: 'https://connect.example.com',
      host: 'connect.example.com',
      hostname: 'connect.example.com',
      port: 443,
      isHttps: true
    },
    dataDir: '/var/lib/grantkeeper',
    bearer: {
      jwt: {
        issuer: 'https://login.example.com',
        audiences: ['https://connect.example.com'],
        userClaim: 'sub',
        keys: {
          kind: 'issuer',
          issuer: 'https://login.example.com',
          jwksUrl: undefined,
          trustedOrigins: ['https://login.example.com']
        }
      },
      serviceKeys: [{ name: 'nightly', hash: Buffer.alloc(32, 0xab), mayReadTokens: false }]
    },
    login: { issuer: 'https://login.example.com', clientId: 'login-client', scopes: ['openid', 'profile', 'email'] },
    userNamespaces: [{ issuer: 'https://login.example.com', claim: 'sub' }],
    issuerOrigins: ['https://login.example.com', 'https://login.example.com'],
    allowedOrigins: new AllowedOrigins(['https://connect.example.com', 'https://app.example.com']),
    trustProxy: ['10.0.0.0/8'],
    session: { idleMs: 60_000, maxMs: hour },
    connectionIdleMs: 2 * hour,
    storeGraceMs: 0,
    signInsPerAddress: 5000,
    shutdown: { delayMs: 0, timeoutMs: 60_000 },
    keepAliveMs: 620_000,
    workers: 4,
    logLevel: 'debug',
    warnings: []
  })
  t.equal(rest.redis?.password?.reveal(), 'canary')
  t.strictSame(keys.session, [Buffer.from(development.SESSION_KEYS, 'base64')])
  t.strictSame([...providers.keys()], ['acme'])
})

t.test('the configuration cannot be changed', async t => {
  t.ok(Object.isFrozen(read(development)))
})

t.test('an invalid number or choice is a problem with an example', async t => {
  const wholeNumber = (name: string, bounds: string, example: number) =>
    `${name} must be a whole number from ${bounds}, for example ${name}=${example}.`
  for (const [name, values, problem] of [
    ['PORT', ['x', '-1', '65536', '80.5', '3000 4000'], wholeNumber('PORT', '0 to 65535', 3000)],
    ['SESSION_IDLE', ['0', '8h', '31536001'], wholeNumber('SESSION_IDLE', '1 to 31536000', 1_209_600)],
    ['SESSION_MAX', ['0', '30d', '31536001'], wholeNumber('SESSION_MAX', '1 to 31536000', 7_776_000)],
    ['CONNECTION_IDLE', ['0', '180d', '315360001'], wholeNumber('CONNECTION_IDLE', '1 to 315360000', 15_552_000)],
    ['STORE_GRACE', ['-1', '30s', '3601'], wholeNumber('STORE_GRACE', '0 to 3600', 30)],
    ['SIGN_INS_PER_MINUTE', ['0', '5/s', '1000001'], wholeNumber('SIGN_INS_PER_MINUTE', '1 to 1000000', 300)],
    ['SHUTDOWN_DELAY', ['-1', '1s', '3601'], wholeNumber('SHUTDOWN_DELAY', '0 to 3600', 1)],
    ['KEEP_ALIVE_TIMEOUT', ['0', '1m', '3601'], wholeNumber('KEEP_ALIVE_TIMEOUT', '1 to 3600', 72)],
    ['SHUTDOWN_TIMEOUT', ['-1', '1m', '3601'], wholeNumber('SHUTDOWN_TIMEOUT', '0 to 3600', 10)],
    [
      'LOG_LEVEL',
      ['INFO', 'verbose', '30'],
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, for example LOG_LEVEL=info.'
    ]
  ] as const)
    for (const value of values) t.strictSame(problemsOf({ ...development, [name]: value }), [problem], `${name}=${value}`)
})

t.test('SEC-21: the idle limit of a session is capped at its maximum age', async t => {
  t.strictSame(read({ ...development, SESSION_IDLE: '7200', SESSION_MAX: '3600' }).session, { idleMs: hour, maxMs: hour })
  t.strictSame(read({ ...development, SESSION_MAX: '3600' }).session, { idleMs: hour, maxMs: hour })
})

t.test('the default PUBLIC_URL has the port that PORT=0 resolved to', async t => {
  const config = readConfig({ ...development, PORT: '0' }, definitions, 45_678)
  t.equal(config.port, 45_678)
  t.equal(config.publicUrl, 'http://localhost:45678')
  t.equal(readPort({ PORT: '0' }), 0)
  t.equal(readPort({}), 3000)
})

t.test('every variable can be read from a file', async t => {
  const directory = t.testdir({
    host: '0.0.0.0\n',
    port: '8080\n',
    public: 'https://connect.example.com\n',
    redis: 'redis://redis.internal\n',
    keys: `${development.SESSION_KEYS},\n${newKey()}\n`,
    origins: 'https://app.example.com\n',
    secret: 'canary-secret\n',
    level: 'warn\n'
  })
  const file = (name: string) => join(directory, name)
  const config = read({
    NODE_ENV: 'production',
    HOST_FILE: file('host'),
    PORT_FILE: file('port'),
    PUBLIC_URL_FILE: file('public'),
    REDIS_URL_FILE: file('redis'),
    SESSION_KEYS_FILE: file('keys'),
    TOKEN_KEYS_FILE: file('keys'),
    ALLOWED_ORIGINS_FILE: file('origins'),
    LOG_LEVEL_FILE: file('level'),
    ACME_CLIENT_ID: 'client',
    ACME_CLIENT_SECRET_FILE: file('secret')
  })
  t.match(config, {
    host: '0.0.0.0',
    port: 8080,
    publicUrl: 'https://connect.example.com',
    redis: { displayUrl: 'redis://redis.internal:6379/0' },
    logLevel: 'warn'
  })
  t.equal(config.keys.session.length, 2)
  t.ok(config.allowedOrigins.has('https://app.example.com'))
  t.equal(config.providers.get('acme')?.client?.secret?.reveal(), 'canary-secret')
})

t.test('production needs every required variable and no more', async t => {
  t.strictSame(problemsOf(production), [])
  for (const [name, problem] of [
    ['SESSION_KEYS', /^SESSION_KEYS is missing/],
    ['TOKEN_KEYS', /^TOKEN_KEYS is missing/],
    ['ACME_CLIENT_ID', /^ACME_CLIENT_ID is missing/]
  ] as const)
    t.match(problemsOf({ ...production, [name]: undefined })[0], problem, name)
})

const everythingWrong = {
  NODE_ENV: 'production',
  HOST: '0.0.0.0',
  PORT: 'canary',
  PUBLIC_URL: 'http://canary.example.com',
  REDIS_URL: 'http://:canary@redis',
  SESSION_KEYS: `${newKey()},canary`,
  TOKEN_KEYS_FILE: 'canary',
  TRUST_PROXY: 'true',
  ALLOWED_ORIGINS: '*',
  SESSION_IDLE: 'canary',
  SESSION_MAX: 'canary',
  LOG_LEVEL: 'canary',
  DATA_DIR: '/data',
  ACME_CLIENT_ID: 'client',
  ACME_CLIENT_SECRET: 'canary\u0000',
  ACME_TOKEN_URL: 'https://user:canary@acme.example',
  ROAD_RUNNER_CLIENT_SECRET: 'canary',
  KEYED_CLIENT_ID: 'canary',
  KEYED_CLIENT_SECRET: 'canary',
  PROVIDERS: 'umbrella'
}

t.test('all problems are reported at once, each beginning with its variable', async t => {
  t.strictSame(
    problemsOf(everythingWrong)
      .map(problem => /^[A-Z_]+/.exec(problem)?.[0])
      .toSorted(),
    [
      'ACME_CLIENT_SECRET',
      'ACME_TOKEN_URL',
      'ALLOWED_ORIGINS',
      'KEYED_CLIENT_ID',
      'LOG_LEVEL',
      'PORT',
      'PROVIDERS',
      'PUBLIC_URL',
      'REDIS_URL',
      'ROAD_RUNNER_CLIENT_ID',
      'SESSION_IDLE',
      'SESSION_KEYS',
      'SESSION_MAX',
      'TOKEN_KEYS',
      'TOKEN_KEYS_FILE',
      'TRUST_PROXY'
    ]
  )
})

t.test('SEC-40: no problem repeats a secret', async t => {
  for (const problem of problemsOf(everythingWrong)) t.notMatch(problem, /canary/, problem)
})

t.test('a variable that is set directly and by file is one problem', async t => {
  for (const name of ['PUBLIC_URL', 'HOST', 'PORT', 'SESSION_KEYS', 'ACME_CLIENT_SECRET', 'PROVIDERS'] as const) {
    const valid = { ...production, HOST: '0.0.0.0', PORT: '1', PROVIDERS: acme.name }
    t.strictSame(problemsOf({ ...valid, [`${name}_FILE`]: '/run/secrets/x' }), [`${name} and ${name}_FILE are both set. Keep one of them.`])
  }
})
