import t from 'tap'
import type { ApiKeyMethod, Provider } from '../../src/core/provider/definition.ts'
import { acme, apiKey, bearer, json, oauth2, type Params, play } from './played.ts'

const host = 'api.acme.test/v1'
const basic = (text: string): Params => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
const keyed = (method: Partial<ApiKeyMethod>, others: Partial<Provider> = {}) => acme({ methods: { apiKey: apiKey(method) }, ...others })

t.test('the API echoes requests without their credential', async t => {
  const { call } = await play(t, keyed({}))
  const response = await call(
    `${host}/a%2Fb/c?x=1&y=%20`,
    { 'x-api-key': 'sandbox_acme_key', 'x-leaf': 'green' },
    { method: 'PUT', body: 'leaf' }
  )
  const echoed = await json(response)
  t.match(echoed, {
    provider: 'acme',
    method: 'PUT',
    path: '/a%2Fb/c',
    query: { x: '1', y: ' ' },
    headers: { 'x-leaf': 'green' },
    bodyLength: 4
  })
  t.notOk('x-api-key' in echoed.headers)
  t.notMatch(JSON.stringify(echoed), 'sandbox_acme_key')
  t.equal((await call('api.acme.test/v2/a', { 'x-api-key': 'sandbox_acme_key' })).status, 404, 'outside of the base')
})

t.test('a credential counts where the definition places it, and nowhere else', async t => {
  const key = 'sandbox_acme_key'
  const ways: Record<string, [placement: ApiKeyMethod['placements'][number], path: string, headers: Params]> = {
    header: [{ in: 'header', name: 'x-api-key' }, '/a', { 'x-api-key': key }],
    prefix: [{ in: 'header', name: 'authorization', prefix: 'Token ' }, '/a', { authorization: `Token ${key}` }],
    value: [{ in: 'header', name: 'authorization', value: 'Key {key}; v=1' }, '/a', { authorization: `Key ${key}; v=1` }],
    query: [{ in: 'query', name: 'api_key' }, `/a?api_key=${key}`, {}],
    path: [{ in: 'path', after: '/a' }, `/a/${key}`, {}],
    basic: [{ in: 'basic' }, '/a', basic(`${key}:`)],
    password: [{ in: 'basic', username: 'api', password: '{key}' }, '/a', basic(`api:${key}`)]
  }
  for (const [name, [placement]] of Object.entries(ways)) {
    const { call } = await play(t, keyed({ placements: [placement] }))
    for (const [way, [, path, headers]] of Object.entries(ways))
      t.equal((await call(host + path, headers)).status, way === name ? 200 : 401, `${way} at a vendor with ${name}`)
  }
  const { call } = await play(t, keyed({}))
  t.equal((await call(`${host}/a`, { 'x-api-key': key, ...bearer(key) })).status, 401, 'in two places')
  t.equal((await call(`${host}/a`, { 'x-api-key': 'other' })).status, 401)
})

t.test('an API has its own words for a dead credential', async t => {
  const refusals = [{ pointer: '/error/code', oneOf: ['token_expired', 'other'], statuses: [403] }]
  const { call, connect, vendor } = await play(t, acme({ api: { baseUrl: 'https://api.acme.test/v1', refusals } }))
  const { access_token } = await connect()
  vendor.expireAccessTokens()
  const response = await call(`${host}/a`, bearer(access_token))
  t.equal(response.status, 403)
  t.match(await json(response), { error: { code: 'token_expired' } })
  vendor.switches.unauthorizedCalls = 1
  t.match(await json(await call(`${host}/a`)), { error: { code: 'token_expired' } })
})

t.test('headers and parameters of the definition must be there', async t => {
  const headers = { 'x-version': '2026-01', 'x-client': '{client_id}' }
  const { call, connect, own } = await play(t, acme({ api: { baseUrl: 'https://api.acme.test/v1', headers, query: { format: 'json' } } }))
  const token = bearer((await connect()).access_token)
  const right = { ...token, 'x-version': '2026-01', 'x-client': own.client_id }
  t.equal((await call(`${host}/a?format=json`, right)).status, 200)
  t.equal((await call(`${host}/a`, right)).status, 400)
  t.equal((await call(`${host}/a?format=xml`, right)).status, 400)
  t.equal((await call(`${host}/a?format=json`, { ...right, 'x-version': '2025-01' })).status, 400)
  t.equal((await call(`${host}/a?format=json`, { ...right, 'x-client': 'other' })).status, 400)
  t.equal((await call(`${host}/a?format=json`, token)).status, 400)
})

t.test('each base is another host, with placements of its own', async t => {
  const bases = {
    files: 'https://files.acme.test/2',
    short: 'https://api.acme.test/v1/short',
    old: { url: 'https://old.acme.test', placements: [{ in: 'query', name: 'token' }] }
  } as const
  const { call, connect } = await play(t, acme({ api: { baseUrl: 'https://api.acme.test/v1', bases } }))
  const { access_token } = await connect()
  const baseOf = async (path: string) => (await json(await call(path, bearer(access_token)))).base
  t.equal(await baseOf(`${host}/a`), undefined)
  t.equal(await baseOf('files.acme.test/2/a'), 'files')
  t.equal(await baseOf(`${host}/short/a`), 'short')
  t.equal((await call('old.acme.test/a', bearer(access_token))).status, 401)
  t.match(await json(await call(`old.acme.test/a?token=${access_token}&x=1`)), { base: 'old', path: '/a', query: { x: '1' } })
})

t.test('the check responds as the definition expects, and refuses as it says', async t => {
  const check = {
    url: 'https://api.acme.test/graphql',
    method: 'POST',
    body: { query: '{me}' },
    status: [200, 403],
    expect: { pointer: '/ok', equals: true }
  } as const
  const { call } = await play(t, keyed({ check, account: { from: 'check', id: '/me/id', name: '/me/name' } }))
  const ask = (key: string, body: unknown) =>
    call('api.acme.test/graphql', { 'x-api-key': key }, { method: 'POST', body: JSON.stringify(body) })
  const right = await ask('sandbox_acme_key', { query: '{me}' })
  t.equal(right.status, 200)
  t.match(await json(right), { ok: true, me: { id: /^[\da-f]+$/, name: 'ada@example.com' } })
  const wrong = await ask('other', { query: '{me}' })
  t.equal(wrong.status, 200)
  t.match(await json(wrong), { ok: false })
  t.match(await json(await ask('sandbox_acme_key', { query: '{you}' })), { provider: 'acme', path: '' }, 'another request is echoed')
})

t.test('a look-up lists two items, and the API knows the values of both', async t => {
  const method = oauth2({
    lookup: { url: 'https://api.acme.test/sites', choose: { title: 'Site', items: '/values', id: '/id', name: '/label' } },
    values: { cloud: { from: 'lookup', pointer: '/id', pattern: '[0-9a-f\\-]+', example: '11223344-aabb' } },
    account: { from: 'lookup', path: '/me', id: '/id', name: '/mail' }
  })
  const { call, connect } = await play(t, acme({ api: { baseUrl: 'https://api.acme.test/ex/{cloud}' }, methods: { oauth2: method } }))
  const token = bearer((await connect('grace@example.com')).access_token)
  const { values } = await json(await call('api.acme.test/sites', token))
  t.match(values, [{ id: /^[\da-f]{8}-[\da-f]{4}$/, label: 'Site 1' }, { label: 'Site 2' }])
  t.not(values[0].id, values[1].id)
  for (const { id } of values) t.match(await json(await call(`api.acme.test/ex/${id}/a`, token)), { path: '/a', parameters: { cloud: id } })
  t.equal((await call('api.acme.test/ex/11223344-aabb/a', token)).status, 404, 'that of another account')
  t.match(await json(await call(`api.acme.test/ex/${values[0].id}/me`, token)), { id: String, mail: 'grace@example.com' })
})

t.test('a parameter stands in the host of every address, and must stay the same', async t => {
  const shop = { title: 'Shop', example: 'my-shop', pattern: '[a-z0-9\\-]+', suffix: '.acme.test' }
  const definition = acme({
    parameters: { shop },
    api: { baseUrl: 'https://{shop}.acme.test/admin', headers: { 'x-shop': '{shop}' } },
    methods: { oauth2: oauth2({ authorizeUrl: 'https://{shop}.acme.test/authorize', tokenUrl: 'https://{shop}.acme.test/token' }) }
  })
  const { authorize, call, post, own, codeParams, root, vendor } = await play(t, definition)
  t.strictSame(vendor.parameters, { shop: 'my-shop' })
  const url = `${root}/other-shop.acme.test/authorize`
  const code = async () => (await authorize({}, { url })).params.get('code') ?? ''
  t.equal((await post(`${root}/my-shop.acme.test/token`, { ...own, ...codeParams(await code()) })).status, 400, 'another shop')
  const tokens = await json(await post(`${root}/other-shop.acme.test/token`, { ...own, ...codeParams(await code()) }))
  const token = bearer(tokens.access_token)
  t.match(await json(await call('other-shop.acme.test/admin/a', { ...token, 'x-shop': 'other-shop' })), {
    parameters: { shop: 'other-shop' }
  })
  t.equal((await call('my-shop.acme.test/admin/a', { ...token, 'x-shop': 'my-shop' })).status, 404)
  t.equal((await call('other-shop.acme.test/admin/a', { ...token, 'x-shop': 'my-shop' })).status, 400)
  t.equal((await call('%7Bshop%7D.acme.test/admin/a', { ...token, 'x-shop': 'other-shop' })).status, 404)
  t.equal((await authorize({}, { url: `${root}/a.b.acme.test/authorize` })).params.get('error'), 'invalid_request', 'two labels')
})

t.test('a base URL from the token response is a host in the path', async t => {
  const values = {
    instance_url: { from: 'token', pointer: '/instance_url', suffix: '.acme.io', example: 'https://eu1.acme.io' }
  } as const
  const { connect, call, vendor } = await play(
    t,
    acme({ api: { baseUrl: '{instance_url}/services' }, methods: { oauth2: oauth2({ values }) } })
  )
  const [ada, grace] = [await connect(), await connect('grace@example.com')]
  t.equal(ada.instance_url, 'https://eu1.acme.io')
  t.match(grace.instance_url, /^https:\/\/[a-z]{2}\d\.acme\.io$/)
  t.equal((await call('eu1.acme.io/services/a', bearer(ada.access_token))).status, 200)
  t.equal((await call('eu1.acme.io/services/a', bearer(grace.access_token))).status, 404)
  t.match(vendor.definition.api.baseUrl, /\/acme\/\{instance_url\}\/services$/)
})

t.test('a key of several fields is good with all of them', async t => {
  const fields = {
    email: { title: 'Email', example: 'ada@example.com' },
    key: { title: 'Token', example: 'token-1', secret: true }
  }
  const placements = [{ in: 'basic', username: '{email}/token', password: '{key}' }] as const
  const { call, vendor } = await play(t, keyed({ fields, placements }))
  t.strictSame(vendor.fields, { email: 'ada@example.com', key: 'token-1' })
  t.equal(vendor.apiKey, 'token-1')
  t.equal((await call(`${host}/a`, basic('ada@example.com/token:token-1'))).status, 200)
  t.equal((await call(`${host}/a`, basic('grace@example.com/token:token-1'))).status, 401)
  t.equal((await call(`${host}/a`, basic('ada@example.com:token-1'))).status, 401)
  t.equal((await call(`${host}/a`, basic('ada@example.com/token:token-2'))).status, 401)
})

t.test('fields are exchanged for a token, which the API accepts in place of the key', async t => {
  const fields = { client: { title: 'Client', example: 'client-1' }, key: { title: 'Secret', example: 'secret-1', secret: true } }
  const tokenRequest = {
    url: 'https://acme.test/token',
    params: { grant_type: 'client_credentials' },
    basic: { username: '{client}', password: '{key}' }
  }
  const definition = keyed({
    fields,
    tokenRequest,
    tokenResponse: { accessToken: '/token' },
    placements: [{ in: 'header', name: 'x-token' }]
  })
  const { call, post, tokenUrl: _, root, vendor } = await play(t, definition)
  const ask = (params: Params, headers: Params) => post(`${root}/acme.test/token`, params, headers)
  const right = basic('client-1:secret-1')
  const response = await ask({ grant_type: 'client_credentials' }, right)
  const { token, expires_in } = await json(response)
  t.equal(expires_in, 300)
  t.equal((await call(`${host}/a`, { 'x-token': token })).status, 200)
  t.equal((await call(`${host}/a`, { 'x-token': 'secret-1' })).status, 401, 'the key itself')
  const wrong = await ask({ grant_type: 'client_credentials' }, basic('client-1:secret-2'))
  t.equal(wrong.status, 401)
  t.match(await json(wrong), { error: 'invalid_client' })
  t.equal((await ask({ grant_type: 'password' }, right)).status, 400)
  vendor.expireAccessTokens()
  t.equal((await call(`${host}/a`, { 'x-token': token })).status, 401)
  t.match(vendor.counts.tokenRequests, { key: 3 })
})

t.test('a value in the key is a part of the key that the sandbox documents', async t => {
  const values = { region: { from: 'key', pattern: '.+-([a-z]{2}\\d)', example: 'key-us6' } } as const
  const { call, vendor } = await play(t, keyed({ values }, { api: { baseUrl: 'https://{region}.api.acme.test/v1' } }))
  const [, region] = /-([a-z]{2}\d)$/.exec(vendor.apiKey) ?? []
  t.equal((await call(`${region}.api.acme.test/v1/a`, { 'x-api-key': vendor.apiKey })).status, 200)
  t.equal((await call('eu1.api.acme.test/v1/a', { 'x-api-key': vendor.apiKey })).status, 404)
})

t.test('a rate limit is said in the declared header', async t => {
  const rateLimit = { header: 'x-reset', unit: 'epoch' } as const
  const { call, vendor } = await play(t, keyed({}, { api: { baseUrl: 'https://api.acme.test/v1', rateLimit } }))
  vendor.switches.rateLimitCalls = 1
  const response = await call(`${host}/a`, { 'x-api-key': vendor.apiKey })
  t.equal(response.status, 429)
  t.match(response.headers.get('x-reset'), /^\d{10}$/)
})
