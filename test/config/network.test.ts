import fastify from 'fastify'
import t from 'tap'
import { parseRedisUrl } from '../../src/stores/redis/target.ts'
import { development, problemsOf, production, read } from './support.ts'

const example = 'for example PUBLIC_URL=https://connect.example.com.'
const publicDevelopment = { ...development, ALLOW_PUBLIC_DEVELOPMENT: '1' }

t.test('PUBLIC_URL defaults to localhost and the port', async t => {
  t.equal(read(development).publicUrl, 'http://localhost:3000')
  t.equal(read({ ...development, PORT: '8080' }).publicUrl, 'http://localhost:8080')
  t.equal(read({ ...development, PORT: '80' }).publicUrl, 'http://localhost', 'as browsers serialize it')
  t.equal(read({ ...production, PUBLIC_URL: 'https://Connect.example.com/' }).publicUrl, 'https://connect.example.com')
})

t.test('SEC-9: PUBLIC_URL is an origin', async t => {
  for (const [PUBLIC_URL, rule] of [
    ['connect.example.com', 'must be an absolute http or https URL'],
    ['ftp://connect.example.com', 'must be an absolute http or https URL'],
    ['https://user@connect.example.com', 'must not contain a user name or password'],
    ['https://*.example.com', 'must be an absolute http or https URL'],
    ['https://connect.example.com https://b.example.com', 'must be an absolute http or https URL'],
    ['https://connect.exa\nmple.com', 'must be an absolute http or https URL'],
    ['https://connect.example.com/?a', 'must not contain a query or fragment'],
    ['https://connect.example.com/#a', 'must not contain a query or fragment']
  ] as const) {
    t.strictSame(problemsOf({ ...publicDevelopment, PUBLIC_URL }), [`PUBLIC_URL ${rule}, ${example}`], PUBLIC_URL)
    t.strictSame(problemsOf({ ...production, PUBLIC_URL }), [`PUBLIC_URL ${rule}, ${example}`], `${PUBLIC_URL} in production`)
  }
})

t.test('the path of PUBLIC_URL is the prefix of every route', async t => {
  for (const [PUBLIC_URL, basePath] of [
    ['https://app.example.com/integrations/', '/integrations'],
    ['https://app.example.com/a/b.c_d~e-f', '/a/b.c_d~e-f'],
    ['https://app.example.com/', '']
  ] as const) {
    const config = read({ ...production, PUBLIC_URL })
    t.strictSame([config.publicUrl, config.basePath], [`https://app.example.com${basePath}`, basePath])
    t.equal(config.publicOrigin.origin, 'https://app.example.com')
  }
})

t.test('a path that proxies and browsers could spell differently is refused', async t => {
  for (const path of ['a//b', 'a%20b', 'a%2Fb', 'ä', 'a;b', 'a:b', 'x'.repeat(256)])
    t.match(problemsOf({ ...production, PUBLIC_URL: `https://app.example.com/${path}` }), [/^PUBLIC_URL: its path/], path)
})

t.test('SEC-18: in production PUBLIC_URL is https or loopback', async t => {
  for (const PUBLIC_URL of ['http://connect.example.com', 'http://10.0.0.1', 'http://0.0.0.0:3000'])
    t.strictSame(problemsOf({ ...production, PUBLIC_URL }), [`PUBLIC_URL must be https, ${example}`], PUBLIC_URL)
  for (const PUBLIC_URL of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'https://10.0.0.1'])
    t.equal(read({ ...production, PUBLIC_URL }).publicUrl, PUBLIC_URL)
})

t.test('in production PUBLIC_URL is required unless HOST is loopback', async t => {
  const { PUBLIC_URL: _, ...without } = production
  for (const HOST of ['0.0.0.0', '::', '10.0.0.1', 'gateway.internal'])
    t.strictSame(problemsOf({ ...without, HOST }), [`PUBLIC_URL is missing: it is the URL that browsers use, ${example}`], HOST)
  t.strictSame(problemsOf({ ...without, HOST: '127.0.0.1' }), [])
  t.strictSame(problemsOf({ ...publicDevelopment, HOST: '0.0.0.0' }), [], 'it is optional in development')
})

t.test('HOST is an IP address or host name without scheme and port', async t => {
  for (const HOST of ['127.0.0.1', '::1', 'localhost', 'gateway-1.internal', 'my_host', 'fe80::1%eth0'])
    t.equal(read({ ...publicDevelopment, HOST }).host, HOST)
  for (const HOST of [
    '0.0.0.0:3000',
    'a b',
    'http://0.0.0.0',
    '[::1]',
    '*',
    '0',
    '127.1',
    '0.0.0.256',
    'a/b',
    'localhost:3000',
    'ü.example'
  ])
    t.strictSame(
      problemsOf({ ...development, HOST }),
      [`HOST: "${HOST}" is not an IP address or host name (without scheme and port), for example HOST=127.0.0.1.`],
      HOST
    )
})

t.test('SEC-25: ALLOWED_ORIGINS are exact and always include the own origin', async t => {
  t.strictSame([...read(development).allowedOrigins], ['http://localhost:3000'])
  t.strictSame(
    [...read({ ...production, ALLOWED_ORIGINS: 'https://app.example.com, https://b.example.com/,https://APP.example.com' }).allowedOrigins],
    ['https://connect.example.com', 'https://app.example.com', 'https://b.example.com']
  )
  for (const text of ['*', 'null', 'https://*.com', 'app.example.com', 'https://app.example.com/path'])
    t.strictSame(
      problemsOf({ ...development, ALLOWED_ORIGINS: `https://good.example.com,${text}` }),
      [
        `ALLOWED_ORIGINS: "${text}" is not an exact origin, nor a pattern of one leading label such as https://*.preview.example.com; for example ALLOWED_ORIGINS=https://app.example.com.`
      ],
      text
    )
})

t.test('SEC-42: no proxy is trusted unless TRUST_PROXY lists it', async t => {
  t.strictSame(read(development).trustProxy, [])
  const ranges = ['10.0.0.0/8', '192.0.2.1', '::1', 'fd00::/8', 'fc00::/7', '::/128', '::ffff:10.0.0.0/104', 'fe80::1%eth0', '11.0.0.7/8']
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
    '*',
    'everyone',
    '10.0.0.0/255.0.0.0',
    '10.0.0.1:80',
    '[::1]'
  ])
    t.strictSame(
      problemsOf({ ...development, TRUST_PROXY: `10.0.0.0/8,${range}` }),
      [`TRUST_PROXY: "${range}" is not an IP address or CIDR range, for example TRUST_PROXY=10.0.0.0/8.`],
      range
    )
})

t.test('REDIS_URL has one of four forms, and its password is not repeated', async t => {
  t.equal(read(development).redis, undefined)
  for (const REDIS_URL of ['redis://127.0.0.1', 'rediss://:p@h:1/2', 'redis+cluster://a:1,b:2', 'redis+sentinel://a,b/main'])
    t.same(read({ ...development, REDIS_URL }).redis, parseRedisUrl(REDIS_URL))
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

t.test('an invalid REDIS_URL does not select the embedded store', async t => {
  t.equal(problemsOf({ ...production, WORKERS: '2', DATA_DIR: '/dev/null/data', REDIS_URL: 'canary' }).length, 1)
})

t.test('SEC-42: a TRUST_PROXY range that trusts everyone is refused in every notation', async t => {
  for (const range of [
    '0.0.0.0/0',
    '::/0',
    '1.2.3.4/0',
    '0.0.0.0/1',
    '128.0.0.0/1',
    '8.0.0.0/7',
    '2000::/3',
    '::/1',
    '::/8',
    '::ffff:0:0/96',
    '::ffff:0.0.0.0/97',
    '::ffff:10.0.0.1/8',
    '::fff0:0:0/92'
  ]) {
    const [problem, ...more] = problemsOf({ ...production, TRUST_PROXY: `10.0.0.0/8, ${range}` })
    t.equal(
      problem,
      `TRUST_PROXY: "${range}" is so wide that any client could forge its IP address in X-Forwarded-For and evade rate limits. Set the load balancers’ own IP addresses, for example TRUST_PROXY=10.0.0.0/8.`
    )
    t.strictSame(more, [])
  }
})

t.test('SEC-42: Fastify accepts every TRUST_PROXY value that is accepted here', async t => {
  const ranges = [
    '10.0.0.0/8',
    '10.0.0.0/008',
    '11.0.0.7/8',
    '192.0.2.1',
    '192.0.2.1/32',
    '::1',
    '::1/128',
    'fc00::/7',
    '::ffff:10.0.0.0/104',
    'fe80::1%eth0'
  ]
  const { trustProxy } = read({ ...production, TRUST_PROXY: ranges.join() })
  t.strictSame(trustProxy, ranges)
  for (const range of trustProxy) t.doesNotThrow(() => fastify({ trustProxy: [range] }), range)
})

t.test('a frontend on another site is a warning: browsers send it no cookie', async t => {
  const warningsOf = (ALLOWED_ORIGINS: string) => read({ ...production, ALLOWED_ORIGINS }).warnings
  for (const origin of ['https://app.example.com', 'https://example.com', 'https://a.b.example.com:8443', 'https://connect.example.com'])
    t.strictSame(warningsOf(origin), [], origin)
  for (const origin of [
    'https://app.example.org',
    'http://app.example.com',
    'https://example.com.evil.test',
    'https://10.0.0.1',
    'http://localhost:5173'
  ])
    t.match(warningsOf(`https://app.example.com,${origin}`), [
      new RegExp(`^ALLOWED_ORIGINS: "${origin}" may be another site than https://connect\\.example\\.com\\.`)
    ])
  t.strictSame(read({ ...development, ALLOWED_ORIGINS: 'http://localhost:5173' }).warnings, [], 'two ports are one site')
  t.equal(read({ ...development, ALLOWED_ORIGINS: 'http://127.0.0.1:5173' }).warnings.length, 1, 'localhost and 127.0.0.1 are two sites')
})
