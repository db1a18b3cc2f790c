import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { assertProblem, type ConnectedGateway, signIn, startConnected } from '../support/connected.ts'
import { type FakeProvider, json, tokens } from '../support/fake-provider.ts'

type Token = FakeProvider['token']
type Row = { status: string; failingSince?: string }

const refresh = ({ gateway, browser }: ConnectedGateway) =>
  browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' })

async function connectionOf({ gateway, browser }: ConnectedGateway): Promise<Row | undefined> {
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as {
    connections: Array<Row & { provider: string }>
  }
  return connections.find(({ provider }) => provider === 'productboard')
}

const linesOf = ({ gateway }: ConnectedGateway, message: RegExp) =>
  gateway.logs.map(line => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => message.test(String(msg)))

/** Bytes as they are, with no headers but those given. */
const bytes =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200) =>
  (_: unknown, r: ServerResponse) =>
    void r.writeHead(status, headers).end(body)

const jsonType = { 'content-type': 'application/json' }
const encoded = (coding: string) => ({ ...jsonType, 'content-encoding': coding })

const spellings: Record<string, (response: Record<string, unknown>) => Token> = {
  'labelled as text': response => bytes(JSON.stringify(response), { 'content-type': 'text/plain; charset=iso-8859-1' }),
  'labelled as a web page': response => bytes(JSON.stringify(response), { 'content-type': 'text/html' }),
  'not labelled': response => bytes(JSON.stringify(response)),
  'with an empty label': response => bytes(JSON.stringify(response), { 'content-type': '' }),
  'with a byte order mark': response => bytes(`\ufeff${JSON.stringify(response)}`, jsonType),
  'in gzip': response => bytes(gzipSync(JSON.stringify(response)), encoded('gzip')),
  'in gzip that nothing says': response => bytes(gzipSync(JSON.stringify(response)), jsonType),
  'in deflate': response => bytes(deflateSync(JSON.stringify(response)), encoded('deflate')),
  'in brotli': response => bytes(brotliCompressSync(JSON.stringify(response)), encoded('br')),
  'as a form': response =>
    bytes(new URLSearchParams(response as Record<string, string>).toString(), { 'content-type': 'application/x-www-form-urlencoded' }),
  'without a token type': response => (_, r) => json(r, 200, { ...response, token_type: undefined }),
  'with nothing but a token':
    ({ access_token }) =>
    (_, r) =>
      json(r, 200, { access_token }),
  'with an error that is none': response => (_, r) => json(r, 200, { ...response, error: '', ok: true }),
  'with a name that parsers refuse': response => bytes(`{"__proto__":{},${JSON.stringify(response).slice(1)}`, jsonType)
}

t.test('SEC-10: a rotation is not thrown away for how its response is written', async t => {
  const s = await startConnected(t)
  for (const [how, spelled] of Object.entries(spellings)) {
    const response = tokens()
    s.provider.token = spelled(response)
    t.equal((await refresh(s)).status, 200, how)
    s.provider.api = (seen, r) => json(r, seen.headers.authorization === `Bearer ${response.access_token}` ? 200 : 401, {})
    t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200, how)
  }
  t.strictSame(linesOf(s, /renewal failed/), [])
})

t.test('SEC-10: nor is a sign-in', async t => {
  const s = await startConnected(t)
  for (const [how, spelled] of Object.entries(spellings)) {
    s.provider.token = spelled(tokens())
    const response = await signIn(s.gateway, s.browser)
    t.strictSame([response.status, response.headers.get('location')], [303, '/'], how)
  }
})

const refusals: Record<string, Token> = {
  'as RFC 6749 has it': (_, r) => json(r, 400, { error: 'invalid_grant' }),
  'inside a 200': (_, r) => json(r, 200, { error: 'invalid_grant' }),
  'in a 401': (_, r) => json(r, 401, { error: 'invalid_grant' }),
  'in a 500': (_, r) => json(r, 500, { error: 'invalid_grant' }),
  'as text': bytes('invalid_grant', { 'content-type': 'text/plain' }, 400),
  'as JSON that is not labelled': bytes('{"error":"invalid_grant"}', {}, 400),
  'as a form': bytes('error=bad_refresh_token&error_description=no', { 'content-type': 'application/x-www-form-urlencoded' }),
  'wrapped, in gzip': bytes(gzipSync('{"error":{"code":"invalid_grant"}}'), encoded('gzip'), 400),
  'as Slack': (_, r) => json(r, 200, { ok: false, error: 'invalid_refresh_token' }),
  'as HubSpot': (_, r) => json(r, 400, { status: 'BAD_REFRESH_TOKEN', message: 'no' }),
  'as an OpenID provider that wants to see the person': (_, r) => json(r, 400, { error: 'interaction_required' })
}

t.test('SEC-14: a grant is over when the provider says so, in whatever words and wherever', async t => {
  const s = await startConnected(t)
  const issue = s.provider.token
  let asked = s.provider.seen.token.length
  for (const [how, refusal] of Object.entries(refusals)) {
    s.provider.token = refusal
    for (let i = 0; i < 2; i++) await assertProblem(t, await refresh(s), 401, 'reconnect_required')
    asked++
    t.equal(s.provider.seen.token.length, asked, how)
    t.equal((await connectionOf(s))?.status, 'reconnect_required', how)
    s.provider.token = issue
    await signIn(s.gateway, s.browser)
    asked++
  }
  const ends = linesOf(s, /connection ended/)
  t.equal(ends.length, Object.keys(refusals).length)
  t.match(ends[0], { provider: 'productboard', reason: 'invalid_grant', kind: 'refused', status: 400, error: 'invalid_grant' })
})

t.test('SEC-14: it is not over for what only looks like it, and why is told', async t => {
  const s = await startConnected(t)
  const page = '<html><body>error=invalid_grant&error=invalid_grant</body></html>'
  for (const [token, kind, status] of [
    [bytes(page, { 'content-type': 'text/html' }, 500), 'unavailable', 500],
    [bytes(page, { 'content-type': 'text/html' }), 'invalid_response', 200],
    [bytes('', jsonType), 'invalid_response', undefined],
    [bytes('{"access_token":', jsonType), 'invalid_response', 200],
    [bytes('{"access_token":""}', jsonType), 'invalid_response', 200],
    [bytes('{}', jsonType, 400), 'unavailable', 400],
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
  const own = linesOf(s, /token/).filter(({ code }) => code === 'provider_unavailable')
  t.match(own[0], { cause: { name: 'TokenEndpointError', kind: 'unavailable', status: 500 } })
})

t.test('SEC-17: the vendor’s code is in the log, and nothing of what was sent', async t => {
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

t.test(
  'a provider that refuses this gateway’s client is the operator’s business: said to callers, loudly in the log, and no grant is lost',
  async t => {
    const s = await startConnected(t)
    s.provider.token = (_, r) => json(r, 401, { error: 'invalid_client' })
    for (let i = 0; i < 8; i++) {
      await assertProblem(t, await refresh(s), 502, 'client_rejected')
      s.clock.advance(10_000)
    }
    const loud = linesOf(s, /OAuth client/)
    t.match(loud, [
      { level: 50, provider: 'productboard', error: 'invalid_client' },
      { level: 50, provider: 'productboard' }
    ])
    t.equal(loud.length, 2, 'once a minute')
    t.ok(Number(loud[1]?.failuresSinceLogged) > 0, 'and how often meanwhile')
    s.clock.advance(60_000)
    s.provider.token = (_, r) => json(r, 200, tokens())
    t.equal((await refresh(s)).status, 200)
  }
)

t.test('since when renewals fail is shown, and that they are tried again, until one goes through', async t => {
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

t.test('SEC-14: the pause that a token endpoint asks for is told to callers, and kept', async t => {
  const s = await startConnected(t)
  s.provider.token = (_, r) => json(r, 429, { error: 'rate_limited' }, { 'retry-after': '600' })
  const first = await refresh(s)
  t.equal(first.headers.get('retry-after'), '600')
  t.equal((await assertProblem(t, first, 502, 'provider_unavailable')).retryAfter, 600)
  const asked = s.provider.seen.token.length
  for (let i = 0; i < 9; i++) {
    s.clock.advance(60_000)
    t.equal((await assertProblem(t, await refresh(s), 502, 'provider_unavailable')).retryAfter, 600 - 60 * (i + 1))
  }
  t.equal(s.provider.seen.token.length, asked)
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200, 'while its token is good a call passes')
  await signIn(s.gateway, s.browser)
  t.equal(s.provider.seen.token.length, asked + 1, 'and who signs in is not held up')
})

/** The next token call waits. Resolves when it has come, with what answers it. */
const held = ({ provider }: ConnectedGateway) =>
  new Promise<(response: Record<string, unknown>) => void>(resolve => {
    provider.token = (_, r) => resolve(response => json(r, 200, response))
  })

async function until(t: Test, what: string, is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise(setImmediate)
  t.pass(what)
}

t.test('SEC-14: a token call may take longer than anybody waits for it, and what it brings is kept', async t => {
  const s = await startConnected(t)
  // Within a minute of its end: the call goes on with the old token, which is still good.
  s.clock.advance(3_600_000 - 30_000)
  const coming = held(s)
  const seen = () => s.provider.seen.token.length
  const asked = seen()
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
  t.equal(seen(), asked + 1, 'while its renewal is under way')
  // Past its end: nothing but a new token will do, and the wait has its limit.
  s.clock.advance(30_000)
  await assertProblem(t, await s.browser.fetch(`${s.proxy}/x`), 504, 'provider_timeout')
  t.equal(seen(), asked + 1, 'there is still the one token call')
  const answer = await coming
  answer(tokens({ access_token: 'late' }))
  s.provider.api = ({ headers }, r) => json(r, headers.authorization === 'Bearer late' ? 200 : 401, {})
  await until(t, 'the next call has what it brought', async () => (await s.browser.fetch(`${s.proxy}/x`)).status === 200)
  t.equal(seen(), asked + 1)
})
