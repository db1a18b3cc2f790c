import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { assertProblem, type ConnectedGateway, signIn, startConnected } from '../support/connected.ts'
import { type FakeProvider, json, tokens } from '../support/fake-provider.ts'

type Token = FakeProvider['token']
type ConnectionView = { status: string; failingSince?: string }

const refresh = ({ gateway, browser }: ConnectedGateway) =>
  browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' })

async function connectionOf({ gateway, browser }: ConnectedGateway): Promise<ConnectionView | undefined> {
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as {
    connections: Array<ConnectionView & { provider: string }>
  }
  return connections.find(({ provider }) => provider === 'productboard')
}

const linesOf = ({ gateway }: ConnectedGateway, message: RegExp) =>
  gateway.logs.map(line => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => message.test(String(msg)))

/** Responds with these bytes and headers only. */
const respondWith =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200) =>
  (_: unknown, r: ServerResponse) =>
    void r.writeHead(status, headers).end(body)

const jsonType = { 'content-type': 'application/json' }
const encoded = (coding: string) => ({ ...jsonType, 'content-encoding': coding })

const encodings: Record<string, (response: Record<string, unknown>) => Token> = {
  'labelled as text': response => respondWith(JSON.stringify(response), { 'content-type': 'text/plain; charset=iso-8859-1' }),
  'labelled as a web page': response => respondWith(JSON.stringify(response), { 'content-type': 'text/html' }),
  'without a content type': response => respondWith(JSON.stringify(response)),
  'with an empty content type': response => respondWith(JSON.stringify(response), { 'content-type': '' }),
  'with a byte order mark': response => respondWith(`\ufeff${JSON.stringify(response)}`, jsonType),
  'in gzip': response => respondWith(gzipSync(JSON.stringify(response)), encoded('gzip')),
  'in gzip without Content-Encoding': response => respondWith(gzipSync(JSON.stringify(response)), jsonType),
  'in deflate': response => respondWith(deflateSync(JSON.stringify(response)), encoded('deflate')),
  'in brotli': response => respondWith(brotliCompressSync(JSON.stringify(response)), encoded('br')),
  'as a form': response =>
    respondWith(new URLSearchParams(response as Record<string, string>).toString(), {
      'content-type': 'application/x-www-form-urlencoded'
    }),
  'without a token type': response => (_, r) => json(r, 200, { ...response, token_type: undefined }),
  'with only a token':
    ({ access_token }) =>
    (_, r) =>
      json(r, 200, { access_token }),
  'with an empty error': response => (_, r) => json(r, 200, { ...response, error: '', ok: true }),
  'with a __proto__ member': response => respondWith(`{"__proto__":{},${JSON.stringify(response).slice(1)}`, jsonType)
}

t.test('SEC-10: a refresh succeeds in whatever encoding its token response comes', async t => {
  const s = await startConnected(t)
  for (const [how, respond] of Object.entries(encodings)) {
    const response = tokens()
    s.provider.token = respond(response)
    t.equal((await refresh(s)).status, 200, how)
    s.provider.api = (seen, r) => json(r, seen.headers.authorization === `Bearer ${response.access_token}` ? 200 : 401, {})
    t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200, how)
  }
  t.strictSame(linesOf(s, /renewal failed/), [])
})

t.test('SEC-10: a sign-in succeeds in whatever encoding its token response comes', async t => {
  const s = await startConnected(t)
  for (const [how, respond] of Object.entries(encodings)) {
    s.provider.token = respond(tokens())
    const response = await signIn(s.gateway, s.browser)
    t.strictSame([response.status, response.headers.get('location')], [303, '/'], how)
  }
})

const refusals: Record<string, Token> = {
  'as in RFC 6749 §5.2': (_, r) => json(r, 400, { error: 'invalid_grant' }),
  'inside a 200': (_, r) => json(r, 200, { error: 'invalid_grant' }),
  'in a 401': (_, r) => json(r, 401, { error: 'invalid_grant' }),
  'in a 500': (_, r) => json(r, 500, { error: 'invalid_grant' }),
  'as text': respondWith('invalid_grant', { 'content-type': 'text/plain' }, 400),
  'as JSON without a content type': respondWith('{"error":"invalid_grant"}', {}, 400),
  'as a form': respondWith('error=bad_refresh_token&error_description=no', { 'content-type': 'application/x-www-form-urlencoded' }),
  'wrapped, in gzip': respondWith(gzipSync('{"error":{"code":"invalid_grant"}}'), encoded('gzip'), 400),
  'as Slack': (_, r) => json(r, 200, { ok: false, error: 'invalid_refresh_token' }),
  'as HubSpot': (_, r) => json(r, 400, { status: 'BAD_REFRESH_TOKEN', message: 'no' }),
  'as an OpenID provider that requires interaction': (_, r) => json(r, 400, { error: 'interaction_required' })
}

t.test('SEC-14: a rejected refresh ends the connection, whatever the format of the error', async t => {
  const s = await startConnected(t)
  const issue = s.provider.token
  let requestCount = s.provider.seen.token.length
  for (const [how, refusal] of Object.entries(refusals)) {
    s.provider.token = refusal
    for (let i = 0; i < 2; i++) await assertProblem(t, await refresh(s), 401, 'reconnect_required')
    requestCount++
    t.equal(s.provider.seen.token.length, requestCount, how)
    t.equal((await connectionOf(s))?.status, 'reconnect_required', how)
    s.provider.token = issue
    await signIn(s.gateway, s.browser)
    requestCount++
  }
  const ends = linesOf(s, /connection ended/)
  t.equal(ends.length, Object.keys(refusals).length)
  t.match(ends[0], { provider: 'productboard', reason: 'invalid_grant', kind: 'refused', status: 400, error: 'invalid_grant' })
})

t.test('SEC-14: an ambiguous or temporary error does not end the connection, and is logged', async t => {
  const s = await startConnected(t)
  const page = '<html><body>error=invalid_grant&error=invalid_grant</body></html>'
  for (const [token, kind, status] of [
    [respondWith(page, { 'content-type': 'text/html' }, 500), 'unavailable', 500],
    [respondWith(page, { 'content-type': 'text/html' }), 'invalid_response', 200],
    [respondWith('', jsonType), 'invalid_response', undefined],
    [respondWith('{"access_token":', jsonType), 'invalid_response', 200],
    [respondWith('{"access_token":""}', jsonType), 'invalid_response', 200],
    [respondWith('{}', jsonType, 400), 'unavailable', 400],
    [(_: unknown, r: ServerResponse) => json(r, 400, { error: 'slow_down' }), 'refused', 400],
    [(_: unknown, r: ServerResponse) => json(r, 429, { error: 'rate_limited' }), 'unavailable', 429],
    [(_: unknown, r: ServerResponse) => void r.destroy(), 'unavailable', undefined]
  ] as ReadonlyArray<[Token, string, number | undefined]>) {
    s.provider.token = token
    await assertProblem(t, await refresh(s), 502, 'provider_unavailable')
    t.equal((await connectionOf(s))?.status, 'connected')
    const line = linesOf(s, /renewal failed/).at(-1)
    t.match(line, { level: 40, provider: 'productboard', kind, status, retryInMs: Number, attempt: Number, nextTryAt: /^20\d\d-/ })
    if (kind === 'invalid_response') t.notMatch(line?.msg, /could not be reached/)
    s.clock.advance(60_000)
  }
  const ownLines = linesOf(s, /token/).filter(({ code }) => code === 'provider_unavailable')
  t.match(ownLines[0], { cause: { name: 'TokenEndpointError', kind: 'unavailable', status: 500 } })
})

t.test('SEC-17: the log has the vendor’s error code and nothing that was sent', async t => {
  const s = await startConnected(t)
  s.provider.token = ({ body }, r) => {
    const { refresh_token, client_secret } = Object.fromEntries(new URLSearchParams(body.toString()))
    json(r, 400, { error: `no ${refresh_token}`, error_description: `${client_secret} and ${refresh_token} are wrong` })
  }
  await refresh(s)
  s.clock.advance(60_000)
  s.provider.token = (_, r) => json(r, 400, { error: 'E1017 "odd"\ncode', error_description: 'description-canary' })
  await refresh(s)
  const [first, second] = linesOf(s, /renewal failed/)
  t.notOk(first && 'error' in first)
  t.equal(second?.error, 'E1017 oddcode')
  t.notMatch(s.gateway.logs.join(''), /client-secret-canary|refresh-\d|access-\d|description-canary/)
})

t.test('a rejected OAuth client is logged as an error, and ends no connection', async t => {
  const s = await startConnected(t)
  s.provider.token = (_, r) => json(r, 401, { error: 'invalid_client' })
  for (let i = 0; i < 8; i++) {
    await assertProblem(t, await refresh(s), 502, 'client_rejected')
    s.clock.advance(10_000)
  }
  const errorLines = linesOf(s, /OAuth client/)
  t.match(errorLines, [
    { level: 50, provider: 'productboard', error: 'invalid_client' },
    { level: 50, provider: 'productboard' }
  ])
  t.equal(errorLines.length, 2, 'once a minute')
  t.ok(Number(errorLines[1]?.failuresSinceLogged) > 0, 'with the number of failures in between')
  s.clock.advance(60_000)
  s.provider.token = (_, r) => json(r, 200, tokens())
  t.equal((await refresh(s)).status, 200)
})

t.test('the time since which renewals fail is shown until one succeeds', async t => {
  const s = await startConnected(t)
  const page = async () => (await s.browser.visit(s.gateway.url)).text
  t.notMatch(await page(), /has failed since/)
  s.provider.token = (_, r) => void r.writeHead(503).end()
  const since = new Date(s.clock.now()).toISOString()
  for (let i = 0; i < 3; i++) {
    t.equal((await refresh(s)).status, 502)
    t.match(await connectionOf(s), { status: 'connected', failingSince: since })
    s.clock.advance(60_000)
  }
  t.match(await page(), new RegExp(`Renewing the access at Productboard has failed since <time datetime="${since}"`))
  s.provider.token = (_, r) => json(r, 200, tokens())
  t.equal((await refresh(s)).status, 200)
  t.notOk('failingSince' in ((await connectionOf(s)) ?? {}))
  t.notMatch(await page(), /has failed since/)
})

t.test('SEC-14: a Retry-After of the token endpoint is sent to clients and obeyed', async t => {
  const s = await startConnected(t)
  s.provider.token = (_, r) => json(r, 429, { error: 'rate_limited' }, { 'retry-after': '600' })
  const first = await refresh(s)
  t.equal(first.headers.get('retry-after'), '600')
  t.equal((await assertProblem(t, first, 502, 'provider_unavailable')).retryAfter, 600)
  const before = s.provider.seen.token.length
  for (let i = 0; i < 9; i++) {
    s.clock.advance(60_000)
    t.equal((await assertProblem(t, await refresh(s), 502, 'provider_unavailable')).retryAfter, 600 - 60 * (i + 1))
  }
  t.equal(s.provider.seen.token.length, before)
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200, 'requests continue while the token is valid')
  await signIn(s.gateway, s.browser)
  t.equal(s.provider.seen.token.length, before + 1, 'a sign-in does not wait')
})

/** Holds the next token request. Resolves when it arrives, with a function that responds to it. */
const holdTokenRequest = ({ provider }: ConnectedGateway) =>
  new Promise<(response: Record<string, unknown>) => void>(resolve => {
    provider.token = (_, r) => resolve(response => json(r, 200, response))
  })

async function pollUntil(t: Test, what: string, condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate)
  t.pass(what)
}

t.test('SEC-14: a refresh that outlasts its waiters is stored and used', async t => {
  const s = await startConnected(t)
  // Less than a minute before the token expires: a request continues with it after a short wait.
  s.clock.advance(3_600_000 - 30_000)
  const tokenRequest = holdTokenRequest(s)
  const requestCount = () => s.provider.seen.token.length
  const before = requestCount()
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
  t.equal(requestCount(), before + 1, 'with its refresh in flight')
  // Expired: a request needs the new token, and its wait is limited.
  s.clock.advance(30_000)
  await assertProblem(t, await s.browser.fetch(`${s.proxy}/x`), 504, 'provider_timeout')
  t.equal(requestCount(), before + 1, 'no second token request')
  const respond = await tokenRequest
  respond(tokens({ access_token: 'late' }))
  s.provider.api = ({ headers }, r) => json(r, headers.authorization === 'Bearer late' ? 200 : 401, {})
  await pollUntil(t, 'a later request uses the new token', async () => (await s.browser.fetch(`${s.proxy}/x`)).status === 200)
  t.equal(requestCount(), before + 1)
})
