import t from 'tap'
import { development, problemsOf, production, read } from './support.ts'

const misspellings = {
  SESION_KEYS: 'SESSION_KEYS',
  SESSION_KEY: 'SESSION_KEYS',
  SESSIONKEYS: 'SESSION_KEYS',
  Session_Keys: 'SESSION_KEYS',
  'session-keys': 'SESSION_KEYS',
  SESSION_KEYS_FIEL: 'SESSION_KEYS_FILE',
  TOKEN_KEY: 'TOKEN_KEYS',
  TOKNE_KEYS: 'TOKEN_KEYS',
  REDIS_URI: 'REDIS_URL',
  REDIS_URLS: 'REDIS_URL',
  TRUST_PROXIES: 'TRUST_PROXY',
  TRUSTED_PROXY: undefined,
  ALLOWED_ORIGIN: 'ALLOWED_ORIGINS',
  PUBLIC_URI: 'PUBLIC_URL',
  WORKER: 'WORKERS',
  LOG_LEVLE: 'LOG_LEVEL',
  PROVIDER: 'PROVIDERS',
  ACME_CLIENT_SECERT: 'ACME_CLIENT_SECRET',
  ACME_CLIENTID: 'ACME_CLIENT_ID',
  ROADRUNNER_CLIENT_ID: 'ROAD_RUNNER_CLIENT_ID',
  ROAD_RUNER_TOKEN_URL: 'ROAD_RUNNER_TOKEN_URL',
  SHUTDOWN_TIME_OUT: 'SHUTDOWN_TIMEOUT',
  SIGN_IN_PER_MINUTE: 'SIGN_INS_PER_MINUTE',
  port: 'PORT',
  Host: 'HOST',
  NODE_EVN: 'NODE_ENV'
}

t.test('in production a misspelled variable is a problem that suggests the right one', async t => {
  for (const [name, meant] of Object.entries(misspellings)) {
    const problems = problemsOf({ ...production, [name]: 'canary' })
    if (meant === undefined) {
      t.strictSame(problems, [], `${name} is two edits away`)
      continue
    }
    t.equal(problems.length, 1, name)
    t.match(problems[0], new RegExp(`^${name} is not a known variable; ${meant} is probably meant, for example ${meant}(_FILE)?=\\S`))
    t.notMatch(problems[0], /canary/, 'its value may be a secret')
  }
})

t.test('outside production it is a warning, except for NODE_ENV', async t => {
  t.strictSame(read({ ...development, SESION_KEYS: 'canary', REDIS_URI: 'canary' }).warnings, [
    'SESION_KEYS is not a known variable and is ignored; SESSION_KEYS is probably meant, for example SESSION_KEYS="$(openssl rand -base64 32)".',
    'REDIS_URI is not a known variable and is ignored; REDIS_URL is probably meant, for example REDIS_URL=redis://:password@10.0.0.1:6379/0.'
  ])
  t.match(problemsOf({ ...development, NODE_EVN: 'production' }), [
    /^NODE_EVN is not a known variable; NODE_ENV is probably meant, for example NODE_ENV=production\./
  ])
})

t.test('a misspelled name is reported with other problems, since it may cause them', async t => {
  t.match(problemsOf({ ...development, HOST: '0.0.0.0', ALLOW_PUBLIC_DEVELOPEMENT: '1' }), [
    /^HOST is "0\.0\.0\.0", which others can reach/,
    /^ALLOW_PUBLIC_DEVELOPEMENT is not a known variable; ALLOW_PUBLIC_DEVELOPMENT is probably meant, for example ALLOW_PUBLIC_DEVELOPMENT=1\./
  ])
})

t.test('variables of other programs are ignored', async t => {
  const others = [
    ...[
      'PATH',
      'HOME',
      'HOSTNAME',
      'HOSTS',
      'PORTS',
      'POST',
      'GHOST',
      'SPORT',
      'PWD',
      'TERM',
      'SHLVL',
      'LANG',
      'TZ',
      'USER',
      '_',
      'INIT_CWD',
      'EDITOR'
    ],
    ...[
      'NODE',
      'NODE_OPTIONS',
      'NODE_VERSION',
      'NODE_PATH',
      'NODE_EXTRA_CA_CERTS',
      'YARN_VERSION',
      'npm_config_port',
      'npm_lifecycle_event'
    ],
    ...[
      'KUBERNETES_PORT',
      'KUBERNETES_SERVICE_HOST',
      'KUBERNETES_PORT_443_TCP',
      'X_PORT',
      'X_SERVICE_HOST',
      'REDIS_PORT',
      'REDIS_SERVICE_PORT'
    ],
    ...[
      'REDIS_PORT_6379_TCP_ADDR',
      'REDIS_HOST',
      'REDIS_PASSWORD',
      'REDIS_URL_REPLICA',
      'REDIS_TLS_URL',
      'GRANTKEEPER_PORT',
      'GRANTKEEPER_SERVICE_HOST'
    ],
    ...[
      'DATABASE_URL',
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'NO_PROXY',
      'http_proxy',
      'XDG_DATA_DIRS',
      'XDG_DATA_HOME',
      'DYNO',
      'LOGNAME',
      'SECRET_KEY_BASE'
    ],
    ...[
      'SESSION_SECRET',
      'ACME_CLIENT',
      'ACME_API_KEY',
      'ACME_PORT',
      'ROAD_RUNNER_HOST',
      'OTHER_CLIENT_ID',
      '__proto__',
      'constructor',
      'toString'
    ]
  ]
  const environment = Object.fromEntries(others.map(name => [name, 'x']))
  t.strictSame(problemsOf({ ...production, ...environment }), [])
  t.strictSame(read({ ...development, ...environment }).warnings, [])
})

t.test('an empty misspelled variable is ignored', async t => {
  t.strictSame(problemsOf({ ...production, SESION_KEYS: '', REDIS_URI: undefined }), [])
})
