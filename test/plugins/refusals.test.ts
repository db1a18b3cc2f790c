import { get } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { ApiRefusal, OAuth2Method } from '../../src/core/provider/definition.ts'
import { assertProblem } from '../support/connected.ts'
import { type FakeProvider, json, tokens } from '../support/fake-provider.ts'
import { playDefinition } from '../support/played-definition.ts'

const help = { steps: ['Sign in.'] }
const expired = { ok: false, error: 'token_expired' }

/** A provider that says in a 200 that a token has expired, as Slack does, and a connection to it. */
async function setUp(
  t: Test,
  {
    refusals = [{ pointer: '/error', oneOf: ['token_expired', 7] }],
    oauth2 = {},
    timeoutMs
  }: {
    refusals?: ApiRefusal[]
    oauth2?: Partial<OAuth2Method>
    timeoutMs?: number
  } = {},
  token: FakeProvider['token'] = (_, r) => json(r, 200, tokens())
) {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/api`, refusals, ...(timeoutMs !== undefined && { timeoutMs }) },
    methods: {
      oauth2: {
        authorizeUrl: `${origin}/authorize`,
        tokenUrl: `${origin}/token`,
        scopes: ['read'],
        clientAuthentication: 'body',
        help,
        ...oauth2
      }
    }
  }))
  s.provider.token = token
  await s.signIn()
  return s
}

/** Refuses the first access token in this way. */
const refuseFirst = (s: Awaited<ReturnType<typeof setUp>>, refuse: FakeProvider['api']) => {
  let first: string | undefined
  s.provider.api = (seen, r, request) => {
    first ??= seen.headers.authorization
    if (seen.headers.authorization === first) refuse(seen, r, request)
    else json(r, 200, { ok: true, body: seen.body.toString() }, { 'x-second': '1' })
  }
}

t.test('SEC-37: a refusal in a 200 is a 401: renewed once, sent once more, and nothing of it reaches the client', async t => {
  const s = await setUp(t)
  refuseFirst(s, (_, r) => json(r, 200, expired, { 'x-first': '1' }))
  const response = await s.browser.fetch(`${s.gateway.url}/proxy/acme/x`, { method: 'POST', body: '{"a":1}' })
  t.equal(response.headers.get('x-first'), null)
  t.equal(response.headers.get('x-second'), '1')
  t.same(await response.json(), { ok: true, body: '{"a":1}' })
  t.equal(s.provider.seen.token.length, 2)
  t.equal(s.provider.seen.api.length, 2)
})

t.test('a second refusal passes with its own status, and the path causes no further renewal', async t => {
  const s = await setUp(t)
  s.provider.api = (_, r) => json(r, 200, expired)
  for (let i = 0; i < 3; i++) {
    const response = await s.request()
    t.equal(response.status, 200)
    t.same(await response.json(), expired)
  }
  t.equal(s.provider.seen.token.length, 2)
})

t.test('a refusal is found in every JSON type and content coding, and by number and status', async t => {
  const body = JSON.stringify(expired)
  for (const [what, headers, sent, refusals] of [
    ['plain', {}, body],
    ['with a charset', { 'content-type': 'application/json; charset=utf-8' }, body],
    ['a structured suffix', { 'content-type': 'application/vnd.acme.v1+JSON' }, body],
    ['gzip', { 'content-encoding': 'gzip' }, gzipSync(body)],
    ['x-gzip', { 'content-encoding': 'X-GZIP' }, gzipSync(body)],
    ['deflate', { 'content-encoding': 'deflate' }, deflateSync(body)],
    ['br', { 'content-encoding': 'br' }, brotliCompressSync(body)],
    ['zstd', { 'content-encoding': 'zstd' }, zstdCompressSync(body)],
    ['a number', {}, '{"error":7}'],
    ['a status', {}, body, [{ pointer: '/error', oneOf: ['token_expired'], statuses: [200] }]]
  ] as const) {
    const s = await setUp(t, refusals ? { refusals: [...refusals] } : {})
    refuseFirst(s, (_, r) => void r.writeHead(200, { 'content-type': 'application/json', ...headers }).end(sent))
    t.equal((await s.request()).headers.get('x-second'), '1', what)
  }
})

t.test('what is no refusal passes byte for byte', async t => {
  const s = await setUp(t, { refusals: [{ pointer: '/error', oneOf: ['token_expired', true], statuses: [200] }] })
  const big = JSON.stringify({ pad: 'x'.repeat(17_000), ...expired })
  for (const [what, status, headers, sent] of [
    ['another value', 200, {}, '{"error":"other"}'],
    ['a value of another type', 200, {}, '{"error":"true"}'],
    ['another status', 400, {}, JSON.stringify(expired)],
    ['another type', 200, { 'content-type': 'text/plain' }, JSON.stringify(expired)],
    ['no type', 200, { 'content-type': '' }, JSON.stringify(expired)],
    ['a sequence of JSON texts', 200, { 'content-type': 'application/json-seq' }, JSON.stringify(expired)],
    ['no JSON', 200, {}, '{"error":"token_expired"'],
    ['nothing', 200, {}, ''],
    ['an inherited member', 200, {}, '{"__proto__":{"error":"token_expired"}}'],
    ['larger than 16 KiB', 200, {}, big],
    ['larger than 16 KiB, in chunks', 200, { 'transfer-encoding': 'chunked' }, big],
    ['a declared length above 16 KiB', 200, { 'content-length': String(big.length) }, big],
    [
      'compressed, and vast',
      200,
      { 'content-encoding': 'br' },
      brotliCompressSync(JSON.stringify({ pad: 'x'.repeat(9_000_000), ...expired }))
    ],
    ['falsely compressed', 200, { 'content-encoding': 'gzip' }, JSON.stringify(expired)],
    ['an unknown coding', 200, { 'content-encoding': 'rot13' }, JSON.stringify(expired)]
  ] as const) {
    s.provider.api = (_, r) => void r.writeHead(status, { 'content-type': 'application/json', ...headers }).end(sent)
    const response = await rawGet(s, '/x')
    t.equal(response.status, status, what)
    t.ok(Buffer.from(sent).equals(response.body), what)
    t.equal(s.provider.seen.token.length, 1, `${what}: nothing was renewed`)
  }
})

t.test('a large or endless response is not kept back', async t => {
  const s = await setUp(t)
  for (const [what, type, first] of [
    ['an event stream', 'text/event-stream', 'data: 1\n\n'],
    ['JSON that goes on', 'application/json', `[${'1,'.repeat(9_000)}`]
  ] as const) {
    s.provider.api = (_, r) => void r.writeHead(200, { 'content-type': type }).write(first)
    const response = await s.request()
    const reader = response.body?.getReader()
    let received = 0
    while (received < first.length) received += (await reader?.read())?.value?.length ?? Number.POSITIVE_INFINITY
    t.equal(received, first.length, what)
    await reader?.cancel()
  }
})

t.test('a HEAD, and a response without content, pass', async t => {
  const s = await setUp(t)
  s.provider.api = (_, r) => void r.writeHead(204, { 'content-type': 'application/json' }).end()
  t.equal((await s.request()).status, 204)
  s.provider.api = (_, r) => void r.writeHead(200, { 'content-type': 'application/json', 'content-length': '40' }).end()
  const head = await s.browser.fetch(`${s.gateway.url}/proxy/acme/x`, { method: 'HEAD' })
  t.same([head.status, head.headers.get('content-length')], [200, '40'])
})

t.test('a response that breaks off or stalls while it is read is a problem, and no half response', async t => {
  const s = await setUp(t, { timeoutMs: 300 })
  s.provider.api = (_, r) => {
    r.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"a":', () => r.destroy())
  }
  await assertProblem(t, await s.request(), 502, 'provider_unavailable')
  s.provider.api = (_, r) => void r.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"a":')
  await assertProblem(t, await s.request(), 504, 'provider_timeout')
  s.provider.api = (seen, r) => json(r, 200, { url: seen.url })
  t.equal((await s.request()).status, 200)
})

t.test('without a refresh token the check decides whether a refusal has ended the grant', async t => {
  const check = { path: '/me', status: 200, expect: { pointer: '/ok', equals: true } }
  const withoutRefresh: FakeProvider['token'] = (_, r) => json(r, 200, tokens({ refresh_token: undefined }))
  const s = await setUp(t, { oauth2: { check } }, withoutRefresh)
  const isGood = { value: true }
  s.provider.api = ({ url }, r) => json(r, 200, url === '/api/me' && isGood.value ? { ok: true } : expired)
  t.same(await (await s.request()).json(), expired, 'the refusal itself passes')
  t.match(await s.connection(), { status: 'connected' })
  isGood.value = false
  await s.request('/y')
  while ((await s.connection()).status === 'connected') await s.request('/z')
  await assertProblem(t, await s.request(), 401, 'reconnect_required')
})

/** The bytes as they came, whatever their coding. */
async function rawGet(s: Awaited<ReturnType<typeof setUp>>, path: string): Promise<{ status: number; body: Buffer }> {
  const url = new URL(`${s.gateway.url}/proxy/acme${path}`)
  return new Promise((resolve, reject) => {
    get(url, { headers: { cookie: s.browser.sessionPair(s.gateway.url), 'x-csrf': '1' } }, async response => {
      resolve({ status: response.statusCode ?? 0, body: await buffer(response) })
    }).on('error', reject)
  })
}
