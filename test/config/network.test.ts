import t from 'tap'
import { development, problemsOf, production, read } from './support.ts'

const example = 'for example PUBLIC_URL=https://connect.example.com.'

t.test('PUBLIC_URL is this machine and port unless it is set', async t => {
  t.equal(read(development).publicUrl, 'http://localhost:3000')
  t.equal(read({ ...development, PORT: '8080' }).publicUrl, 'http://localhost:8080')
  t.equal(read({ ...development, PUBLIC_URL: 'https://Connect.example.com/' }).publicUrl, 'https://connect.example.com')
  t.equal(
    read({ ...development, PUBLIC_URL: 'http://10.0.0.1:8080' }).publicUrl,
    'http://10.0.0.1:8080',
    'outside production without TLS too'
  )
})

t.test('SEC-9: PUBLIC_URL is an origin', async t => {
  for (const [PUBLIC_URL, what] of [
    ['connect.example.com', 'must be an absolute http or https URL'],
    ['ftp://connect.example.com', 'must be an absolute http or https URL'],
    ['https://user@connect.example.com', 'must not hold a user name or password'],
    ['https://connect.example.com/?a', 'must not hold a query or fragment'],
    ['https://connect.example.com/#a', 'must not hold a query or fragment'],
    ['https://connect.example.com/path', 'must be an origin without a path']
  ] as const) {
    t.strictSame(problemsOf({ ...development, PUBLIC_URL }), [`PUBLIC_URL ${what}, ${example}`], PUBLIC_URL)
    t.strictSame(problemsOf({ ...production, PUBLIC_URL }), [`PUBLIC_URL ${what}, ${example}`], `${PUBLIC_URL} in production`)
  }
})

t.test('SEC-18: in production PUBLIC_URL is https, unless it is loopback', async t => {
  for (const PUBLIC_URL of ['http://connect.example.com', 'http://10.0.0.1', 'http://0.0.0.0:3000'])
    t.strictSame(problemsOf({ ...production, PUBLIC_URL }), [`PUBLIC_URL must be https, ${example}`], PUBLIC_URL)
  for (const PUBLIC_URL of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'https://10.0.0.1'])
    t.equal(read({ ...production, PUBLIC_URL }).publicUrl, PUBLIC_URL)
})

t.test('in production PUBLIC_URL is missing wherever others can reach us', async t => {
  const { PUBLIC_URL: _, ...without } = production
  for (const HOST of ['0.0.0.0', '::', '10.0.0.1', 'gateway.internal', '0.0.0.0:3000', 'a b'])
    t.strictSame(problemsOf({ ...without, HOST }), [`PUBLIC_URL is missing: it is the address that browsers use, ${example}`], HOST)
  t.strictSame(problemsOf({ ...without, HOST: '127.0.0.1' }), [])
  t.strictSame(problemsOf({ ...development, HOST: '0.0.0.0' }), [], 'elsewhere it need not be there')
})

t.test('SEC-25: ALLOWED_ORIGINS are exact, and our own is always one', async t => {
  t.strictSame([...read(development).allowedOrigins], ['http://localhost:3000'])
  t.strictSame(
    [...read({ ...production, ALLOWED_ORIGINS: 'https://app.example.com, https://b.example.com/,https://APP.example.com' }).allowedOrigins],
    ['https://connect.example.com', 'https://app.example.com', 'https://b.example.com']
  )
  for (const text of ['*', 'null', 'https://*.example.com', 'app.example.com', 'https://app.example.com/path'])
    t.strictSame(
      problemsOf({ ...development, ALLOWED_ORIGINS: `https://good.example.com,${text}` }),
      [`ALLOWED_ORIGINS: "${text}" is not an exact origin, for example ALLOWED_ORIGINS=https://app.example.com.`],
      text
    )
})

t.test('SEC-42: nobody is trusted as a proxy unless TRUST_PROXY says so', async t => {
  t.strictSame(read(development).trustProxy, [])
  const ranges = ['10.0.0.0/8', '192.0.2.1', '::1', 'fd00::/8', '0.0.0.0/0', '::/128']
  t.strictSame(read({ ...development, TRUST_PROXY: ranges.join(', ') }).trustProxy, ranges)
  for (const range of [
    'true',
    '1',
    'loopback',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/9',
    '10.0.0/8',
    '10.0.0.256',
    '::/129',
    'fd00::/x',
    'proxy.internal',
    '*'
  ])
    t.strictSame(
      problemsOf({ ...development, TRUST_PROXY: `10.0.0.0/8,${range}` }),
      [`TRUST_PROXY: "${range}" is not an address or CIDR range, for example TRUST_PROXY=10.0.0.0/8.`],
      range
    )
})

t.test('REDIS_URL is one of the four forms, and its password is not repeated', async t => {
  t.equal(read(development).redisUrl, undefined)
  for (const REDIS_URL of ['redis://127.0.0.1', 'rediss://:p@h:1/2', 'redis+cluster://a:1,b:2', 'redis+sentinel://a,b/main'])
    t.equal(read({ ...development, REDIS_URL }).redisUrl, REDIS_URL)
  for (const REDIS_URL of [
    'http://:canary@h',
    'canary',
    'redis://:canary@',
    'redis://:canary@a,b',
    'redis+sentinel://:canary@a',
    'redis://:canary%@h',
    'redis://canary@h'
  ]) {
    const [problem, ...more] = problemsOf({ ...development, REDIS_URL })
    t.match(problem, /^REDIS_URL: .*redis(\+\w+)?:\/\/:password@10\.0\.0\.1/, REDIS_URL)
    t.notMatch(problem, /canary/)
    t.strictSame(more, [])
  }
})
