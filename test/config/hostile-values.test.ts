import t from 'tap'
import { development, newKey, problemsOf, production } from './support.ts'

const provider = (prefix: string) =>
  ['CLIENT_ID', 'CLIENT_SECRET', 'SCOPES', 'AUTHORIZE_URL', 'TOKEN_URL', 'REFRESH_URL', 'REVOKE_URL', 'API_URL', 'ISSUER'].map(
    name => `${prefix}_${name}`
  )
const names = [
  ...['NODE_ENV', 'ALLOW_PUBLIC_DEVELOPMENT', 'HOST', 'PORT', 'PUBLIC_URL', 'REDIS_URL', 'DATA_DIR', 'SESSION_KEYS', 'TOKEN_KEYS'],
  ...['ALLOWED_ORIGINS', 'TRUST_PROXY', 'SESSION_IDLE', 'SESSION_MAX', 'STORE_GRACE', 'SIGN_INS_PER_MINUTE', 'SHUTDOWN_DELAY'],
  ...['CONNECTION_IDLE', 'LOGIN_ISSUER', 'LOGIN_CLIENT_ID', 'LOGIN_CLIENT_SECRET', 'LOGIN_SCOPES', 'LOGIN_ACR_VALUES', 'LOGIN_MAX_AGE'],
  ...['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_JWKS_URL', 'JWT_USER_CLAIM', 'JWT_SECRETS', 'SERVICE_KEYS'],
  ...['SHUTDOWN_TIMEOUT', 'WORKERS', 'LOG_LEVEL', 'PROVIDERS', ...provider('ACME'), ...provider('ROAD_RUNNER'), ...provider('KEYED')]
]
const blankValues = ['', ' ', '\t', '\n', '\ufeff', ',', ' , ', '""', "''", '" "']
const values = [
  ...blankValues,
  ...['0', '-1', '+1', '1.5', '1e3', '0x10', 'NaN', 'Infinity', '3000 4000', '٣', '9'.repeat(400), '9'.repeat(20), '00', '1_000', '1,000'],
  ...[
    'true',
    'false',
    'null',
    'undefined',
    '[object Object]',
    '*',
    '%',
    '%00',
    '\0',
    'a\0b',
    '..',
    '/',
    '\\',
    '~',
    '$HOME',
    '$(PORT)',
    '{}',
    '[]'
  ],
  ...[
    'http://',
    'https://',
    'https://[',
    'https://a:b@c',
    'https://h:99999',
    '//h',
    'javascript:0',
    'https://*.example.com',
    'file:///etc'
  ],
  ...['0.0.0.0', '::', '0.0.0.0/0', '::/0', '1.2.3.4/-1', '::ffff:0:0/95', 'x'.repeat(100_000), `${newKey()},`, `${newKey()}\n${newKey()}`],
  ...[
    'acme,acme',
    'ACME',
    '__proto__',
    'constructor',
    'toString',
    'redis://',
    'redis://h/x',
    'redis+cluster://',
    'INFO',
    'Info',
    'production'
  ]
]

const remedy = /for example [A-Z_]+=|Generate one with: |A good address: |such as |Keep one of them|Remove it|set REDIS_URL|Configure one/

for (const [mode, environment] of Object.entries({ development, production })) {
  // With Redis and keys no directory is checked, which would take time.
  t.test(`in ${mode} any value is valid or a problem that names the variable and shows an example`, async t => {
    const unclear: string[] = []
    for (const name of names) {
      for (const value of values) {
        const problems = problemsOf({ ...environment, ...(name !== 'DATA_DIR' && { REDIS_URL: 'redis://h' }), [name]: value })
        for (const problem of problems) if (!/^[A-Z_]{4,}\b|^No provider/.test(problem) || !remedy.test(problem)) unclear.push(problem)
      }
    }
    t.strictSame([...new Set(unclear)], [])
  })
}

t.test('quotes around a value are a problem of their own and cause no others', async t => {
  const valid = {
    ...production,
    HOST: '0.0.0.0',
    PORT: '8080',
    LOG_LEVEL: 'warn',
    REDIS_URL: 'redis://h',
    TRUST_PROXY: '10.0.0.0/8',
    WORKERS: '2'
  }
  t.strictSame(problemsOf(valid), [])
  for (const quote of ['"', "'"]) {
    const quoted = Object.entries(valid).map(([name, value]) => [name, name === 'NODE_ENV' ? value : quote + value + quote])
    const problems = problemsOf(Object.fromEntries(quoted))
    t.equal(problems.length, quoted.length - 1)
    for (const problem of problems) t.match(problem, /^[A-Z_]+ is in quotes, .* Remove them, for example [A-Z_]+=/)
    t.notMatch(problems.join(), /canary/)
  }
})

t.test('white space and a byte order mark around a value are trimmed', async t => {
  for (const name of [
    'HOST',
    'PORT',
    'PUBLIC_URL',
    'ACME_CLIENT_ID',
    'ACME_CLIENT_SECRET',
    'SESSION_KEYS',
    'TRUST_PROXY',
    'LOG_LEVEL',
    'PROVIDERS'
  ]) {
    const valid: Record<string, string> = {
      ...production,
      HOST: '0.0.0.0',
      PORT: '1',
      TRUST_PROXY: '::1',
      LOG_LEVEL: 'warn',
      PROVIDERS: 'acme'
    }
    for (const text of [` ${valid[name]}`, `${valid[name]}\n`, `${valid[name]}\r\n`, `\ufeff${valid[name]}`])
      t.strictSame(problemsOf({ ...valid, [name]: text }), [], JSON.stringify([name, text]))
  }
})
