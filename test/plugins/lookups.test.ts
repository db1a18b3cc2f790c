import t, { type Test } from 'tap'
import type { ApiKeyMethod, OAuth2Method } from '../../src/core/provider/definition.ts'
import { assertConnectError, assertProblem } from '../support/connected.ts'
import { type FakeProvider, json, tokens } from '../support/fake-provider.ts'
import { playDefinition } from '../support/played-definition.ts'
import { startUserGateway } from '../support/users.ts'

const help = { steps: ['Sign in.'] }
const cloudId = { from: 'lookup', pointer: '/id', pattern: '[\\w\\-]+', example: 'site-1' } as const
const choose = { title: 'Site', items: '', id: '/id', name: '/name' }

/** Sites, as Atlassian has them: the address of the API is known after a look-up alone, in whose place another site may be chosen. */
const sites = (t: Test, oauth2: Partial<OAuth2Method> = {}, apiKey?: Partial<ApiKeyMethod>) =>
  playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/ex/{cloud_id}`, headers: { 'x-site': '{cloud_id}', 'x-always': '1' } },
    methods: {
      oauth2: {
        authorizeUrl: `${origin}/authorize`,
        tokenUrl: `${origin}/token`,
        revokeUrl: `${origin}/revoke`,
        scopes: ['read'],
        clientAuthentication: 'body',
        lookup: { url: `${origin}/sites`, choose },
        values: { cloud_id: cloudId },
        account: { from: 'lookup', id: '/id', name: '/name' },
        help,
        ...oauth2
      },
      ...(apiKey && { apiKey: { placements: [{ in: 'header', name: 'x-api-key' }], help, ...apiKey } })
    }
  }))

const two = [
  { id: 'site-1', name: 'Fern\u202ehill' },
  { id: 'site-2', name: 'Acme' }
]
const listing =
  (list: unknown, status = 200): FakeProvider['api'] =>
  ({ url, headers }, r) =>
    url === '/sites' ? json(r, status, list) : json(r, 200, { url, site: headers['x-site'] })

const revoked = async (s: { provider: FakeProvider }) => {
  while (s.provider.seen.revoke.length === 0) await new Promise(resolve => setImmediate(resolve))
  return s.provider.seen.revoke.length
}

t.test('a look-up finds the address of the API, the account and what to choose from', async t => {
  const s = await sites(t)
  s.provider.api = listing(two)
  t.equal((await s.signIn()).status, 303)
  t.match(s.provider.seen.api, [{ method: 'GET', url: '/sites', headers: { authorization: /^Bearer access-/, 'x-always': '1' } }])
  t.notOk('x-site' in (s.provider.seen.api[0]?.headers ?? {}), 'what is not known yet is not sent')
  t.match(await s.connection(), {
    status: 'connected',
    account: 'Fernhill',
    choice: {
      title: 'Site',
      value: 'site-1',
      options: [
        { value: 'site-1', name: 'Fernhill' },
        { value: 'site-2', name: 'Acme' }
      ]
    },
    apiUrls: [/\/ex\/site-1$/]
  })
  t.same(await (await s.request('/issue')).json(), { url: '/ex/site-1/issue', site: 'site-1' })
})

t.test('another item is chosen by its id, and address, headers and account follow', async t => {
  const s = await sites(t)
  s.provider.api = listing(two)
  await s.signIn()
  const { id } = await s.connection()
  const response = await s.send('PUT', `/connections/acme/${id}/choice`, { value: 'site-2' })
  t.equal(response.status, 200)
  t.match(await response.json(), { id, account: 'Acme', isDefault: true, choice: { value: 'site-2' }, apiUrls: [/\/ex\/site-2$/] })
  t.same(await (await s.request('/issue')).json(), { url: '/ex/site-2/issue', site: 'site-2' })
})

t.test('who connects the same account again keeps the choice', async t => {
  const s = await sites(t, { account: { from: 'token', id: '/user' } })
  s.provider.token = (_, r) => json(r, 200, tokens({ user: 'ada' }))
  s.provider.api = listing(two)
  await s.signIn()
  const { id } = await s.connection()
  await s.send('PUT', `/connections/acme/${id}/choice`, { value: 'site-2' })
  await s.signIn()
  t.match(await s.connection(), { id, choice: { value: 'site-2' }, apiUrls: [/\/site-2$/] })
  s.provider.api = listing([two[0]])
  await s.signIn()
  t.match(await s.connection(), { id, choice: { value: 'site-1' } }, 'unless it is gone')
})

t.test('one more account uses an item that none uses yet', async t => {
  const s = await sites(t)
  s.provider.api = listing(two)
  await s.signIn()
  const started = await s.browser.request(`${s.gateway.url}/auth/acme?account=add`)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state')
  await s.browser.request(`${s.gateway.url}/auth/acme/callback?code=c&state=${state}`)
  const { connections } = (await (await s.send('GET', '/connections')).json()) as {
    connections: Array<{ provider: string; account?: string }>
  }
  t.same(
    connections.filter(({ provider }) => provider === 'acme').map(({ account }) => account),
    ['Fernhill', 'Acme']
  )
})

t.test('a choice is among the items that the provider lists now', async t => {
  const s = await sites(t)
  s.provider.api = listing(two)
  await s.signIn()
  const { id } = await s.connection()
  const put = (body: unknown) => s.send('PUT', `/connections/acme/${id}/choice`, body)
  for (const value of ['site-3', '', 'x'.repeat(1000), 7, null, ['site-2'], undefined])
    t.match(await assertProblem(t, await put({ value }), 400, 'parameters_invalid'), { parameter: 'value' }, String(value))
  s.provider.api = listing([two[0], { id: 'site-3', name: 'New' }])
  await assertProblem(t, await put({ value: 'site-2' }), 400, 'parameters_invalid')
  t.match(
    await s.connection(),
    { choice: { value: 'site-1', options: [{ value: 'site-1' }, { value: 'site-3' }] } },
    'the list is as it is now'
  )
  t.equal((await put({ value: 'site-3' })).status, 200)
  s.provider.api = listing([])
  await assertProblem(t, await put({ value: 'site-1' }), 502, 'provider_unavailable')
  t.match(await s.connection(), { choice: { value: 'site-3' } })
  await assertProblem(t, await s.send('PUT', '/connections/acme/other/choice', { value: 'site-1' }), 404, 'connection_unknown')
  await assertProblem(t, await s.send('PUT', `/connections/nobody/${id}/choice`, { value: 'site-1' }), 404, 'provider_unknown')
})

t.test('SEC-24: a choice is guarded as everything unsafe is', async t => {
  const s = await sites(t)
  s.provider.api = listing(two)
  await s.signIn()
  const { id } = await s.connection()
  const response = await s.browser.request(`${s.gateway.url}/connections/acme/${id}/choice`, {
    method: 'PUT',
    body: '{"value":"site-2"}',
    headers: { 'content-type': 'application/json' }
  })
  await assertProblem(t, response, 403, 'csrf_rejected')
  const stranger = await fetch(`${s.gateway.url}/connections/acme/${id}/choice`, {
    method: 'PUT',
    body: '{"value":"site-2"}',
    headers: { 'content-type': 'application/json', 'x-csrf': '1' }
  })
  await assertProblem(t, stranger, 404, 'connection_unknown')
  t.match(await s.connection(), { choice: { value: 'site-1' } })
})

t.test('a token that has expired or is refused is renewed for a choice', async t => {
  const s = await sites(t)
  s.provider.api = listing(two)
  await s.signIn()
  const { id } = await s.connection()
  s.clock.advance(3_600_000)
  t.equal((await s.send('PUT', `/connections/acme/${id}/choice`, { value: 'site-2' })).status, 200)
  t.equal(s.provider.seen.token.length, 2)
  const before = s.provider.seen.api.at(-1)?.headers.authorization
  const list = listing(two)
  s.provider.api = (seen, r, request) => (seen.headers.authorization === before ? json(r, 401, {}) : list(seen, r, request))
  t.equal((await s.send('PUT', `/connections/acme/${id}/choice`, { value: 'site-1' })).status, 200)
  t.equal(s.provider.seen.token.length, 3)
  t.match(await s.connection(), { choice: { value: 'site-1' } })
})

t.test('a connection without a choice has none to change', async t => {
  const users = await startUserGateway(t)
  await users.connect('ada')
  const { send } = users.as('ada')
  const { connections } = (await (await send('GET', '/connections')).json()) as { connections: Array<{ id: string }> }
  const response = await send('PUT', `/connections/productboard/${connections[0]?.id}/choice`, { value: 'x' })
  await assertProblem(t, response, 400, 'parameters_invalid')
})

t.test('SEC-61: a look-up without the value that is needed connects nothing, and the grant is given back', async t => {
  for (const [what, respond] of [
    ['an empty list', listing([])],
    ['no list', listing({ id: 'site-1' })],
    ['items without an id', listing([{ name: 'x' }, null, 7, { id: '' }, { id: {} }])],
    ['a value of another form', listing([{ id: '../evil', name: 'x' }])],
    ['a value of 1,000 characters with a slash', listing([{ id: `${'x'.repeat(254)}/`, name: 'x' }])],
    ['403', listing(two, 403)],
    ['401', listing(two, 401)],
    ['500', listing(two, 500)],
    ['no JSON', (_: unknown, r: Parameters<FakeProvider['api']>[1]) => void r.end('<html>')],
    ['a giant', listing([{ ...two[0], pad: 'x'.repeat(300_000) }])]
  ] as const) {
    const s = await sites(t)
    s.provider.api = respond
    assertConnectError(t, await s.signIn(), 'provider_error', what)
    t.match(await s.connection(), { status: 'disconnected' }, what)
    t.equal(await revoked(s), 1, what)
    t.match(JSON.stringify(s.warnings()), /cloud_id/, `${what}: the log names the value`)
    t.notMatch(s.gateway.logs.join(''), /evil|access-\d/, `${what}: and not its content`)
  }
  const s = await sites(t)
  s.provider.api = (_, r) => void r.destroy()
  assertConnectError(t, await s.signIn(), 'provider_unavailable')
  t.equal(await revoked(s), 1)
})

t.test('a request that needs a value which is missing is not sent, and is no error of the gateway', async t => {
  const region = { from: 'token', pointer: '/region', optional: true, example: 'eu' } as const
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/api` },
    methods: {
      oauth2: {
        authorizeUrl: `${origin}/authorize`,
        tokenUrl: `${origin}/token`,
        scopes: ['read'],
        clientAuthentication: 'body',
        values: { region, cloud_id: { ...cloudId, optional: true } },
        lookup: { url: `${origin}/{region}/sites` },
        account: { from: 'lookup', url: `${origin}/{region}/me`, name: '/name' },
        check: { path: '/{region}/check', status: 200 },
        help
      }
    }
  }))
  s.provider.token = (_, r) => json(r, 200, tokens({ refresh_token: undefined }))
  t.notMatch((await s.signIn()).headers.get('location'), /connect_error/)
  t.equal(s.provider.seen.api.length, 0)
  s.provider.api = (_, r) => json(r, 401, {})
  t.equal((await s.request('/x')).status, 401)
  t.same(
    s.provider.seen.api.map(({ url }) => url),
    ['/api/x']
  )
})

t.test('many items are 100 to choose from, each id once', async t => {
  const s = await sites(t)
  s.provider.api = listing(Array.from({ length: 300 }, (_, i) => ({ id: `site-${i % 150}`, name: 'x'.repeat(500) })))
  await s.signIn()
  const { choice } = (await s.connection()) as unknown as { choice: { options: Array<{ value: string; name: string }> } }
  t.equal(choice.options.length, 100)
  t.equal(new Set(choice.options.map(({ value }) => value)).size, 100)
  t.equal(choice.options[0]?.name.length, 200)
  t.same((await s.request('/x')).status, 200)
})

t.test('an item without a name is shown by its id', async t => {
  const s = await sites(t, { account: { from: 'token', name: '/nobody' } })
  s.provider.api = listing([{ id: 17 }])
  await s.signIn()
  t.match(await s.connection(), { choice: { value: '17', options: [{ value: '17', name: '17' }] } })
})

t.test('an account from elsewhere stays when another item is chosen', async t => {
  const s = await sites(t, { account: { from: 'token', name: '/user' } })
  s.provider.token = (_, r) => json(r, 200, tokens({ user: 'Ada' }))
  s.provider.api = listing(two)
  await s.signIn()
  const { id } = await s.connection()
  t.match(await (await s.send('PUT', `/connections/acme/${id}/choice`, { value: 'site-2' })).json(), { account: 'Ada' })
})

t.test('an account that is asked for at the chosen site is asked for again', async t => {
  const s = await sites(t, { account: { from: 'lookup', path: '/me', id: '/url', name: '/site' } })
  s.provider.api = listing(two)
  await s.signIn()
  t.match(await s.connection(), { account: 'site-1' })
  const { id } = await s.connection()
  t.match(await (await s.send('PUT', `/connections/acme/${id}/choice`, { value: 'site-2' })).json(), { account: 'site-2' })
})

t.test('a look-up by POST without a choice reads the document itself', async t => {
  const s = await sites(t, { account: { from: 'lookup', id: '/data/me/id', name: '/data/me/name' } })
  const { origin } = s.provider
  t.ok(origin)
  const graphql = await playDefinition(t, at => ({
    api: { baseUrl: `${at}/graphql` },
    methods: {
      oauth2: {
        authorizeUrl: `${at}/authorize`,
        tokenUrl: `${at}/token`,
        scopes: ['read'],
        clientAuthentication: 'body',
        lookup: { path: '', method: 'POST', body: { query: '{ me { id name } }' } },
        account: { from: 'lookup', id: '/data/me/id', name: '/data/me/name' },
        help
      }
    }
  }))
  graphql.provider.api = ({ method, body }, r) => json(r, 200, { data: { me: { id: 7, name: `${method} ${body.length}` } } })
  await graphql.signIn()
  t.match(await graphql.connection(), { account: 'POST 30' })
  graphql.provider.api = (_, r) => json(r, 500, {})
  t.equal((await graphql.signIn()).status, 303)
  t.match(await graphql.connection(), { status: 'connected' }, 'the account alone is no reason to refuse')
})

t.test('a key is looked up as a grant is, and refused with what is missing', async t => {
  const s = await sites(t, {}, { lookup: { url: 'http://127.0.0.1/sites' }, values: { cloud_id: cloudId } })
  const respond: FakeProvider['api'] = ({ headers, url }, r) =>
    headers['x-api-key'] === 'good'
      ? json(r, 200, { id: 'site-7', url })
      : headers['x-api-key'] === 'odd'
        ? json(r, 200, {})
        : json(r, 401, {})
  const keyed = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/ex/{cloud_id}` },
    methods: {
      apiKey: {
        placements: [{ in: 'header', name: 'x-api-key' }],
        lookup: { url: `${origin}/site` },
        values: { cloud_id: cloudId },
        check: { path: '/me', status: 200 },
        help
      }
    }
  }))
  keyed.provider.api = respond
  await assertProblem(t, await keyed.paste('bad'), 422, 'api_key_rejected')
  const { detail } = await assertProblem(t, await keyed.paste('odd'), 502, 'provider_unavailable')
  t.match(detail, /cloud_id is missing/)
  t.match(await keyed.connection(), { status: 'disconnected' })
  t.equal((await keyed.paste('good')).status, 201)
  t.same(
    keyed.provider.seen.api.slice(-2).map(({ url }) => url),
    ['/site', '/ex/site-7/me'],
    'the check needs the value'
  )
  await assertProblem(t, await s.paste('good'), 502, 'provider_unavailable')
  t.equal(s.provider.seen.api.length, 0, 'SEC-16: nothing is sent to a server that is not the definition’s own')
})
