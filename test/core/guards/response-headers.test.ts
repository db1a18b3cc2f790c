import t from 'tap'
import { buildResponseHeaders } from '../../../src/core/guards/response-headers.ts'
import { groupHeaders } from '../../support/raw-headers.ts'

const responseHeaders = (headers: Parameters<typeof buildResponseHeaders>[1], status = 200) =>
  groupHeaders(buildResponseHeaders(status, headers, url => url))

/** What each header would do if the gateway's origin passed it on. */
const harmful: Record<string, readonly string[]> = {
  'sets or clears state of the origin': [
    'set-cookie',
    'set-cookie2',
    'clear-site-data',
    'set-login',
    'secure-session-registration',
    'secure-session-challenge',
    'sec-session-registration',
    'sec-session-challenge'
  ],
  'grants other origins access': ['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-anything'],
  'changes how browsers reach the origin': [
    'strict-transport-security',
    'alt-svc',
    'public-key-pins',
    'accept-ch',
    'critical-ch',
    'use-as-dictionary',
    'speculation-rules'
  ],
  'navigates, asks for a password or widens a service worker': [
    'refresh',
    'www-authenticate',
    'proxy-authenticate',
    'service-worker-allowed'
  ],
  'sets a policy of the origin': [
    'content-security-policy-report-only',
    'x-frame-options',
    'cross-origin-opener-policy',
    'cross-origin-embedder-policy',
    'cross-origin-resource-policy',
    'origin-agent-cluster',
    'permissions-policy',
    'referrer-policy',
    'timing-allow-origin'
  ],
  'sends reports or source elsewhere': ['report-to', 'reporting-endpoints', 'nel', 'sourcemap', 'x-sourcemap'],
  'reads as an error of the gateway': ['grantkeeper-error'],
  'belongs to the hop': [
    'connection',
    'keep-alive',
    'proxy-anything',
    'proxy-connection',
    'te',
    'trailer',
    'trailers',
    'transfer-encoding',
    'upgrade',
    'http2-settings'
  ],
  'instructs the proxy or CDN in front': [
    'cdn-cache-control',
    'cloudflare-cdn-cache-control',
    'surrogate-control',
    'x-accel-buffering',
    'x-accel-charset',
    'x-accel-expires',
    'x-accel-limit-rate',
    'x-accel-redirect',
    'x-lighttpd-send-file',
    'x-reproxy-url',
    'x-sendfile'
  ]
}

const bare = {
  'cache-control': 'private, no-cache',
  vary: 'Authorization, Grantkeeper-Connection, Grantkeeper-User, Cookie, Origin, X-CSRF',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin'
}

t.test('SEC-30: provider headers that would act on the gateway’s origin are stripped', async t => {
  for (const [effect, names] of Object.entries(harmful)) {
    for (const name of names) {
      t.strictSame(responseHeaders({ [name]: 'theirs' }), bare, `${name} ${effect}`)
      t.strictSame(responseHeaders({ [name]: ['theirs', 'again'] }), bare, `${name}, twice`)
    }
  }
})

t.test('SEC-31: the provider cannot replace the headers that make a body harmless', async t => {
  t.strictSame(responseHeaders({}), bare)
  t.strictSame(responseHeaders({ 'x-content-type-options': 'sniff', 'content-security-policy': 'default-src *' }), bare)
  t.strictSame(responseHeaders({ 'content-security-policy': ['default-src *', 'x'] }), bare)
})

t.test('SEC-31: no shared cache may store a proxied response', async t => {
  for (const [theirs, expected] of [
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
    t.equal(responseHeaders({ 'cache-control': theirs as string | string[] | undefined })['cache-control'], expected, String(theirs))
})

t.test('SEC-31, SEC-56: Vary lists all that chooses whose response it is', async t => {
  t.equal(
    responseHeaders({ vary: 'Accept-Encoding' }).vary,
    'Accept-Encoding, Authorization, Grantkeeper-Connection, Grantkeeper-User, Cookie, Origin, X-CSRF'
  )
  t.equal(
    responseHeaders({ vary: ['Accept', 'Accept-Language'] }).vary,
    'Accept, Accept-Language, Authorization, Grantkeeper-Connection, Grantkeeper-User, Cookie, Origin, X-CSRF'
  )
  t.equal(responseHeaders({ vary: '*' }).vary, '*, Authorization, Grantkeeper-Connection, Grantkeeper-User, Cookie, Origin, X-CSRF')
})

t.test("headers that the provider's Connection names are stripped", async t => {
  t.strictSame(responseHeaders({ connection: 'close, x-hop', 'x-hop': '1', 'x-other': '2' }), { ...bare, 'x-other': '2' })
  t.strictSame(responseHeaders({ connection: ['close', 'x-hop'], 'x-hop': '1', 'x-other': '2' }), { ...bare, 'x-other': '2' })
  t.strictSame(responseHeaders({ connection: 'content-security-policy, vary, cache-control' }), bare, 'the gateway’s own headers stay')
})

t.test('all other headers of the provider are forwarded unchanged', async t => {
  const harmless = {
    'content-type': 'application/json',
    etag: '"1"',
    'x-ratelimit-limit': '50',
    'retry-after': '3',
    link: ['<a>', '<b>'],
    location: '/x',
    date: 'now'
  }
  t.strictSame(responseHeaders({ ...harmless, absent: undefined }), { ...bare, ...harmless })
})

t.test('a provider header that is invalid in HTTP is stripped, and the response continues', async t => {
  t.strictSame(responseHeaders({ 'a b': 'x', é: 'x', nul: 'a\0b', line: 'a\nb', list: ['fine', 'a\rb'], good: 'caf\xe9' }), {
    ...bare,
    good: 'caf\xe9'
  })
})

t.test('a name is classified alike however many names came before', async t => {
  const many = responseHeaders(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`x-name-${i}`, 'x'])))
  t.equal(many['x-name-2999'], 'x')
  t.equal(responseHeaders({ 'set-cookie': 'a=b', 'x-last': 'y' })['set-cookie'], undefined)
})

t.test('URLs in headers are rewritten, or their header is stripped', async t => {
  const rewritten = buildResponseHeaders(200, { location: '/in', 'content-location': '/secret' }, url =>
    url === '/in' ? '/out' : undefined
  )
  t.strictSame(groupHeaders(rewritten), { ...bare, location: '/out' })
})

t.test('SEC-16: a header with a secret in any of its values is stripped', async t => {
  const isSecret = (value: string) => value.includes('KEY')
  const headers = { link: ['<a>', '<b?KEY>'], vary: 'KEY', 'cache-control': 'max-age=1, KEY', 'x-url': '/KEY', etag: '"1"' }
  t.strictSame(groupHeaders(buildResponseHeaders(200, headers, url => url, isSecret)), { ...bare, etag: '"1"' })
})

t.test('Content-Length comes last, because node:http reads a later Content-Disposition differently', async t => {
  const list = buildResponseHeaders(
    200,
    { 'content-length': '5', 'content-disposition': 'attachment; filename="\xe6\x97\xa5"' },
    () => undefined
  )
  t.strictSame(list.slice(-2), ['content-length', '5'])
})

t.test('a 204 has no Content-Length (RFC 9110 §8.6)', async t => {
  t.strictSame(responseHeaders({ 'content-length': '5' }, 204), bare)
  t.strictSame(responseHeaders({ 'content-length': '5' }, 304), { ...bare, 'content-length': '5' })
})

t.test('SEC-24, SEC-31: only the own origin, or an allowed site, loads a response without CORS', async t => {
  const policyOf = (...policy: ['same-site'] | []) =>
    groupHeaders(buildResponseHeaders(200, { 'cross-origin-resource-policy': 'cross-origin' }, url => url, undefined, ...policy))
  t.equal(policyOf()['cross-origin-resource-policy'], 'same-origin')
  t.equal(policyOf('same-site')['cross-origin-resource-policy'], 'same-site')
  t.match(policyOf()['content-security-policy'], /frame-ancestors 'none'/)
})

t.test('an event stream tells the proxy in front not to buffer it', async t => {
  for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8'])
    t.equal(responseHeaders({ 'content-type': type, 'x-accel-buffering': 'yes' })['x-accel-buffering'], 'no', type)
  for (const type of ['application/json', 'text/event-streams', 'text/plain; text/event-stream'])
    t.equal(responseHeaders({ 'content-type': type })['x-accel-buffering'], undefined, type)
})
