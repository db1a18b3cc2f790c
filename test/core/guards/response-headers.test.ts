import t from 'tap'
import { buildResponseHeaders } from '../../../src/core/guards/response-headers.ts'
import { byName } from '../../support/raw-headers.ts'

const answered = (headers: Parameters<typeof buildResponseHeaders>[1], status = 200) =>
  byName(buildResponseHeaders(status, headers, address => address))

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
  'grantkeeper-error',
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
  // Said to the proxy in front of us, which would believe that Grantkeeper says it.
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
  vary: 'Cookie, Origin, X-CSRF',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin'
}

t.test('SEC-30: the headers of a provider that would act on our origin stop here, once or in a list', async t => {
  for (const name of stoppedAnswers) {
    t.strictSame(answered({ [name]: 'theirs' }), bare, name)
    t.strictSame(answered({ [name]: ['theirs', 'again'] }), bare, `${name}, twice`)
  }
})

t.test('SEC-31: a proxied body is harmless on our origin, whatever the provider says of it', async t => {
  t.strictSame(answered({}), bare)
  t.strictSame(answered({ 'x-content-type-options': 'sniff', 'content-security-policy': 'default-src *' }), bare)
  t.strictSame(answered({ 'content-security-policy': ['default-src *', 'x'] }), bare)
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
    t.equal(answered({ 'cache-control': theirs as string | string[] | undefined })['cache-control'], shown, String(theirs))
})

t.test('SEC-31: caches are told that an answer depends on who asks and from where', async t => {
  t.equal(answered({ vary: 'Accept-Encoding' }).vary, 'Accept-Encoding, Cookie, Origin, X-CSRF')
  t.equal(answered({ vary: ['Accept', 'Accept-Language'] }).vary, 'Accept, Accept-Language, Cookie, Origin, X-CSRF')
  t.equal(answered({ vary: '*' }).vary, '*, Cookie, Origin, X-CSRF')
})

t.test("what the provider's Connection names stops, also when there are several", async t => {
  t.strictSame(answered({ connection: 'close, x-hop', 'x-hop': '1', 'x-other': '2' }), { ...bare, 'x-other': '2' })
  t.strictSame(answered({ connection: ['close', 'x-hop'], 'x-hop': '1', 'x-other': '2' }), { ...bare, 'x-other': '2' })
  t.strictSame(answered({ connection: 'content-security-policy, vary, cache-control' }), bare, 'ours are not theirs to name')
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
  t.strictSame(answered({ ...kept, gone: undefined }), { ...bare, ...kept })
})

t.test('a header of the provider that HTTP does not allow is left out, and the answer goes on', async t => {
  t.strictSame(answered({ 'a b': 'x', é: 'x', nul: 'a\0b', line: 'a\nb', list: ['fine', 'a\rb'], good: 'caf\xe9' }), {
    ...bare,
    good: 'caf\xe9'
  })
})

t.test('what is decided of a name stays so, however many other names have come', async t => {
  const answer = answered(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`x-name-${i}`, 'x'])))
  t.equal(answer['x-name-2999'], 'x')
  t.equal(answered({ 'set-cookie': 'a=b', 'x-last': 'y' })['set-cookie'], undefined)
})

t.test('an address is shown as the caller says, or not at all', async t => {
  const shown = buildResponseHeaders(200, { location: '/in', 'content-location': '/secret' }, address =>
    address === '/in' ? '/out' : undefined
  )
  t.strictSame(byName(shown), { ...bare, location: '/out' })
})

t.test('SEC-16: a header that holds a secret is not shown, in one value or in any of several', async t => {
  const isSecret = (value: string) => value.includes('KEY')
  const headers = { link: ['<a>', '<b?KEY>'], vary: 'KEY', 'cache-control': 'max-age=1, KEY', 'x-url': '/KEY', etag: '"1"' }
  t.strictSame(byName(buildResponseHeaders(200, headers, address => address, isSecret)), { ...bare, etag: '"1"' })
})

t.test('the length comes last, since node:http reads a Content-Disposition after it in another way', async t => {
  const list = buildResponseHeaders(
    200,
    { 'content-length': '5', 'content-disposition': 'attachment; filename="\xe6\x97\xa5"' },
    () => undefined
  )
  t.strictSame(list.slice(-2), ['content-length', '5'])
})

t.test('RFC 9110 §8.6: an answer that can have no body says no length', async t => {
  t.strictSame(answered({ 'content-length': '5' }, 204), bare)
  t.strictSame(answered({ 'content-length': '5' }, 304), { ...bare, 'content-length': '5' })
})

t.test(
  'SEC-24, SEC-31: no page of another origin loads a proxied response without CORS, nor frames it, unless its site is allowed',
  async t => {
    const policyOf = (...own: ['same-site'] | []) =>
      byName(buildResponseHeaders(200, { 'cross-origin-resource-policy': 'cross-origin' }, address => address, undefined, ...own))
    t.equal(policyOf()['cross-origin-resource-policy'], 'same-origin')
    t.equal(policyOf('same-site')['cross-origin-resource-policy'], 'same-site')
    t.match(policyOf()['content-security-policy'], /frame-ancestors 'none'/)
  }
)

t.test('an event stream is not buffered by the proxy in front, whatever the provider said to its own', async t => {
  for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8'])
    t.equal(answered({ 'content-type': type, 'x-accel-buffering': 'yes' })['x-accel-buffering'], 'no', type)
  for (const type of ['application/json', 'text/event-streams', 'text/plain; text/event-stream'])
    t.equal(answered({ 'content-type': type })['x-accel-buffering'], undefined, type)
})
