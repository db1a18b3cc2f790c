import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { allow, bearer, connect, oauthClient, openBrowser, redirectUri, type Tokens } from './oauth-client.ts'

const sandbox = await startSandbox({ definitions: await loadProviders(), redirectUris: vendor => [redirectUri(vendor)] })
t.teardown(() => sandbox.close())
t.beforeEach(() => sandbox.vendor('productboard').reset())

const productboard = sandbox.vendor('productboard')
const json = async (response: Response) => (await response.json()) as Record<string, unknown>

t.test('one page signs in and asks for consent; Allow returns code, state and issuer', async t => {
  const app = oauthClient(sandbox, 'productboard')
  const browser = openBrowser(sandbox)
  const { page, url } = await browser.open(app.authorizeUrl({ scope: 'notes:read entities:read' }))
  const html = (await page?.text()) ?? ''
  t.match(html, /<html lang="en">[\s\S]*<title>Allow Grantkeeper to use your Productboard \(sandbox\)\?<\/title>/)
  t.match(html, /This is a sandbox on this machine and not Productboard/)
  t.match(html, /<input type="checkbox" name="scope" value="notes:read" checked>See notes and feedback</)
  t.match(html, /Fernhill Tea/)
  t.match(html, /<label for="email">Email<\/label>\s*<input id="email"[^>]* value="ada@example.com">/)
  t.match(html, /<button name="choice" value="allow">Allow<\/button>/)
  t.match(html, />Deny<\/button>/)
  t.notMatch(html, /<script|style="/)

  const callback = new URL((await browser.submit(url, { email: 'ada@example.com', choice: 'allow' })).url)
  t.equal(callback.origin + callback.pathname, redirectUri('productboard'))
  t.equal(callback.searchParams.get('state'), 'the-state')
  t.equal(callback.searchParams.get('iss'), productboard.issuer)

  const tokens = await json(await app.exchange(callback.searchParams.get('code') ?? ''))
  t.match(tokens, { access_token: String, refresh_token: String, token_type: 'Bearer', expires_in: 300, scope: 'notes:read entities:read' })
  t.equal((await app.request('/v2/notes', bearer(String(tokens.access_token)))).status, 200)
})

t.test('every authorization shows the consent page, for any user', async t => {
  const app = oauthClient(sandbox, 'productboard')
  const browser = openBrowser(sandbox)
  for (const email of ['ada@example.com', 'grace@example.com', '']) {
    const { page, url } = await browser.open(app.authorizeUrl())
    t.equal(page?.status, 200)
    t.match((await browser.submit(url, { email, choice: 'allow' })).url, /code=/)
  }
})

t.test('Deny returns access_denied to the client', async t => {
  const app = oauthClient(sandbox, 'productboard')
  const browser = openBrowser(sandbox)
  const { url } = await browser.open(app.authorizeUrl())
  const callback = new URL((await browser.submit(url, { choice: 'deny' })).url)
  t.equal(callback.searchParams.get('error'), 'access_denied')
  t.equal(callback.searchParams.get('state'), 'the-state')
  t.equal(callback.searchParams.get('iss'), productboard.issuer)
})

t.test('a consent page on which the choice was made before says that the request has ended', async t => {
  const browser = openBrowser(sandbox)
  const { url } = await browser.open(oauthClient(sandbox, 'productboard').authorizeUrl())
  await browser.submit(url, { choice: 'deny' })
  const { page } = await browser.open(url)
  t.equal(page?.status, 400)
  t.match(await page?.text(), /This request for access has ended/)
})

t.test('an invalid authorization request is rejected', async t => {
  const app = oauthClient(sandbox, 'productboard')
  const error = async (change: Record<string, string | undefined>) =>
    new URL((await openBrowser(sandbox).open(app.authorizeUrl(change))).url).searchParams.get('error')

  t.equal(await error({ code_challenge: undefined, code_challenge_method: undefined }), 'invalid_request', 'without PKCE')
  t.equal(await error({ code_challenge_method: 'plain' }), 'invalid_request', 'with plain PKCE')
  t.equal(await error({ scope: 'notes:read undefined' }), 'invalid_scope', 'with an unknown scope')
  const { page } = await openBrowser(sandbox).open(app.authorizeUrl({ redirect_uri: `${redirectUri('productboard')}/` }))
  t.equal(page?.status, 400, 'with another redirect URI')
  t.match(await page?.text(), /redirect_uri/)
  const twice = await openBrowser(sandbox).open(`${app.authorizeUrl({ scope: 'notes:read' })}&scope=notes:write`)
  t.match(twice.url, /error=invalid_request/, 'with two scope parameters')
})

t.test('the client authenticates only in the body, with its own secret', async t => {
  const app = oauthClient(sandbox, 'productboard')
  const code = await allow(sandbox, app.authorizeUrl())
  const { client_id, client_secret } = app.credentials
  const inHeader = await fetch(app.tokenUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
    body: new URLSearchParams(app.codeFields(code))
  })
  t.equal((await json(inHeader)).error, 'invalid_client')
  const withOther = await fetch(app.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({ client_id, client_secret: 'guessed', ...app.codeFields(code) })
  })
  t.equal((await json(withOther)).error, 'invalid_client')
  t.equal((await app.exchange(code)).status, 200)
})

t.test('a refresh rotates the token, and a reuse revokes the grant', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  const second = (await json(await app.refresh(tokens.refresh_token))) as Tokens
  t.not(second.refresh_token, tokens.refresh_token)
  t.equal((await app.request('/v2/notes', bearer(second.access_token))).status, 200)

  const reuse = await app.refresh(tokens.refresh_token)
  t.equal(reuse.status, 400)
  t.equal((await json(reuse)).error, 'invalid_grant')
  t.equal((await app.refresh(second.refresh_token)).status, 400)
  t.equal((await app.request('/v2/notes', bearer(second.access_token))).status, 401)
  t.match(productboard.counts, { tokenRequests: { authorization_code: 1, refresh_token: 3 }, refusedRefreshes: 2, reuses: 1 })
})

t.test('of concurrent refreshes at most one succeeds, and the grant is revoked', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  const responses = await Promise.all([1, 2, 3].map(() => app.refresh(tokens.refresh_token)))
  const successes = responses.filter(({ status }) => status === 200)
  t.ok(successes.length <= 1)
  t.equal(productboard.counts.reuses, 3 - successes.length)
  for (const response of successes) {
    const late = (await response.json()) as Tokens
    t.equal((await app.request('/v2/notes', bearer(late.access_token))).status, 401)
    t.equal((await app.refresh(late.refresh_token)).status, 400)
  }
})

t.test('an authorization code works once', async t => {
  const app = oauthClient(sandbox, 'productboard')
  const code = await allow(sandbox, app.authorizeUrl())
  const tokens = (await json(await app.exchange(code))) as Tokens
  t.equal((await json(await app.exchange(code))).error, 'invalid_grant')
  t.equal((await app.request('/v2/notes', bearer(tokens.access_token))).status, 401)
})

t.test('a used refresh token stays valid within the grace period only', async t => {
  productboard.switches.graceSeconds = 3600
  const { app, tokens } = await connect(sandbox, 'productboard')
  t.equal((await app.refresh(tokens.refresh_token)).status, 200)
  const again = (await json(await app.refresh(tokens.refresh_token))) as Tokens
  t.ok(again.refresh_token)
  productboard.switches.graceSeconds = 0
  t.equal((await app.refresh(tokens.refresh_token)).status, 400)
  t.equal((await app.refresh(again.refresh_token)).status, 400)
})

t.test('without rotation the refresh token stays good, and no other is sent', async t => {
  productboard.switches.rotateRefreshTokens = false
  const { app, tokens } = await connect(sandbox, 'productboard')
  for (const _ of [1, 2]) {
    const response = await app.refresh(tokens.refresh_token)
    t.equal(response.status, 200)
    t.notOk('refresh_token' in (await json(response)))
  }
})

t.test('revoking a refresh token ends the grant, and revoking an unknown one succeeds', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  t.equal((await app.revoke('unknown')).status, 200)
  const response = await app.revoke(tokens.refresh_token)
  t.equal(response.status, 200)
  t.equal(await response.text(), '')
  t.equal((await app.refresh(tokens.refresh_token)).status, 400)
  t.equal((await app.request('/v2/notes', bearer(tokens.access_token))).status, 401)
  t.equal(productboard.counts.revocations, 2)
  t.equal(productboard.counts.reuses, 0)
})

t.test('Process Street accepts JSON token requests and comma-separated scopes', async t => {
  const app = oauthClient(sandbox, 'process-street')
  const code = await allow(sandbox, app.authorizeUrl({ scope: 'read,write' }))
  const post = (body: string) => fetch(app.tokenUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  t.equal((await post('{"grant_type":')).status, 400)
  t.equal((await post('{"grant_type":["authorization_code"]}')).status, 400)
  const tokens = (await json(await post(JSON.stringify({ ...app.credentials, ...app.codeFields(code) })))) as Tokens
  t.equal(tokens.scope, 'read,write')
  t.equal((await app.request('/workflows', bearer(tokens.access_token))).status, 200)
  const refresh = { ...app.credentials, grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
  t.equal((await fetch(app.tokenUrl, { method: 'POST', body: new URLSearchParams(refresh) })).status, 400, 'it accepts no form')
  t.equal((await app.refresh(tokens.refresh_token)).status, 200)
  const strict = await fetch(oauthClient(sandbox, 'productboard').tokenUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}'
  })
  t.equal(strict.status, 400, 'other vendors accept no JSON')
})

t.test('Outgrow has no scopes', async t => {
  const app = oauthClient(sandbox, 'outgrow')
  const { page } = await openBrowser(sandbox).open(app.authorizeUrl())
  t.match(await page?.text(), /<li>See and change everything in the account<\/li>/)
  const { tokens } = await connect(sandbox, 'outgrow')
  t.notOk('scope' in tokens)
  t.equal((await app.request('/get_cal', bearer(tokens.access_token))).status, 200)
})

t.test('a token is valid only at its own vendor', async t => {
  const { tokens } = await connect(sandbox, 'ignition', 'reporting')
  t.equal((await oauthClient(sandbox, 'ignition').request('/reporting/clients', bearer(tokens.access_token))).status, 200)
  t.equal((await oauthClient(sandbox, 'productboard').request('/v2/notes', bearer(tokens.access_token))).status, 401)
})

t.test('a test can expire the access tokens, and revoke the grants', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  productboard.expireAccessTokens()
  t.equal((await app.request('/v2/notes', bearer(tokens.access_token))).status, 401)
  const fresh = (await json(await app.refresh(tokens.refresh_token))) as Tokens
  t.equal((await app.request('/v2/notes', bearer(fresh.access_token))).status, 200)
  productboard.revokeGrants()
  t.equal((await app.request('/v2/notes', bearer(fresh.access_token))).status, 401)
  t.equal((await json(await app.refresh(fresh.refresh_token))).error, 'invalid_grant')
})
