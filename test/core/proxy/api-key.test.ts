import t from 'tap'
import type { Provider } from '../../../src/core/provider/definition.ts'
import { createConnectWithKey, parseApiKey } from '../../../src/core/proxy/api-key.ts'
import type { PipeOutcome, Send, UpstreamRequest } from '../../../src/core/proxy/upstream.ts'
import { Secret } from '../../../src/core/secret.ts'
import { fakeResponse } from '../../support/upstream-response.ts'
import { apiKeyWith, codeOf, codeOfRejection, printable, providerWith, revealSecrets, startMs } from '../support.ts'

t.test('SEC-39: a pasted key is trimmed, and otherwise unchanged', async t => {
  for (const [pasted, key] of [
    ['abc', 'abc'],
    [' \t\r\nabc\r\n', 'abc'],
    ['\u00a0\ufeffabc\u2003', 'abc'],
    ['a.b-c_d~e/f+g=', 'a.b-c_d~e/f+g='],
    ['c2VjcmV0LWtleQ==', 'c2VjcmV0LWtleQ=='],
    ['id:secret', 'id:secret'],
    ['key-id:secret', 'key-id:secret'],
    ['user@example.com/token:abc', 'user@example.com/token:abc'],
    ['monkey=abc', 'monkey=abc'],
    ['my-key==', 'my-key=='],
    ['Bearer', 'Bearer'],
    ['token', 'token'],
    ['eyJhbGciOi.eyJzdWIi.c2ln', 'eyJhbGciOi.eyJzdWIi.c2ln'],
    ['a"b\'c`d', 'a"b\'c`d'],
    ['a,b;c', 'a,b;c'],
    ['!"#$%&\'()*', '!"#$%&\'()*'],
    ['x'.repeat(4096), 'x'.repeat(4096)]
  ] as const)
    t.equal(parseApiKey(pasted, 'acme').reveal(), key)
})

t.test('SEC-39: text that is not a key is refused and not repeated', async t => {
  for (const pasted of [
    undefined,
    null,
    7,
    {},
    ['canary'],
    '',
    '  ',
    'canary two',
    'canary\nX-Other: 1',
    'canary\r\n\r\nGET /',
    'canary\0',
    'canary\u007f',
    'canary\u00a0x',
    'canäry',
    'canary\u{1f511}',
    'c'.repeat(4097),
    'c'.repeat(1_000_000)
  ]) {
    t.equal(
      codeOf(() => parseApiKey(pasted, 'acme')),
      'api_key_malformed',
      printable(String(pasted).slice(0, 30))
    )
    try {
      parseApiKey(pasted, 'acme')
    } catch (error) {
      t.notMatch(String((error as Error).stack), /canary|cccc/)
    }
  }
})

t.test('SEC-39: what users copy along with a key is stripped', async t => {
  const key = 'aB1-_+/c2VjcmV0=='
  const around = [
    ['"', '"'],
    ["'", "'"],
    ['`', '`'],
    ['```', '```'],
    ['“', '”'],
    ['„', '“'],
    ['‘', '’'],
    ['«', '»'],
    ['“', ''],
    ['', '”'],
    ['<', '>'],
    ['', ','],
    ['', ';'],
    ['"', '",'],
    ["'", "';"],
    ['Bearer ', ''],
    ['bearer  ', ''],
    ['Token ', ''],
    ['"Bearer ', '"'],
    ['X-API-KEY: ', ''],
    ['x-api-key:', ''],
    ['X-Anything: ', ''],
    ['Authorization: Bearer ', ''],
    ['Authorization:Bearer ', ''],
    ['authorization: token ', ';'],
    ['"X-API-KEY": "', '",'],
    ['"apiKey":"', '"'],
    ["'api-key' : '", "'"],
    ['{"apiKey": "', '"}'],
    ['-H "X-API-KEY: ', '"'],
    ["--header 'Authorization: Bearer ", "'"],
    ['API_KEY=', ''],
    ['api_key="', '"'],
    ['PROCESS_STREET_API_KEY=', ''],
    ['export ACCESS_TOKEN="', '"'],
    ['apiKey = "', '";'],
    ['key=', ''],
    ['token = ', '']
  ] as const
  for (const [before, after] of around)
    for (const blank of ['', ' ', '\n', '\u00a0', '\u200b', '\ufeff\r\n'])
      t.equal(
        parseApiKey(`${blank}${before}${key}${after}${blank}`, 'acme').reveal(),
        key,
        printable(`${blank}${before}KEY${after}${blank}`)
      )
})

t.test('SEC-39: invisible characters are stripped anywhere in a key', async t => {
  for (const code of [
    0x00ad, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0xfeff, 0x061c, 0x034f, 0xfe0f, 0xe0020
  ]) {
    const mark = String.fromCodePoint(code)
    t.equal(parseApiKey(`${mark}ab${mark}${mark}cd${mark}`, 'acme').reveal(), 'abcd', code.toString(16))
  }
  t.equal(
    codeOf(() => parseApiKey('\u200b\u200d\ufeff', 'acme')),
    'api_key_malformed',
    'the rest is empty'
  )
})

t.test('SEC-39: what is not stripped is described in the error', async t => {
  for (const [pasted, seen] of [
    ['', /empty/],
    ['""', /empty/],
    ['canary\ncanary', /one line/],
    ['Basic Y2FuYXJ5Og==', /Basic/],
    ['canary two', /blank/],
    ['canary\u00a0x', /blank/],
    ['canary••••••1234', /shortened or hidden/],
    ['canary********1234', /shortened or hidden/],
    ['canary...1234', /shortened or hidden/],
    ['canary…', /shortened or hidden/],
    ['canary–canary', /dash/],
    ['canary”canary', /quotation mark/],
    ['c\u0430nary', /letter/],
    ['canary\u{1f511}', /character/],
    ['canary\0', /character/]
  ] as const) {
    try {
      parseApiKey(pasted, 'acme')
      t.fail(printable(pasted))
    } catch (error) {
      t.match((error as Error).message, seen, printable(pasted))
      t.notMatch((error as Error).message, /canary/)
    }
  }
})

/** A provider that responds to one check request, or aborts. */
function checking(status: number, body: unknown, outcome: PipeOutcome = 'complete', headers: Record<string, string> = {}) {
  const sent: UpstreamRequest[] = []
  const send: Send = async request => {
    sent.push(request)
    return fakeResponse({ status, headers }, typeof body === 'string' ? body : JSON.stringify(body), outcome)
  }
  return { sent, send }
}

const method = {
  ...apiKeyWith({ in: 'header', name: 'x-api-key' }),
  check: { path: '/me', status: 200, expect: { pointer: '/success', equals: true } },
  account: { from: 'check', id: '/account/id', name: '/account/name' }
} as const
const definition = providerWith({
  methods: { apiKey: method },
  api: { baseUrl: 'https://api.acme.example/v1', headers: { 'x-version': '2' } }
})
const given = { key: new Secret('key'), parameters: {} }
const connectAt = (send: Send, provider: Provider = definition) =>
  createConnectWithKey({
    send,
    clock: { now: () => startMs },
    addAccount: async connection => connection,
    exchangeOf: () => undefined,
    revocation: { revoke: async () => {} }
  })(provider, given)
const check = (provider: ReturnType<typeof checking>) => connectAt(provider.send)

t.test('SEC-39: the key is sent to the provider’s own origin only, and makes a connection', async t => {
  const provider = checking(200, { success: true, account: { id: 7, name: 'Fernhill' } })
  const connection = await check(provider)
  t.match(connection.id, /^[\w-]{22}$/)
  t.strictSame(revealSecrets(connection), {
    id: connection.id,
    provider: 'acme',
    method: 'api_key',
    status: 'connected',
    credential: 'key',
    account: 'Fernhill',
    accountId: '7',
    connectedAtMs: startMs
  })
  t.match(provider.sent, [{ origin: 'https://api.acme.example', method: 'GET', path: '/v1/me', body: undefined }])
  const { headers = [] } = provider.sent[0] ?? {}
  t.strictSame(
    [headers.includes('x-api-key'), headers[headers.indexOf('x-api-key') + 1], headers[headers.indexOf('x-version') + 1]],
    [true, 'key', '2']
  )
})

t.test('a key is accepted without an account in the response', async t => {
  for (const account of [undefined, null, 'Fernhill', { id: '', name: '' }]) {
    const connection = await check(checking(200, { success: true, account }))
    t.strictSame([connection.account, connection.accountId], [undefined, undefined], JSON.stringify(account))
  }
})

t.test('SEC-39: a refused key has another error than an unavailable provider', async t => {
  for (const status of [201, 204, 400, 401, 403, 404])
    t.equal(await codeOfRejection(check(checking(status, {}))), 'api_key_rejected', `${status}`)
  for (const status of [301, 302, 429, 500, 502, 503])
    t.equal(await codeOfRejection(check(checking(status, {}))), 'provider_unavailable', `${status}`)
  for (const body of [{ success: false }, { success: 'true' }, {}, [], '', 'no JSON', 'null'])
    t.equal(await codeOfRejection(check(checking(200, body))), 'api_key_rejected', JSON.stringify(body))
  t.equal(await codeOfRejection(check(checking(200, { success: true }, 'aborted'))), 'provider_unavailable')
  t.equal(await codeOfRejection(check(checking(200, 'x'.repeat(300_000)))), 'provider_unavailable', 'longer than a check response may be')
})

t.test('the error for a key without permission does not call the key wrong', async t => {
  const messageFor = (...of: Parameters<typeof checking>) => check(checking(...of)).then(String, error => `${error.code}: ${error.message}`)
  t.match(await messageFor(403, {}), /^api_key_rejected: Acme knows this key, but .*permission/)
  t.match(await messageFor(401, {}), /^api_key_rejected: Acme does not accept this key/)
  t.match(await messageFor(403, {}, 'complete', { 'www-authenticate': 'Bearer error="invalid_token"' }), /does not accept this key/)
})

t.test('a definition may accept several statuses', async t => {
  const several = providerWith({ ...definition, methods: { apiKey: { ...method, check: { path: '/me', status: [200, 403] } } } })
  const by = (status: number) => codeOfRejection(connectAt(checking(status, {}).send, several))
  for (const status of [200, 403]) t.match(await by(status), { returned: { status: 'connected' } })
  t.equal(await by(401), 'api_key_rejected')
})

t.test('a Retry-After of the provider is passed on', async t => {
  const by = (status: number, headers: Record<string, string>, provider = definition) =>
    t.rejects(connectAt(checking(status, {}, 'complete', headers).send, provider))
  const retryAfter = async (...of: Parameters<typeof by>) => ((await by(...of)) as { retryAfter?: number }).retryAfter
  t.equal(await retryAfter(429, { 'retry-after': '17' }), 17)
  t.equal(await retryAfter(503, { 'retry-after': new Date(startMs + 90_000).toUTCString() }), 90)
  for (const odd of ['', 'soon', '-1']) t.equal(await retryAfter(429, { 'retry-after': odd }), undefined, odd)
  const limited = { ...definition, api: { ...definition.api, rateLimit: { header: 'x-reset', unit: 'epoch' } } } as const
  t.equal(await retryAfter(429, { 'x-reset': String(startMs / 1000 + 30) }, limited), 30)
})
