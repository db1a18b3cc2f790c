import { createPrivateKey, sign } from 'node:crypto'
import t from 'tap'
import { acme, bearer, callback, json, oauth2, type Params, play, verifier } from './played.ts'

const api = 'api.acme.test/v1/things'
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
const withMethod = (method: Parameters<typeof oauth2>[0]) => acme({ methods: { oauth2: oauth2(method) } })

t.test('a plain definition is played by the standard', async t => {
  const { connect, refresh, call, vendor } = await play(t, acme({}))
  const tokens = await connect()
  t.match(tokens, { access_token: String, token_type: 'Bearer', expires_in: 300, refresh_token: String })
  t.notOk('scope' in tokens, 'there is none')
  t.match(await json(await call(api, bearer(tokens.access_token))), { provider: 'acme', method: 'GET', path: '/things' })
  t.equal((await call(api, bearer('other'))).status, 401)
  t.equal((await refresh(tokens.refresh_token)).status, 200)
  t.match(await json(await refresh(tokens.refresh_token)), { error: 'invalid_grant' })
  t.equal((await call(api, bearer(tokens.access_token))).status, 401, 'a second use ends the family')
  t.match(vendor.counts, { refusedRefreshes: 1, reuses: 1 })
})

t.test('the consent page has the vendor’s name and colour, and the scopes in words', async t => {
  const scopeTexts = { 'notes:read': 'see notes' }
  const { authorize, sandbox, own, exchange } = await play(t, withMethod({ scopes: ['notes:read', 'notes:write'], scopeTexts }))
  const query = new URLSearchParams({ response_type: 'code', client_id: own.client_id, redirect_uri: callback, state: 'x' })
  query.set('scope', 'notes:read notes:write')
  query.set('code_challenge', 'c'.repeat(43))
  query.set('code_challenge_method', 'S256')
  const page = await fetch(`${sandbox.origin}/acme/acme.test/oauth/authorize?${query}`)
  const html = await page.text()
  t.match(html, '<h1>Allow Grantkeeper to use your Acme (sandbox)?</h1>')
  t.match(html, '--vendor: #123456')
  t.match(html, 'See notes</label>')
  t.match(html, 'Notes:write</label>', 'a scope without words')
  t.notMatch(page.headers.get('content-security-policy'), 'script-src')
  const { params } = await authorize({ scope: 'notes:read other' })
  t.equal((await json(await exchange(params.get('code') ?? ''))).scope, 'notes:read other', 'the operator may ask for others')
})

t.test('a user who allows a part gets a token for that part', async t => {
  const { authorize, exchange } = await play(t, withMethod({ scopes: ['a', 'b'] }))
  const { params } = await authorize({ scope: 'a b' }, { form: { partly: '1', scope: 'b' } })
  t.equal((await json(await exchange(params.get('code') ?? ''))).scope, 'b')
})

t.test('PKCE is S256, plain or refused, as the definition says', async t => {
  const none = { code_challenge: undefined, code_challenge_method: undefined }
  const plain = { code_challenge: verifier, code_challenge_method: 'plain' }
  for (const [pkce, right, wrong] of [
    ['S256', {}, plain],
    ['plain', plain, {}],
    [false, none, {}]
  ] as const) {
    const { authorize, exchange, own, post, tokenUrl, codeParams } = await play(t, withMethod({ pkce }))
    const code = async () => (await authorize(right)).params.get('code') ?? ''
    const { code_verifier: _, ...without } = codeParams(await code())
    const response = await (pkce ? exchange(await code()) : post(tokenUrl, { ...own, ...without }))
    t.equal(response.status, 200, String(pkce))
    const refused = await (pkce ? post(tokenUrl, { ...own, ...without, code: await code() }) : exchange(await code()))
    t.match(await json(refused), { error: pkce ? 'invalid_grant' : 'invalid_client' }, `${pkce} at the token endpoint`)
    t.equal((await authorize(wrong)).params.get('error'), pkce ? 'invalid_request' : 'invalid_client', `${pkce} at the start`)
    if (pkce) t.equal((await authorize(none)).params.get('error'), 'invalid_request')
    if (pkce) t.match(await json(await exchange(await code(), { code_verifier: 'w'.repeat(43) })), { error: 'invalid_grant' })
  }
})

t.test('the client authenticates in the declared way and no other', async t => {
  const encoded = encodeURIComponent
  for (const clientAuthentication of ['body', 'basic', 'basic-raw', 'none'] as const) {
    const { authorize, post, tokenUrl, codeParams, own } = await play(t, withMethod({ clientAuthentication }))
    const { client_id: id, client_secret: secret } = own
    const ways: Record<string, [Params, Params]> = {
      body: [own, {}],
      basic: [{}, basic(`${encoded(id)}:${encoded(secret)}`)],
      'basic-raw': [{}, basic(`${id}:${secret}`)],
      none: [{ client_id: id }, {}],
      both: [own, basic(`${id}:${secret}`)],
      nothing: [{}, {}],
      another: [{ ...own, client_id: 'another' }, {}]
    }
    for (const [way, [params, headers]] of Object.entries(ways)) {
      // Where no percent-encoding is needed, both are the same.
      const { params: result } = await authorize()
      const response = await post(tokenUrl, { ...codeParams(result.get('code') ?? ''), ...params }, headers)
      const isRight = way === clientAuthentication
      t.equal(response.status, isRight ? 200 : 401, `${way} at a vendor with ${clientAuthentication}`)
      if (!isRight) t.match(await json(response), { error: 'invalid_client' })
    }
  }
})

t.test('a client that signs is known by its signature and its claims', async t => {
  const clientAssertion = { algorithm: 'ES256', keyId: 'key-1', issuer: 'team-1', audience: 'https://acme.test' }
  const method = { clientAuthentication: 'private_key_jwt', clientAssertion } as const
  const { authorize, post, tokenUrl, codeParams, own } = await play(t, withMethod(method))
  const key = createPrivateKey(own.client_secret)
  const nowSeconds = Math.floor(Date.now() / 1000)
  const claims = { iss: 'team-1', sub: own.client_id, aud: 'https://acme.test', exp: nowSeconds + 60 }
  const signed = (head: object, payload: object) => {
    const text = [head, payload].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
  const head = { alg: 'ES256', kid: 'key-1' }
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const status = async (params: Params) => {
    const { params: result } = await authorize()
    return (await post(tokenUrl, { ...codeParams(result.get('code') ?? ''), client_id: own.client_id, ...params })).status
  }
  t.equal(await status({ client_assertion: signed(head, claims), client_assertion_type }), 200)
  t.equal(await status({ client_assertion: signed(head, claims) }), 401, 'without its type')
  t.equal(await status({ client_secret: own.client_secret }), 401, 'the key itself')
  for (const change of [{ iss: 'other' }, { sub: 'other' }, { aud: 'https://other.test' }, { exp: nowSeconds - 1 }])
    t.equal(await status({ client_assertion: signed(head, { ...claims, ...change }), client_assertion_type }), 401, JSON.stringify(change))
  t.equal(await status({ client_assertion: signed({ ...head, kid: 'other' }, claims), client_assertion_type }), 401)
  const forged = signed(head, claims).replace(/\.[^.]+$/, `.${'A'.repeat(86)}`)
  t.equal(await status({ client_assertion: forged, client_assertion_type }), 401)
})

t.test('parameters have the names and values that the definition gives them', async t => {
  const { authorize, post, tokenUrl, codeParams, own } = await play(
    t,
    withMethod({
      clientIdParameter: 'app_id',
      clientSecretParameter: 'app_secret',
      scopeParameter: 'permissions',
      scopes: ['a', 'b'],
      scopeSeparator: ',',
      authorizeParams: { access: 'offline', prompt: 'consent' },
      tokenParams: { device: 'web' },
      tokenHeaders: { 'x-version': '2' }
    })
  )
  const right = { client_id: undefined, app_id: own.client_id, permissions: 'a,b', access: 'offline', prompt: 'consent' }
  const code = async () => (await authorize(right)).params.get('code') ?? ''
  const client = { app_id: own.client_id, app_secret: own.client_secret, device: 'web' }
  const version = { 'x-version': '2' }
  const response = await post(tokenUrl, { ...codeParams(await code()), ...client }, version)
  t.match(await json(response), { access_token: String, scope: 'a,b' })

  t.equal((await authorize({ ...right, app_id: undefined, client_id: own.client_id })).page?.status, 400)
  t.equal((await authorize({ ...right, prompt: 'login consent' })).params.get('error'), null, 'a client may add a word')
  for (const change of [{ access: 'online' }, { access: undefined }, { prompt: 'login' }, { scope: 'a,b', permissions: undefined }])
    t.equal((await authorize({ ...right, ...change })).params.get('error'), 'invalid_request', JSON.stringify(change))
  const { device: _, ...withoutDevice } = client
  t.equal((await post(tokenUrl, { ...codeParams(await code()), ...withoutDevice }, version)).status, 400)
  t.equal((await post(tokenUrl, { ...codeParams(await code()), ...client })).status, 400, 'without the header')
  t.equal(
    (await post(tokenUrl, { ...codeParams(await code()), ...own, device: 'web' }, version)).status,
    401,
    'with the names of the standard'
  )
})

t.test('a token request is a form, JSON or a query', async t => {
  for (const tokenRequestFormat of ['form', 'json', 'query'] as const) {
    const { authorize, tokenUrl, codeParams, own } = await play(t, withMethod({ tokenRequestFormat }))
    for (const format of ['form', 'json', 'query']) {
      const { params } = await authorize()
      const all = { ...own, ...codeParams(params.get('code') ?? '') }
      const { status } =
        format === 'query'
          ? await fetch(`${tokenUrl}?${new URLSearchParams(all)}`)
          : format === 'json'
            ? await fetch(tokenUrl, { method: 'POST', body: JSON.stringify(all), headers: { 'content-type': 'application/json' } })
            : await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(all) })
      t.equal(status === 200, format === tokenRequestFormat, `${format} at a vendor with ${tokenRequestFormat}`)
    }
  }
})

t.test('tokens have the declared shape, lifetimes and rotation', async t => {
  const { connect, refresh } = await play(
    t,
    withMethod({
      tokenResponse: { accessToken: '/data/user/token', refreshToken: '/data/user/again', expiresAt: '/data/until', tokenType: 'user' },
      refreshResponse: { accessToken: '/access_token', expiresIn: '/seconds' },
      tokens: { accessTokenLifetime: 7200, refreshToken: 'kept' },
      values: { team: { from: 'token', pointer: '/teams/0/id', example: 'T123' } },
      account: { from: 'token', id: '/data/user/id', name: ['/data/user/mail', '/other'] }
    })
  )
  const tokens = await connect('ada@example.com')
  t.match(tokens, {
    token_type: 'user',
    data: { user: { token: String, again: String, mail: 'ada@example.com' } },
    teams: [{ id: 'T123' }]
  })
  const lifetime = Date.parse(tokens.data.until) - Date.now()
  t.ok(lifetime > 7_100_000 && lifetime <= 7_200_000)
  t.notOk('access_token' in tokens)
  for (const _ of [1, 2]) t.match(await json(await refresh(tokens.data.user.again)), { access_token: String, seconds: 7200 })

  const other = await connect('grace@example.com')
  t.not(other.data.user.id, tokens.data.user.id, 'another account')
  t.match(other.teams[0].id, /^T[1-9]{3}$/, 'with a value of its own')
  t.not(other.teams[0].id, 'T123')
})

t.test('tokens may never expire, be without a lifetime, or without a refresh token', async t => {
  const { connect, refresh } = await play(t, withMethod({ tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'none' } }))
  const tokens = await connect()
  t.strictSame(Object.keys(tokens).sort(), ['access_token', 'token_type'])
  t.equal((await refresh('any')).status, 400)
  const silent = await play(t, withMethod({ tokenResponse: { defaultExpiresIn: 60 } }))
  t.strictSame(Object.keys(await silent.connect()).sort(), ['access_token', 'refresh_token', 'token_type'])
})

t.test('an ID token has the account', async t => {
  const { connect, own, vendor } = await play(
    t,
    withMethod({ scopes: ['openid'], account: { from: 'id_token', id: '/sub', name: '/email' } })
  )
  const { id_token } = await connect('grace@example.com')
  const claims = JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url').toString())
  t.match(claims, { iss: vendor.issuer, aud: own.client_id, sub: String, email: 'grace@example.com' })
})

t.test('refusals are in the vendor’s own words', async t => {
  const refusals = [
    { pointer: '/error/code', oneOf: ['GRANT_OVER', 'OTHER'], means: 'invalid_grant' },
    { pointer: '/ok', oneOf: [false], means: 'invalid_client' }
  ] as const
  const { connect, refresh, vendor, exchange } = await play(t, withMethod({ refusals }))
  const tokens = await connect()
  vendor.revokeGrants()
  const response = await refresh(tokens.refresh_token)
  t.equal(response.status, 200)
  t.match(await json(response), { error: { code: 'GRANT_OVER' } })
  t.match(await json(await exchange('any', { client_secret: 'wrong' })), { ok: false })
})

t.test('the authorization response is a form, and has values', async t => {
  const values = { realm: { from: 'callback', parameter: 'realmId', example: '9130' } } as const
  const method = { responseMode: 'form_post', values, tokenUrl: 'https://acme.test/{realm}/token' } as const
  const { authorize, root, post, own, codeParams } = await play(t, withMethod(method))
  t.equal((await authorize()).params.get('error'), null, 'an error is in a form, too')
  const { page } = await authorize({ response_mode: 'form_post' })
  const html = (await page?.text()) ?? ''
  t.match(html, `<form method="post" action="${callback}">`)
  t.match(html, '<script>document.forms[0].submit()</script>')
  t.match(page?.headers.get('content-security-policy'), /script-src 'sha256-/)
  const fields = Object.fromEntries([...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))
  t.match(fields, { state: 'the-state', realmId: '9130', code: /./ })
  const params = { ...own, ...codeParams(fields.code ?? '') }
  t.equal((await post(`${root}/acme.test/9131/token`, params)).status, 400, 'the value of another account')
  t.equal((await post(`${root}/acme.test/9130/token`, params)).status, 200)
})

t.test('tokens are refreshed, upgraded and revoked by the vendor’s own requests', async t => {
  const { connect, root, own, call, vendor } = await play(
    t,
    withMethod({
      tokens: { refreshToken: 'none' },
      upgradeRequest: { url: 'https://acme.test/long', method: 'GET', params: { secret: '{client_secret}', token: '{access_token}' } },
      refreshRequest: {
        url: 'https://acme.test/renew',
        format: 'json',
        params: { token: '{access_token}' },
        headers: { 'x-app': '{client_id}' }
      },
      revokeRequest: {
        url: 'https://acme.test/apps/{client_id}/grant',
        method: 'DELETE',
        format: 'json',
        params: { access_token: '{access_token}' },
        basic: { username: '{client_id}', password: '{client_secret}' }
      },
      revocation: 'token'
    })
  )
  const { access_token: first, ...others } = await connect()
  t.notOk('refresh_token' in others)
  t.equal((await call(api, bearer(first))).status, 401, 'the API accepts the upgraded token alone')
  const long = (params: Params) => call(`acme.test/long?${new URLSearchParams(params)}`)
  t.equal((await long({ secret: 'wrong', token: first })).status, 401)
  t.equal((await long({ secret: own.client_secret, token: first, more: 'x' })).status, 400, 'a parameter that is not declared')
  const { access_token: kept } = await json(await long({ secret: own.client_secret, token: first }))
  t.equal((await call(api, bearer(kept))).status, 200)

  const send = (method: string, url: string, params: Params, headers: Params) =>
    fetch(`${root}/${url}`, { method, body: JSON.stringify(params), headers: { 'content-type': 'application/json', ...headers } })
  t.equal((await send('POST', 'acme.test/renew', { token: kept }, {})).status, 400, 'without its header')
  const { access_token: renewed } = await json(await send('POST', 'acme.test/renew', { token: kept }, { 'x-app': own.client_id }))
  t.equal((await call(api, bearer(renewed))).status, 200)
  t.equal((await send('POST', 'acme.test/renew', { token: 'unknown' }, { 'x-app': own.client_id })).status, 400)

  const grant = `acme.test/apps/${own.client_id}/grant`
  t.equal((await send('DELETE', grant, { access_token: renewed }, basic(`${own.client_id}:wrong`))).status, 400)
  t.equal((await call(api, bearer(renewed))).status, 200)
  const revoked = await send('DELETE', grant, { access_token: renewed }, basic(`${own.client_id}:${own.client_secret}`))
  t.equal(revoked.status, 200)
  t.equal((await call(api, bearer(renewed))).status, 401)
  t.match(vendor.counts, { tokenRequests: { authorization_code: 1, upgrade: 3, refresh_token: 3 }, revocations: 2 })
})

t.test('a revocation ends one sign-in, or all of an account', async t => {
  for (const revocation of ['token', 'grant'] as const) {
    const { connect, post, root, own, call } = await play(t, withMethod({ revokeUrl: 'https://acme.test/oauth/revoke', revocation }))
    const [one, same, other] = [await connect(), await connect(), await connect('grace@example.com')]
    t.equal((await post(`${root}/acme.test/oauth/revoke`, { ...own, token: one.refresh_token })).status, 200)
    const statuses = await Promise.all([one, same, other].map(async ({ access_token }) => (await call(api, bearer(access_token))).status))
    t.strictSame(statuses, [401, revocation === 'token' ? 200 : 401, 200], revocation)
    const withoutClient = await post(`${root}/acme.test/oauth/revoke`, { token: other.refresh_token })
    t.equal(withoutClient.status, 401)
    t.equal((await call(api, bearer(other.access_token))).status, 200)
  }
})
