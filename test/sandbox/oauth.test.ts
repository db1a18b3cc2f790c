import t from 'tap'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { allow, bearer, client, connect, person, redirectUri, type Tokens } from './person.ts'

const sandbox = await startSandbox({ redirectUris: vendor => [redirectUri(vendor)] })
t.teardown(() => sandbox.close())
t.beforeEach(() => sandbox.vendor('productboard').reset())

const productboard = sandbox.vendor('productboard')
const json = async (response: Response) => (await response.json()) as Record<string, unknown>

t.test('one page signs in and asks for consent, and Allow brings a code, the state and the issuer', async t => {
  const app = client(sandbox, 'productboard')
  const ada = person(sandbox)
  const { page, address } = await ada.open(app.authorizeAddress({ scope: 'notes:read entities:read' }))
  const html = (await page?.text()) ?? ''
  t.match(html, /<html lang="en">[\s\S]*<title>Allow Grantkeeper to use your Productboard \(sandbox\)\?<\/title>/)
  t.match(html, /This is a sandbox on this machine and not Productboard/)
  t.match(html, /<li>See notes and feedback<\/li>/)
  t.match(html, /Fernhill Tea/)
  t.match(html, /<label for="email">Email<\/label>\s*<input id="email"[^>]* value="ada@example.com">/)
  t.match(html, /<button name="choice" value="allow">Allow<\/button>/)
  t.match(html, />Deny<\/button>/)
  t.notMatch(html, /<script|style="/)

  const done = new URL((await ada.submit(address, { email: 'ada@example.com', choice: 'allow' })).address)
  t.equal(done.origin + done.pathname, redirectUri('productboard'))
  t.equal(done.searchParams.get('state'), 'the-state')
  t.equal(done.searchParams.get('iss'), productboard.issuer)

  const tokens = await json(await app.exchange(done.searchParams.get('code') ?? ''))
  t.match(tokens, { access_token: String, refresh_token: String, token_type: 'Bearer', expires_in: 300, scope: 'notes:read entities:read' })
  t.equal((await app.call('/v2/notes', bearer(String(tokens.access_token)))).status, 200)
})

t.test('a person is asked each time, and may be somebody else', async t => {
  const app = client(sandbox, 'productboard')
  const someone = person(sandbox)
  for (const email of ['ada@example.com', 'grace@example.com', '']) {
    const { page, address } = await someone.open(app.authorizeAddress())
    t.equal(page?.status, 200)
    t.match((await someone.submit(address, { email, choice: 'allow' })).address, /code=/)
  }
})

t.test('Deny gives access_denied back to the client', async t => {
  const app = client(sandbox, 'productboard')
  const ada = person(sandbox)
  const { address } = await ada.open(app.authorizeAddress())
  const done = new URL((await ada.submit(address, { choice: 'deny' })).address)
  t.equal(done.searchParams.get('error'), 'access_denied')
  t.equal(done.searchParams.get('state'), 'the-state')
  t.equal(done.searchParams.get('iss'), productboard.issuer)
})

t.test('a consent page without its cookie says that the request has ended', async t => {
  const { address } = await person(sandbox).open(client(sandbox, 'productboard').authorizeAddress())
  const { page } = await person(sandbox).open(address)
  t.equal(page?.status, 400)
  t.match(await page?.text(), /This request for access has ended/)
})

t.test('an authorization request is refused', async t => {
  const app = client(sandbox, 'productboard')
  const error = async (change: Record<string, string | undefined>) =>
    new URL((await person(sandbox).open(app.authorizeAddress(change))).address).searchParams.get('error')

  t.equal(await error({ code_challenge: undefined, code_challenge_method: undefined }), 'invalid_request', 'without PKCE')
  t.equal(await error({ code_challenge_method: 'plain' }), 'invalid_request', 'with plain PKCE')
  t.equal(await error({ scope: 'notes:read undefined' }), 'invalid_scope', 'with a scope that nobody knows')
  const { page } = await person(sandbox).open(app.authorizeAddress({ redirect_uri: `${redirectUri('productboard')}/` }))
  t.equal(page?.status, 400, 'with a redirect address that is almost right')
  t.match(await page?.text(), /redirect_uri/)
  const twice = await person(sandbox).open(`${app.authorizeAddress({ scope: 'notes:read' })}&scope=notes:write`)
  t.match(twice.address, /error=invalid_request/, 'with two scopes fields')
})

t.test('the client authenticates in the body only, and with its own secret', async t => {
  const app = client(sandbox, 'productboard')
  const code = await allow(sandbox, app.authorizeAddress())
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

t.test('a refresh rotates, and a reused refresh token costs the grant', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  const second = (await json(await app.refresh(tokens.refresh_token))) as Tokens
  t.not(second.refresh_token, tokens.refresh_token)
  t.equal((await app.call('/v2/notes', bearer(second.access_token))).status, 200)

  const reuse = await app.refresh(tokens.refresh_token)
  t.equal(reuse.status, 400)
  t.equal((await json(reuse)).error, 'invalid_grant')
  t.equal((await app.refresh(second.refresh_token)).status, 400)
  t.equal((await app.call('/v2/notes', bearer(second.access_token))).status, 401)
  t.match(productboard.counts, { tokenRequests: { authorization_code: 1, refresh_token: 3 }, refusedRefreshes: 2, reuses: 1 })
})

t.test('of two refreshes at the same moment one at most is good, and the grant is lost', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  const answers = await Promise.all([1, 2, 3].map(() => app.refresh(tokens.refresh_token)))
  const good = answers.filter(({ status }) => status === 200)
  t.ok(good.length <= 1)
  t.equal(productboard.counts.reuses, 3 - good.length)
  for (const answer of good) {
    const late = (await answer.json()) as Tokens
    t.equal((await app.call('/v2/notes', bearer(late.access_token))).status, 401)
    t.equal((await app.refresh(late.refresh_token)).status, 400)
  }
})

t.test('an authorization code works once', async t => {
  const app = client(sandbox, 'productboard')
  const code = await allow(sandbox, app.authorizeAddress())
  const tokens = (await json(await app.exchange(code))) as Tokens
  t.equal((await json(await app.exchange(code))).error, 'invalid_grant')
  t.equal((await app.call('/v2/notes', bearer(tokens.access_token))).status, 401)
})

t.test('within the grace a spent refresh token works on, and after it no more', async t => {
  productboard.switches.graceSeconds = 3600
  const { app, tokens } = await connect(sandbox, 'productboard')
  t.equal((await app.refresh(tokens.refresh_token)).status, 200)
  const again = (await json(await app.refresh(tokens.refresh_token))) as Tokens
  t.ok(again.refresh_token)
  productboard.switches.graceSeconds = 0
  t.equal((await app.refresh(tokens.refresh_token)).status, 400)
  t.equal((await app.refresh(again.refresh_token)).status, 400)
})

t.test('without rotation the refresh token stays', async t => {
  productboard.switches.rotateRefreshTokens = false
  const { app, tokens } = await connect(sandbox, 'productboard')
  for (const _ of [1, 2]) {
    const { refresh_token } = await json(await app.refresh(tokens.refresh_token))
    t.equal(refresh_token, tokens.refresh_token)
  }
})

t.test('a revoked refresh token takes everything with it, and an unknown one is no error', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  t.equal((await app.revoke('unheard-of')).status, 200)
  const answer = await app.revoke(tokens.refresh_token)
  t.equal(answer.status, 200)
  t.equal(await answer.text(), '')
  t.equal((await app.refresh(tokens.refresh_token)).status, 400)
  t.equal((await app.call('/v2/notes', bearer(tokens.access_token))).status, 401)
  t.equal(productboard.counts.revocations, 2)
  t.equal(productboard.counts.reuses, 0)
})

t.test('Process Street reads its token request as JSON, and commas between scopes', async t => {
  const app = client(sandbox, 'process-street')
  const code = await allow(sandbox, app.authorizeAddress({ scope: 'read,write' }))
  const post = (body: string) => fetch(app.tokenUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  t.equal((await post('{"grant_type":')).status, 400)
  t.equal((await post('{"grant_type":["authorization_code"]}')).status, 400)
  const tokens = (await json(await post(JSON.stringify({ ...app.credentials, ...app.codeFields(code) })))) as Tokens
  t.equal(tokens.scope, 'read write')
  t.equal((await app.call('/workflows', bearer(tokens.access_token))).status, 200)
  t.equal((await app.refresh(tokens.refresh_token)).status, 200, 'a form is read too')
  const strict = await fetch(client(sandbox, 'productboard').tokenUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}'
  })
  t.equal(strict.status, 400, 'but not by the others')
})

t.test('Outgrow knows no scopes', async t => {
  const app = client(sandbox, 'outgrow')
  const { page } = await person(sandbox).open(app.authorizeAddress())
  t.match(await page?.text(), /<li>See and change everything in the account<\/li>/)
  const { tokens } = await connect(sandbox, 'outgrow')
  t.notOk('scope' in tokens)
  t.equal((await app.call('/get_cal', bearer(tokens.access_token))).status, 200)
})

t.test('a token opens its own vendor only', async t => {
  const { tokens } = await connect(sandbox, 'ignition', 'reporting')
  t.equal((await client(sandbox, 'ignition').call('/reporting/clients', bearer(tokens.access_token))).status, 200)
  t.equal((await client(sandbox, 'productboard').call('/v2/notes', bearer(tokens.access_token))).status, 401)
})

t.test('a test can expire the access tokens, and revoke the grants', async t => {
  const { app, tokens } = await connect(sandbox, 'productboard')
  productboard.expireAccessTokens()
  t.equal((await app.call('/v2/notes', bearer(tokens.access_token))).status, 401)
  const fresh = (await json(await app.refresh(tokens.refresh_token))) as Tokens
  t.equal((await app.call('/v2/notes', bearer(fresh.access_token))).status, 200)
  productboard.revokeGrants()
  t.equal((await app.call('/v2/notes', bearer(fresh.access_token))).status, 401)
  t.equal((await json(await app.refresh(fresh.refresh_token))).error, 'invalid_grant')
})
