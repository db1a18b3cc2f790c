import t from 'tap'
import { answerHeaders, requestHeaders } from '../../src/core/headers.ts'
import { codeOf, shown } from './support.ts'

const own = { authorization: 'Bearer ours' }
const ours = ['authorization', 'Bearer ours']

const stoppedRequests = [
  // The contract's list, by prefix where it says *.
  'Cookie',
  'Cookie2',
  'Authorization',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Proxy-Anything',
  'Forwarded',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Uri',
  'X-Forwarded-Anything',
  // RFC 9110 §7.6.1 and older habits.
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Trailers',
  'Transfer-Encoding',
  'Upgrade',
  'HTTP2-Settings',
  // Framing and routing, which are ours.
  'Content-Length',
  'Expect',
  'Host',
  // What servers believe about who asks for what.
  'X-CSRF',
  'Via',
  'X-Real-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'True-Client-IP',
  'Client-IP',
  'CF-Connecting-IP',
  'X-Original-URL',
  'X-Original-Host',
  'X-Original-Uri',
  'X-Rewrite-URL',
  'X-HTTP-Method',
  'X-HTTP-Method-Override',
  'X-Method-Override',
  'Origin',
  'Referer',
  'Sec-Fetch-Site',
  'Sec-CH-UA',
  'Access-Control-Request-Method',
  'Access-Control-Request-Headers',
  'Access-Control-Request-Private-Network'
]

for (const name of stoppedRequests) {
  t.test(`SEC-29: the client's ${name} stops here, in every spelling`, async t => {
    const spellings = new Set([
      name,
      name.toLowerCase(),
      name.toUpperCase(),
      name.replaceAll('-', '_'),
      name.replace('-', '_').toLowerCase()
    ])
    for (const spelling of spellings)
      t.strictSame(requestHeaders([spelling, 'theirs', 'Accept', '*/*'], own), ['Accept', '*/*', ...ours], spelling)
  })
}

t.test('SEC-29: our headers survive whatever Connection names', async t => {
  for (const value of ['authorization', 'Authorization', 'close, authorization', ' AUTHORIZATION ,x', 'authorization,authorization']) {
    t.strictSame(requestHeaders(['Connection', value], own), ours, value)
    t.strictSame(requestHeaders(['connection', value, 'Authorization', 'Bearer theirs'], own), ours, `${value}, with one of their own`)
  }
})

t.test('SEC-29: what Connection names belongs to this hop', async t => {
  t.strictSame(requestHeaders(['X-Hop', '1', 'Connection', 'close, X-Hop', 'Accept', '*/*'], {}), ['Accept', '*/*'])
  t.strictSame(
    requestHeaders(['Connection', 'x-a', 'X-A', '1', 'X_A', '1', 'Connection', 'x-b', 'X-B', '1', 'X-C', '1'], {}),
    ['X-C', '1'],
    'each of several'
  )
  t.strictSame(requestHeaders(['Connection', 'x_a', 'X-A', '1'], {}), [], 'a look-alike of the name')
  for (const value of ['keep-alive', 'close', 'Keep-Alive', ''])
    t.strictSame(requestHeaders(['Connection', value, 'Accept', '*/*'], {}), ['Accept', '*/*'], `Connection: ${value}`)
})

t.test('SEC-29: no header of the client stands beside ours of the same name, however either is spelled', async t => {
  for (const [name, theirs] of [
    ['x-api-key', 'X-Api-Key'],
    ['x-api-key', 'x_api_key'],
    ['api_key', 'api_key'],
    ['api_key', 'Api-Key'],
    ['X-Version', 'x-version'],
    ['X-Version', 'X_VERSION']
  ] as const)
    t.strictSame(requestHeaders([theirs, 'theirs', theirs, 'again'], { [name]: 'ours' }), [name, 'ours'], `${theirs} beside ${name}`)
})

t.test('all other headers go up in their order and spelling, twice where they stand twice', async t => {
  const raw = [
    'Accept',
    '*/*',
    'X-Two',
    '1',
    'accept-LANGUAGE',
    'de',
    'X-Two',
    '2',
    'Content-Type',
    'text/plain',
    'X-Request-Id',
    'r',
    'X_Y',
    'z'
  ]
  t.strictSame(requestHeaders(raw, own), [...raw, ...ours])
  t.strictSame(requestHeaders([], {}), [])
})

t.test('a header that HTTP does not allow is refused, and not handed to the pool', async t => {
  const cases: Array<[string, string]> = [
    ['', 'x'],
    ['a b', 'x'],
    ['a:', 'x'],
    ['a\r\nb', 'x'],
    ['é', 'x'],
    ['x', 'a\nb'],
    ['x', 'a\rb'],
    ['x', 'a\0b'],
    ['x', '\x7f'],
    ['x', '\x01'],
    ['x', '\u0100'],
    ['x', '日']
  ]
  for (const [name, value] of cases)
    t.equal(
      codeOf(() => requestHeaders([name, value], own)),
      'header_rejected',
      shown(`${name}: ${value}`)
    )
  for (const value of ['', 'a\tb', 'caf\xe9', ' ', '"(),/:;<=>?@[\\]{}'])
    t.strictSame(requestHeaders(['X-A', value], {}), ['X-A', value], `${shown(value)} is allowed`)
  t.strictSame(requestHeaders(['Cookie', 'a\0b'], {}), [], 'a header that stops here need not be well-formed')
})

t.test('a refusal names the header and not its value', async t => {
  t.throws(() => requestHeaders(['X-Secret', 'canary\n'], {}), {
    code: 'header_rejected',
    status: 400,
    message: /^(?!.*canary).*"X-Secret"/s
  })
})

const stoppedAnswers = [
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-anything',
  'strict-transport-security',
  'alt-svc',
  'refresh',
  'www-authenticate',
  'service-worker-allowed',
  'proxy-authenticate',
  'proxy-anything',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'content-security-policy-report-only',
  'x-frame-options',
  'public-key-pins',
  'latchkey-error',
  'cross-origin-opener-policy',
  'cross-origin-embedder-policy',
  'cross-origin-resource-policy',
  'origin-agent-cluster',
  'report-to',
  'reporting-endpoints',
  'nel',
  'permissions-policy',
  'referrer-policy',
  'timing-allow-origin',
  'accept-ch',
  'critical-ch',
  'secure-session-registration',
  'secure-session-challenge',
  'set-login',
  'sourcemap',
  'speculation-rules',
  'use-as-dictionary',
  'x-accel-buffering',
  'x-accel-limit-rate',
  'x-reproxy-url',
  // Said to the proxy in front of us, which would believe that Latchkey says it.
  'cdn-cache-control',
  'cloudflare-cdn-cache-control',
  'surrogate-control',
  'x-accel-expires',
  'x-accel-redirect',
  'x-sendfile',
  'x-lighttpd-send-file'
]

const bare = {
  'cache-control': 'private, no-cache',
  vary: 'Cookie, Origin',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'"
}

t.test('SEC-30: the headers of a provider that would act on our origin stop here, once or in a list', async t => {
  for (const name of stoppedAnswers) {
    t.strictSame(answerHeaders({ [name]: 'theirs' }), bare, name)
    t.strictSame(answerHeaders({ [name]: ['theirs', 'again'] }), bare, `${name}, twice`)
  }
})

t.test('SEC-31: a proxied body is harmless on our origin, whatever the provider says of it', async t => {
  t.strictSame(answerHeaders({}), bare)
  t.strictSame(answerHeaders({ 'x-content-type-options': 'sniff', 'content-security-policy': 'default-src *' }), bare)
  t.strictSame(answerHeaders({ 'content-security-policy': ['default-src *', 'x'] }), bare)
})

t.test('SEC-31: no shared cache stores a proxied answer', async t => {
  for (const [theirs, shown] of [
    [undefined, 'private, no-cache'],
    ['', 'private'],
    ['public', 'private'],
    ['PUBLIC, max-age=60', 'private, max-age=60'],
    ['private', 'private'],
    ['private, max-age=60', 'private, max-age=60'],
    ['no-store', 'private, no-store'],
    ['no-cache', 'private, no-cache'],
    ['max-age=60, s-maxage=3600', 'private, max-age=60'],
    ['S-MaxAge=3600,must-revalidate', 'private, must-revalidate'],
    ['proxy-revalidate, max-age=1', 'private, max-age=1'],
    ['max-age=60, immutable', 'private, max-age=60, immutable'],
    ['private="set-cookie, x", max-age=60', 'private, max-age=60'],
    ['no-cache="x, public, y", max-age=1', 'private, no-cache, max-age=1'],
    ['max-age=1, ", public, s-maxage=60', 'private, max-age=1'],
    [['public', 'max-age=60'], 'private, max-age=60'],
    [[], 'private']
  ] as const)
    t.equal(answerHeaders({ 'cache-control': theirs as string | string[] | undefined })['cache-control'], shown, String(theirs))
})

t.test('SEC-31: caches are told that an answer depends on who asks and from where', async t => {
  t.equal(answerHeaders({ vary: 'Accept-Encoding' }).vary, 'Accept-Encoding, Cookie, Origin')
  t.equal(answerHeaders({ vary: ['Accept', 'Accept-Language'] }).vary, 'Accept, Accept-Language, Cookie, Origin')
  t.equal(answerHeaders({ vary: '*' }).vary, '*, Cookie, Origin')
})

t.test("what the provider's Connection names stops, also when there are several", async t => {
  t.strictSame(answerHeaders({ connection: 'close, x-hop', 'x-hop': '1', 'x-other': '2' }), { ...bare, 'x-other': '2' })
  t.strictSame(answerHeaders({ connection: ['close', 'x-hop'], 'x-hop': '1', 'x-other': '2' }), { ...bare, 'x-other': '2' })
  t.strictSame(answerHeaders({ connection: 'content-security-policy, vary, cache-control' }), bare, 'ours are not theirs to name')
})

t.test('all other headers of the provider reach the client as they are', async t => {
  const kept = {
    'content-type': 'application/json',
    etag: '"1"',
    'x-ratelimit-limit': '50',
    'retry-after': '3',
    link: ['<a>', '<b>'],
    location: '/x',
    date: 'now'
  }
  t.strictSame(answerHeaders({ ...kept, gone: undefined }), { ...bare, ...kept })
})

t.test('a header of the provider that HTTP does not allow is left out, and the answer goes on', async t => {
  t.strictSame(answerHeaders({ 'a b': 'x', é: 'x', nul: 'a\0b', line: 'a\nb', list: ['fine', 'a\rb'], good: 'caf\xe9' }), {
    ...bare,
    good: 'caf\xe9'
  })
})

t.test('what is decided of a name stays so, however many other names have come', async t => {
  const many = Array.from({ length: 3_000 }, (_, i) => [`X-Name-${i}`, 'x']).flat()
  t.strictSame(requestHeaders([...many, 'X_Forwarded_For', '1', 'X-Last', '2'], {}).slice(-4), ['X-Name-2999', 'x', 'X-Last', '2'])
  const answer = answerHeaders(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`x-name-${i}`, 'x'])))
  t.equal(answer['x-name-2999'], 'x')
  t.equal(answerHeaders({ 'set-cookie': 'a=b', 'x-last': 'y' })['set-cookie'], undefined)
})
