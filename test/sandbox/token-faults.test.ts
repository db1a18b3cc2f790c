import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { abortWhen, allow, bearer, connect, oauthClient, openBrowser, redirectUri, type Tokens } from './oauth-client.ts'

const sandbox = await startSandbox({ definitions: await loadProviders(), redirectUris: vendor => [redirectUri(vendor)] })
t.teardown(() => sandbox.close())

const ignition = sandbox.vendor('ignition')
const { switches, counts } = ignition
t.beforeEach(() => ignition.reset())

const { app, tokens } = await connect(sandbox, 'ignition', 'reporting')
let newest = tokens.refresh_token

const refresh = () => app.refresh(newest)
const failureOf = (response: Promise<unknown>) =>
  response.then(
    () => undefined,
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.name
  )

t.afterEach(async () => {
  // The grant must survive every injected fault.
  ignition.reset()
  const response = await refresh()
  newest = ((await response.json()) as Tokens).refresh_token
})

t.test('a token request gets a 500 or a 503', async t => {
  switches.tokenFault = 'error500'
  t.equal((await refresh()).status, 500)
  switches.tokenFault = 'error503'
  const busy = await refresh()
  t.equal(busy.status, 503)
  t.equal(busy.headers.get('retry-after'), '1')
  t.equal(counts.tokenRequests.refresh_token, 2)
})

t.test('a token request is rate limited, or rejected with or without a specific error', async t => {
  switches.tokenFault = 'busy'
  const busy = await refresh()
  t.strictSame([busy.status, busy.headers.get('retry-after')], [429, '60'])
  switches.tokenFault = 'invalid-client'
  const client = await refresh()
  t.strictSame([client.status, await client.json()], [401, { error: 'invalid_client' }])
  switches.tokenFault = 'refused'
  t.equal((await refresh()).status, 400)
})

t.test('a token response is labelled as text or encoded as a form', async t => {
  switches.tokenResponseFormat = 'text'
  const text = await refresh()
  t.match(text.headers.get('content-type'), /^text\/plain/)
  newest = (JSON.parse(await text.text()) as Tokens).refresh_token
  switches.tokenResponseFormat = 'form'
  const form = await refresh()
  t.match(form.headers.get('content-type'), /^application\/x-www-form-urlencoded/)
  const fields = new URLSearchParams(await form.text())
  t.match(Object.fromEntries(fields), { access_token: /./, token_type: 'Bearer', expires_in: /^\d+$/ })
  newest = fields.get('refresh_token') ?? ''
})

t.test('a token request gets a connection reset', async t => {
  switches.tokenFault = 'reset'
  t.equal(await failureOf(refresh()), 'ECONNRESET')
})

t.test('a token request gets an HTML page', async t => {
  switches.tokenFault = 'html'
  const response = await refresh()
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), /^text\/html/)
  t.match(await response.text(), /back soon/)
})

t.test('a token request gets a 200 without a token', async t => {
  switches.tokenFault = 'empty'
  t.same(await (await refresh()).json(), {})
  switches.tokenFault = 'error-in-200'
  const response = await refresh()
  t.equal(response.status, 200)
  t.same(await response.json(), { error: 'invalid_grant' })
  t.equal(counts.refusedRefreshes, 0, 'the grant was not really refused')
})

t.test('a token request gets no response', async t => {
  const refreshWithTimeout = () =>
    fetch(app.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: newest }),
      signal: abortWhen(() => counts.tokenRequests.refresh_token === 1)
    })
  switches.tokenFault = 'stall'
  t.equal(await failureOf(refreshWithTimeout()), 'TimeoutError')
  ignition.reset()
  switches.tokenDelayMs = 60_000
  t.equal(await failureOf(refreshWithTimeout()), 'TimeoutError')
})

t.test('a delayed token request is executed after the delay', async t => {
  switches.tokenDelayMs = 1
  const response = await refresh()
  t.equal(response.status, 200)
  newest = ((await response.json()) as Tokens).refresh_token
})

t.test('tokenFaultOn limits a fault to one grant type', async t => {
  switches.tokenFault = 'error500'
  switches.tokenFaultOn = 'authorization_code'
  const response = await refresh()
  t.equal(response.status, 200)
  newest = ((await response.json()) as Tokens).refresh_token
  t.equal((await app.exchange('any')).status, 500)
})

t.test('a dropped token response leaves a grant whose refresh token is used', async t => {
  const lost = await connect(sandbox, 'ignition')
  switches.dropTokenResponse = true
  switches.tokenFaultOn = 'refresh_token'
  t.equal(await failureOf(lost.app.refresh(lost.tokens.refresh_token)), 'UND_ERR_SOCKET')
  switches.dropTokenResponse = false
  t.equal((await lost.app.refresh(lost.tokens.refresh_token)).status, 400)
  t.match(counts, { refusedRefreshes: 1, reuses: 1 })
})

t.test('a token response omits fields or has another token_type', async t => {
  Object.assign(switches, { omitExpiresIn: true, omitRefreshToken: true, omitScope: true, tokenType: 'bearer', rotateRefreshTokens: false })
  const response = await refresh()
  t.match(response.headers.get('cache-control'), /no-store/)
  const body = (await response.json()) as Tokens
  t.strictSame(body, { access_token: body.access_token, token_type: 'bearer' })
  t.equal((await app.request('/reporting/clients', bearer(body.access_token))).status, 200)
})

t.test('accessTokenSeconds sets the lifetime of access tokens', async t => {
  switches.accessTokenSeconds = 7
  const body = (await (await refresh()).json()) as Tokens
  newest = body.refresh_token
  t.equal(body.expires_in, 7)
})

t.test('omitIss removes the issuer from authorization responses', async t => {
  switches.omitIss = true
  const other = oauthClient(sandbox, 'ignition')
  t.ok(await allow(sandbox, other.authorizeUrl()))
  const { url } = await openBrowser(sandbox).open(other.authorizeUrl({ scope: 'undefined' }))
  t.match(url, /error=invalid_scope/)
  t.notMatch(url, /iss=/)
})

t.test('revokeStatus makes a revocation fail without effect', async t => {
  switches.revokeStatus = 503
  t.equal((await app.revoke(newest)).status, 503)
  t.equal(counts.revocations, 1)
})
