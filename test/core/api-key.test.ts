import t from 'tap'
import { apiKeyFrom, connectionByKey } from '../../src/core/api-key.ts'
import type { Send, UpstreamRequest } from '../../src/core/forward.ts'
import { Secret } from '../../src/core/secret.ts'
import { apiKeyWith, codeOf, codeOfRejection, providerWith, shown, startMs, told } from './support.ts'

t.test('SEC-39: a pasted key loses the blanks around it, and nothing else', async t => {
  for (const [pasted, key] of [
    ['abc', 'abc'],
    [' \t\r\nabc\r\n', 'abc'],
    ['\u00a0\ufeffabc\u2003', 'abc'],
    ['a.b-c_d~e/f+g=', 'a.b-c_d~e/f+g='],
    ['!"#$%&\'()*', '!"#$%&\'()*'],
    ['x'.repeat(4096), 'x'.repeat(4096)]
  ] as const)
    t.equal(apiKeyFrom(pasted, 'acme').reveal(), key)
})

t.test('SEC-39: what is no key is refused, and not repeated', async t => {
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
    'canary\u202e',
    'canary\u{1f511}',
    'c'.repeat(4097)
  ]) {
    t.equal(
      codeOf(() => apiKeyFrom(pasted, 'acme')),
      'api_key_malformed',
      shown(String(pasted).slice(0, 30))
    )
    try {
      apiKeyFrom(pasted, 'acme')
    } catch (error) {
      t.notMatch(String((error as Error).stack), /canary|cccc/)
    }
  }
})

/** A provider that answers one check call, or breaks off. */
function checking(status: number, body: unknown, outcome: 'streamed' | 'cut' = 'streamed') {
  const sent: UpstreamRequest[] = []
  const send: Send = async (request, take) => {
    sent.push(request)
    const sink = take({ status, headers: {} })
    const ended = new Promise(resolve => sink?.on('finish', resolve))
    sink?.end(typeof body === 'string' ? body : JSON.stringify(body))
    await ended
    return outcome
  }
  return { sent, send }
}

const method = {
  ...apiKeyWith({ in: 'header', name: 'x-api-key' }),
  check: { path: '/me', status: 200, expect: { pointer: '/success', equals: true }, account: '/account/name' }
}
const definition = providerWith({
  methods: { apiKey: method },
  api: { baseUrl: 'https://api.acme.example/v1', headers: { 'x-version': '2' } }
})
const check = (provider: ReturnType<typeof checking>) => connectionByKey(provider.send, definition, method, new Secret('key'), startMs)

t.test('SEC-39: the key is shown to the provider’s own origin as its definition places it, and makes a connection', async t => {
  const provider = checking(200, { success: true, account: { name: 'Fernhill' } })
  t.strictSame(told(await check(provider)), {
    provider: 'acme',
    method: 'api_key',
    status: 'connected',
    credential: 'key',
    account: 'Fernhill',
    connectedAtMs: startMs
  })
  t.match(provider.sent, [{ origin: 'https://api.acme.example', method: 'GET', path: '/v1/me', body: undefined }])
  const { headers = [] } = provider.sent[0] ?? {}
  t.strictSame(
    [headers.includes('x-api-key'), headers[headers.indexOf('x-api-key') + 1], headers[headers.indexOf('x-version') + 1]],
    [true, 'key', '2']
  )
})

t.test('an account’s name is taken when it is one', async t => {
  for (const name of [undefined, '', 7, null, { first: 'A' }])
    t.notOk((await check(checking(200, { success: true, account: { name } }))).account)
  t.equal((await check(checking(200, { success: true, account: { name: 'x'.repeat(500) } }))).account?.length, 200)
})

t.test('SEC-39: the provider’s no is told from its trouble', async t => {
  for (const status of [201, 204, 400, 401, 403, 404])
    t.equal(await codeOfRejection(check(checking(status, {}))), 'api_key_rejected', `${status}`)
  for (const status of [301, 302, 429, 500, 502, 503])
    t.equal(await codeOfRejection(check(checking(status, {}))), 'provider_unavailable', `${status}`)
  for (const body of [{ success: false }, { success: 'true' }, {}, [], '', 'no JSON', 'null'])
    t.equal(await codeOfRejection(check(checking(200, body))), 'api_key_rejected', JSON.stringify(body))
  t.equal(await codeOfRejection(check(checking(200, { success: true }, 'cut'))), 'provider_unavailable')
  t.equal(await codeOfRejection(check(checking(200, 'x'.repeat(300_000)))), 'provider_unavailable', 'more than a check call has to say')
})
