import t from 'tap'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { allow, bearer, client, connect, limitPast, person, redirectUri, type Tokens } from './person.ts'

const sandbox = await startSandbox({ redirectUris: vendor => [redirectUri(vendor)] })
t.teardown(() => sandbox.close())

const ignition = sandbox.vendor('ignition')
const { switches, counts } = ignition
t.beforeEach(() => ignition.reset())

const { app, tokens } = await connect(sandbox, 'ignition', 'reporting')
let newest = tokens.refresh_token

const refresh = () => app.refresh(newest)
const failure = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.name
  )

t.afterEach(async () => {
  // Whatever was rehearsed, the grant has survived it.
  ignition.reset()
  const answer = await refresh()
  newest = ((await answer.json()) as Tokens).refresh_token
})

t.test('a token request meets a 500 or a 503', async t => {
  switches.tokenFault = 'error500'
  t.equal((await refresh()).status, 500)
  switches.tokenFault = 'error503'
  const busy = await refresh()
  t.equal(busy.status, 503)
  t.equal(busy.headers.get('retry-after'), '1')
  t.equal(counts.tokenRequests.refresh_token, 2)
})

t.test('a token request is refused for now, for its client, or for reasons that are not said', async t => {
  switches.tokenFault = 'busy'
  const busy = await refresh()
  t.strictSame([busy.status, busy.headers.get('retry-after')], [429, '60'])
  switches.tokenFault = 'invalid-client'
  const client = await refresh()
  t.strictSame([client.status, await client.json()], [401, { error: 'invalid_client' }])
  switches.tokenFault = 'refused'
  t.equal((await refresh()).status, 400)
})

t.test('a token answer is written in another way', async t => {
  switches.tokenAnswerAs = 'text'
  const text = await refresh()
  t.match(text.headers.get('content-type'), /^text\/plain/)
  newest = (JSON.parse(await text.text()) as Tokens).refresh_token
  switches.tokenAnswerAs = 'form'
  const form = await refresh()
  t.match(form.headers.get('content-type'), /^application\/x-www-form-urlencoded/)
  const fields = new URLSearchParams(await form.text())
  t.match(Object.fromEntries(fields), { access_token: /./, token_type: 'Bearer', expires_in: /^\d+$/ })
  newest = fields.get('refresh_token') ?? ''
})

t.test('a token request meets a reset connection', async t => {
  switches.tokenFault = 'reset'
  t.equal(await failure(refresh()), 'ECONNRESET')
})

t.test('a token request meets a web page', async t => {
  switches.tokenFault = 'html'
  const answer = await refresh()
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/html/)
  t.match(await answer.text(), /back soon/)
})

t.test('a token request meets an answer without a token', async t => {
  switches.tokenFault = 'empty'
  t.same(await (await refresh()).json(), {})
  switches.tokenFault = 'error-in-200'
  const answer = await refresh()
  t.equal(answer.status, 200)
  t.same(await answer.json(), { error: 'invalid_grant' })
  t.equal(counts.refusedRefreshes, 0, 'which was said and not meant')
})

t.test('a token request meets silence', async t => {
  const impatient = () =>
    fetch(app.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: newest }),
      signal: limitPast(() => counts.tokenRequests.refresh_token === 1)
    })
  switches.tokenFault = 'stall'
  t.equal(await failure(impatient()), 'TimeoutError')
  ignition.reset()
  switches.tokenDelayMs = 60_000
  t.equal(await failure(impatient()), 'TimeoutError')
})

t.test('a delayed token request is executed after the wait', async t => {
  switches.tokenDelayMs = 1
  const answer = await refresh()
  t.equal(answer.status, 200)
  newest = ((await answer.json()) as Tokens).refresh_token
})

t.test('a fault hits one kind of token request only, where it is told to', async t => {
  switches.tokenFault = 'error500'
  switches.tokenFaultOn = 'authorization_code'
  const answer = await refresh()
  t.equal(answer.status, 200)
  newest = ((await answer.json()) as Tokens).refresh_token
  t.equal((await app.exchange('any')).status, 500)
})

t.test('a lost answer leaves a grant whose refresh token is spent', async t => {
  const lost = await connect(sandbox, 'ignition')
  switches.answerLost = true
  switches.tokenFaultOn = 'refresh_token'
  t.equal(await failure(lost.app.refresh(lost.tokens.refresh_token)), 'UND_ERR_SOCKET')
  switches.answerLost = false
  t.equal((await lost.app.refresh(lost.tokens.refresh_token)).status, 400)
  t.match(counts, { refusedRefreshes: 1, reuses: 1 })
})

t.test('a token answer leaves things out, or says them in its own way', async t => {
  Object.assign(switches, { omitExpiresIn: true, omitRefreshToken: true, omitScope: true, tokenType: 'bearer', rotateRefreshTokens: false })
  const answer = await refresh()
  t.match(answer.headers.get('cache-control'), /no-store/)
  const body = (await answer.json()) as Tokens
  t.strictSame(body, { access_token: body.access_token, token_type: 'bearer' })
  t.equal((await app.call('/reporting/clients', bearer(body.access_token))).status, 200)
})

t.test('access tokens live as long as they are told to', async t => {
  switches.accessTokenSeconds = 7
  const body = (await (await refresh()).json()) as Tokens
  newest = body.refresh_token
  t.equal(body.expires_in, 7)
})

t.test('an authorization answer leaves out its issuer', async t => {
  switches.omitIss = true
  const other = client(sandbox, 'ignition')
  t.ok(await allow(sandbox, other.authorizeAddress()))
  const { address } = await person(sandbox).open(other.authorizeAddress({ scope: 'nothing' }))
  t.match(address, /error=invalid_scope/)
  t.notMatch(address, /iss=/)
})

t.test('a revocation fails and revokes nothing', async t => {
  switches.revokeStatus = 503
  t.equal((await app.revoke(newest)).status, 503)
  t.equal(counts.revocations, 1)
})
