import t from 'tap'
import { buildRequestHeaders as headersOf } from '../../../src/core/guards/request-headers.ts'
import { strippedRequestHeaders } from '../../support/stripped-headers.ts'
import { codeOf, printable, providerWith } from '../support.ts'

/** The forwarded headers of a client that sends a User-Agent, without that header. */
const requestHeaders = (raw: readonly string[], ...more: [own: Record<string, string>, stripped?: string[]]) =>
  headersOf(['User-Agent', 'test', ...raw], ...more).slice(2)

const own = { authorization: 'Bearer ours' }
const ours = ['authorization', 'Bearer ours']

const allStripped = [
  ...strippedRequestHeaders,
  // Headers that concern the gateway itself, the framing, or the page that sent the request.
  'Cookie',
  'X-Forwarded-Uri',
  'Connection',
  'Transfer-Encoding',
  'Content-Length',
  'Expect',
  'Host',
  'X-CSRF',
  'Origin',
  'Sec-Fetch-Site',
  'Access-Control-Request-Private-Network'
]

for (const name of allStripped) {
  t.test(`SEC-29: the client's ${name} is stripped in every spelling`, async t => {
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

t.test('SEC-29: the gateway’s headers are sent even if Connection names them', async t => {
  for (const value of ['authorization', 'Authorization', 'close, authorization', ' AUTHORIZATION ,x', 'authorization,authorization']) {
    t.strictSame(requestHeaders(['Connection', value], own), ours, value)
    t.strictSame(requestHeaders(['connection', value, 'Authorization', 'Bearer theirs'], own), ours, `${value}, with one of their own`)
  }
})

t.test('SEC-29: headers that Connection names are stripped', async t => {
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

t.test('SEC-29: a client header never duplicates one of the gateway, in any spelling', async t => {
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

t.test('SEC-29: a header that carries the credential in other requests is stripped, in every spelling', async t => {
  t.strictSame(requestHeaders(['Api_Key', 'x', 'api-key', 'y', 'X-Other', 'z'], own, ['api-key']), ['X-Other', 'z', ...ours])
})

t.test('all other headers are forwarded in order, with their spelling and duplicates', async t => {
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

t.test('a header that is invalid in HTTP is rejected before the client pool', async t => {
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
      printable(`${name}: ${value}`)
    )
  for (const value of ['', 'a\tb', 'caf\xe9', ' ', '"(),/:;<=>?@[\\]{}'])
    t.strictSame(requestHeaders(['X-A', value], {}), ['X-A', value], `${printable(value)} is allowed`)
  t.strictSame(requestHeaders(['Cookie', 'a\0b'], {}), [], 'a stripped header need not be valid')
})

t.test('the error names the header and not its value', async t => {
  t.throws(() => requestHeaders(['X-Secret', 'canary\n'], {}), {
    code: 'header_rejected',
    status: 400,
    message: /^(?!.*canary).*"X-Secret"/s
  })
})

t.test('a name is classified alike however many names came before', async t => {
  const many = Array.from({ length: 3_000 }, (_, i) => [`X-Name-${i}`, 'x']).flat()
  t.strictSame(requestHeaders([...many, 'X_Forwarded_For', '1', 'X-Last', '2'], {}).slice(-4), ['X-Name-2999', 'x', 'X-Last', '2'])
})

t.test('a request without User-Agent gets the gateway’s, unless the definition sets one', async t => {
  t.strictSame(headersOf(['Accept', '*/*'], own), ['Accept', '*/*', 'user-agent', 'grantkeeper', ...ours])
  t.strictSame(headersOf(['User-Agent', '', 'Accept', '*/*'], {}), ['Accept', '*/*', 'user-agent', 'grantkeeper'])
  t.strictSame(headersOf(['User-Agent', 'a'], {}), ['User-Agent', 'a'])
  t.strictSame(headersOf(['Connection', 'user-agent', 'User-Agent', 'a'], {}), ['user-agent', 'grantkeeper'])
  t.strictSame(headersOf(['User-Agent', 'a'], { 'User-Agent': 'defined' }), ['User-Agent', 'defined'])
  t.strictSame(headersOf([], { 'user-agent': 'defined' }), ['user-agent', 'defined'])
})

t.test('SEC-29: a method override is rejected in every spelling, even if Connection names it', async t => {
  for (const name of ['X-HTTP-Method-Override', 'x-http-method', 'X_METHOD_OVERRIDE', 'x_http-Method_override']) {
    t.equal(
      codeOf(() => headersOf([name, 'DELETE'], own)),
      'header_rejected',
      name
    )
    t.equal(
      codeOf(() => headersOf(['Connection', name, name, 'DELETE'], own)),
      'header_rejected',
      name
    )
  }
  const request = { method: 'POST', provider: providerWith() } as const
  t.strictSame(
    headersOf(['User-Agent', 'a', 'X-HTTP-Method', ' Post '], {}, [], request),
    ['User-Agent', 'a'],
    'the request’s own method is no override'
  )
  const allowed = { ...request, provider: providerWith({ api: { baseUrl: 'https://api.acme.example', methodOverride: true } }) }
  const override = ['User-Agent', 'a', 'X-HTTP-Method', 'patch']
  t.strictSame(headersOf(override, {}, [], allowed), override)
  t.equal(
    codeOf(() => headersOf(['X-HTTP-Method', 'TRACE'], {}, [], allowed)),
    'method_not_allowed'
  )
})
