import t from 'tap'
import { development, newKey, problemsOf, production } from './support.ts'

const provider = (prefix: string) =>
  ['CLIENT_ID', 'CLIENT_SECRET', 'SCOPES', 'AUTHORIZE_URL', 'TOKEN_URL', 'REVOKE_URL', 'API_URL', 'ISSUER'].map(name => `${prefix}_${name}`)
const names = [
  ...['NODE_ENV', 'ALLOW_PUBLIC_DEVELOPMENT', 'HOST', 'PORT', 'PUBLIC_URL', 'REDIS_URL', 'DATA_DIR', 'SESSION_KEYS', 'TOKEN_KEYS'],
  ...['ALLOWED_ORIGINS', 'TRUST_PROXY', 'SESSION_IDLE', 'SESSION_MAX', 'STORE_GRACE', 'SIGN_INS_PER_MINUTE', 'SHUTDOWN_DELAY'],
  ...['SHUTDOWN_TIMEOUT', 'WORKERS', 'LOG_LEVEL', 'PROVIDERS', ...provider('ACME'), ...provider('ROAD_RUNNER'), ...provider('KEYED')]
]
const blanks = ['', ' ', '\t', '\n', '\ufeff', ',', ' , ', '""', "''", '" "']
const values = [
  ...blanks,
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

const cure = /for example [A-Z_]+=|Make one with: |A good address: |such as |Keep one of them|Remove it|set REDIS_URL|Configure one/

for (const [mode, environment] of Object.entries({ development, production })) {
  // With Redis and keys no folder is looked at, which takes its time.
  t.test(`of whatever stands in a variable, ${mode} makes a good value or a problem that names it and shows a good one`, async t => {
    const wrong: string[] = []
    for (const name of names) {
      for (const value of values) {
        const problems = problemsOf({ ...environment, ...(name !== 'DATA_DIR' && { REDIS_URL: 'redis://h' }), [name]: value })
        for (const problem of problems) if (!/^[A-Z_]{4,}\b|^No provider/.test(problem) || !cure.test(problem)) wrong.push(problem)
      }
    }
    t.strictSame([...new Set(wrong)], [])
  })
}

t.test('quotes around a value, as env files leave them, are told as what they are, and hide nothing else', async t => {
  const good = {
    ...production,
    HOST: '0.0.0.0',
    PORT: '8080',
    LOG_LEVEL: 'warn',
    REDIS_URL: 'redis://h',
    TRUST_PROXY: '10.0.0.0/8',
    WORKERS: '2'
  }
  t.strictSame(problemsOf(good), [])
  for (const quote of ['"', "'"]) {
    const quoted = Object.entries(good).map(([name, value]) => [name, name === 'NODE_ENV' ? value : quote + value + quote])
    const problems = problemsOf(Object.fromEntries(quoted))
    t.equal(problems.length, quoted.length - 1)
    for (const problem of problems) t.match(problem, /^[A-Z_]+ stands in quotes, .* Leave them out, for example [A-Z_]+=/)
    t.notMatch(problems.join(), /canary/)
  }
})

t.test('blanks, line breaks and a byte order mark around a value are no part of it', async t => {
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
    const good: Record<string, string> = {
      ...production,
      HOST: '0.0.0.0',
      PORT: '1',
      TRUST_PROXY: '::1',
      LOG_LEVEL: 'warn',
      PROVIDERS: 'acme'
    }
    for (const text of [` ${good[name]}`, `${good[name]}\n`, `${good[name]}\r\n`, `\ufeff${good[name]}`])
      t.strictSame(problemsOf({ ...good, [name]: text }), [], JSON.stringify([name, text]))
  }
})
