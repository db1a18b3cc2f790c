import t from 'tap'
import { type Client, createClient, GrantkeeperError } from '../../src/browser/client.ts'
import { connectedAcme, type FakeGateway, problem, startFakeGateway } from './fake-gateway.ts'

async function errorOf(work: Promise<unknown>): Promise<GrantkeeperError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error
  )
  if (error instanceof GrantkeeperError) return error
  throw new Error(`not a GrantkeeperError: ${error}`)
}

const clientOf = ({ url }: FakeGateway) => createClient({ gateway: url, token: () => 'jwt-of-ada' })

t.test('token is called for each request and sent as a bearer, without cookies', async t => {
  const gateway = await startFakeGateway(t)
  gateway.routes.set('GET /proxy/acme/notes', () => ({ body: [] }))
  let calls = 0
  const credentials: unknown[] = []
  const client = createClient({
    gateway: gateway.url,
    token: async () => `jwt-${++calls}`,
    fetch: (input, init) => {
      credentials.push(init?.credentials)
      return fetch(input, init)
    }
  })
  await client.connections()
  await client.fetch('acme', '/notes', { headers: { authorization: 'of the app' } })
  t.same(
    gateway.requests.map(({ headers }) => headers.authorization),
    ['Bearer jwt-1', 'Bearer jwt-2']
  )
  t.same(credentials, ['omit', 'omit'])
})

t.test('a request is sent again with a newer token if its token was refused', async t => {
  const gateway = await startFakeGateway(t)
  gateway.routes.set('POST /proxy/acme/notes', ({ headers, body }) =>
    headers.authorization === 'Bearer new' ? { body: { received: body } } : problem('token_invalid', 401)
  )
  const tokens = ['old', 'new']
  const client = createClient({ gateway: gateway.url, token: () => tokens.shift() })
  const response = await client.fetch('acme', '/notes', { method: 'POST', body: 'text' })
  t.same(await response.json(), { received: 'text' })
})

t.test('a refused token is not sent twice', async t => {
  const gateway = await startFakeGateway(t)
  gateway.routes.set('GET /connections', () => problem('token_invalid', 401, { requestId: 'r1' }))
  t.match(await errorOf(clientOf(gateway).connections()), { code: 'token_invalid', status: 401, requestId: 'r1' })
  t.equal(gateway.requests.length, 1)
  let calls = 0
  const fickle = createClient({ gateway: gateway.url, token: () => `jwt-${++calls}` })
  t.match(await errorOf(fickle.connections()), { code: 'token_invalid' })
  t.equal(gateway.requests.length, 3, 'the newer one is the last')
})

t.test('a stream is not sent again with a newer token', async t => {
  const gateway = await startFakeGateway(t)
  gateway.routes.set('POST /proxy/acme/notes', () => problem('token_invalid', 401))
  let calls = 0
  const client = createClient({ gateway: gateway.url, token: () => `jwt-${++calls}` })
  const init = { method: 'POST', body: new Blob(['text']).stream(), duplex: 'half' } as RequestInit
  t.match(await errorOf(client.fetch('acme', '/notes', init)), { code: 'token_invalid' })
  t.same([gateway.requests.length, calls], [1, 1])
})

t.test('nothing is sent while nobody is signed in', async t => {
  const gateway = await startFakeGateway(t)
  for (const none of [undefined, null, '']) {
    const client = createClient({ gateway: gateway.url, token: () => none })
    t.match(await errorOf(client.connections()), { code: 'user_required', detail: /token\(\) returned nothing/ })
  }
  t.same(gateway.requests, [])
})

t.test('an error of token itself reaches the caller', async t => {
  const gateway = await startFakeGateway(t)
  const failing = createClient({ gateway: gateway.url, token: () => Promise.reject(new TypeError('the identity provider is down')) })
  await t.rejects(failing.connections(), { name: 'TypeError', message: 'the identity provider is down' })
})

t.test('an error has every field of the problem, loginUrl among them', async t => {
  const gateway = await startFakeGateway(t)
  const members = { loginUrl: `${gateway.url}/login`, provider: 'acme', retryAfter: 5, requestId: 'r1' }
  gateway.routes.set('GET /connections', () => problem('user_required', 401, members))
  const error = await errorOf(createClient({ gateway: gateway.url }).connections())
  t.match(error, { code: 'user_required', detail: 'detail of user_required', ...members })
})

t.test('a gateway below a path gets its requests there', async t => {
  const gateway = await startFakeGateway(t, '/integrations')
  for (const address of [gateway.url, `${gateway.url}/`, `${gateway.url}//?a=b#c`]) {
    const client = createClient({ gateway: address, token: () => 'jwt-of-ada' })
    t.equal((await client.connections())[0]?.provider, 'acme')
  }
  gateway.routes.set('GET /proxy/acme/notes', () => ({ body: 'text' }))
  t.equal(await (await clientOf(gateway).fetch('acme', 'notes')).text(), 'text')
})

t.test('a wrong gateway is named in the error', t => {
  for (const gateway of [
    'connect.example.com',
    '/integrations',
    '',
    'ftp://connect.example.com',
    'https://',
    'https:///x',
    'https://a b'
  ]) {
    t.throws(() => createClient({ gateway }), {
      name: 'TypeError',
      message: `gateway is ${gateway}. Give the URL of the gateway, such as `
    })
  }
  t.throws(() => createClient(), { name: 'TypeError', message: /gateway is undefined\. Give/ })
  t.throws(() => createClient({ gateway: 5 as unknown as string }), { name: 'TypeError', message: /gateway is 5\. Give/ })
  t.end()
})

t.test('a gateway that does not listen is gateway_unreachable', async t => {
  const client = createClient({ gateway: 'http://127.0.0.1:9' })
  for (const work of [client.connections(), client.fetch('acme', '/notes'), client.refresh('acme')]) {
    const error = await errorOf(work)
    t.match(error, { code: 'gateway_unreachable', detail: /^No response of Grantkeeper from http:\/\/127.0.0.1:9: .*ALLOWED_ORIGINS/ })
    t.ok(error.cause instanceof TypeError)
    t.notOk('status' in error)
  }
})

t.test('a response of something else is gateway_unreachable with its status', async t => {
  const gateway = await startFakeGateway(t)
  const html = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>An app</title>' }
  for (const reply of [html, { ...html, status: 502 }, { body: {} }, { body: 'null' }, { status: 404, body: {} }]) {
    gateway.routes.set('GET /connections', () => reply)
    t.match(await errorOf(clientOf(gateway).connections()), { code: 'gateway_unreachable', detail: /No response of Grantkeeper from/ })
  }
  gateway.routes.set('GET /connections', () => html)
  t.match(await errorOf(clientOf(gateway).connections()), { status: 200, detail: /something else responded, with 200/ })
})

t.test('an aborted request fails with the reason of the abort', async t => {
  const gateway = await startFakeGateway(t)
  const reason = new Error('the user left')
  await t.rejects(clientOf(gateway).fetch('acme', '/notes', { signal: AbortSignal.abort(reason) }), reason)
})

t.test('globalThis.fetch is looked up for each request', async t => {
  const client = createClient({ gateway: 'http://gateway.example' })
  const { fetch } = globalThis
  t.teardown(() => {
    globalThis.fetch = fetch
  })
  for (const title of ['first', 'second']) {
    globalThis.fetch = async () => Response.json({ connections: [{ title }] })
    t.match(await client.connections(), [{ title }])
  }
})

t.test('each method sends the request of its route', async t => {
  const gateway = await startFakeGateway(t)
  const connection = connectedAcme(gateway.url)
  const link = { url: `${gateway.url}/l/1`, expiresAt: '2026-01-01T00:10:00.000Z' }
  const cases: [
    string,
    (client: Client) => Promise<unknown>,
    { path: string; reply: object; sent?: object; account?: string; result?: unknown }
  ][] = [
    [
      'POST',
      c =>
        c.begin('acme', {
          returnTo: 'https://app.example/',
          account: 'add',
          scopes: ['a', 'b'],
          parameters: { subdomain: 'x' },
          loginHint: 'ada@example.com'
        }),
      {
        path: '/auth/acme',
        reply: link,
        sent: {
          returnTo: 'https://app.example/',
          account: 'add',
          scopes: ['a', 'b'],
          parameters: { subdomain: 'x' },
          loginHint: 'ada@example.com'
        }
      }
    ],
    ['POST', c => c.complete('the-code'), { path: '/connections/complete', reply: connection, sent: { code: 'the-code' } }],
    [
      'POST',
      c => c.complete('myapp://done?connect_code=abc&provider=acme'),
      { path: '/connections/complete', reply: connection, sent: { code: 'abc' } }
    ],
    ['POST', c => c.connectWithKey('acme', 'key'), { path: '/connections/acme', reply: connection, sent: { apiKey: 'key' } }],
    [
      'POST',
      c => c.connectWithKey('acme', { user: 'ada', key: 'key' }, { parameters: { site: 'x' } }),
      { path: '/connections/acme', reply: connection, sent: { fields: { user: 'ada', key: 'key' }, parameters: { site: 'x' } } }
    ],
    ['POST', c => c.refresh('acme'), { path: '/connections/acme/refresh', reply: connection }],
    ['POST', c => c.refresh('acme', { account: 'acme-2' }), { path: '/connections/acme/refresh', reply: connection, account: 'acme-2' }],
    [
      'PUT',
      c => c.setDefault('acme', 'acme-2'),
      { path: '/connections/acme/default', reply: connection, sent: { id: 'acme-2' }, result: undefined }
    ],
    ['POST', c => c.invite('acme', { name: 'Grace' }), { path: '/connections/acme/invitation', reply: link, sent: { name: 'Grace' } }],
    [
      'POST',
      c => c.link('acme', '/files/1?raw=1', { expiresIn: 60, account: 'acme-2' }),
      { path: '/links', reply: link, sent: { provider: 'acme', path: '/files/1?raw=1', expiresIn: 60 }, account: 'acme-2' }
    ],
    ['POST', c => c.logout(), { path: '/logout', reply: { logoutUrl: 'https://issuer.example/end' } }]
  ]
  for (const token of [undefined, () => 'jwt-of-ada']) {
    const client = createClient({ gateway: gateway.url, ...(token && { token }) })
    for (const [method, work, { path, reply, sent, account, result = reply }] of cases) {
      // Without a token, a sign-in begins with a URL, not with a request.
      if (!token && path === '/auth/acme') continue
      gateway.routes.set(`${method} ${path}`, () => ({ status: 201, body: reply }))
      const value = await work(client)
      if (!(method === 'PUT')) t.same(value, result, path)
      const seen = gateway.requests.at(-1)
      t.match(seen, { method, path, headers: { 'x-csrf': '1' } })
      t.equal(seen?.headers['grantkeeper-connection'], account)
      t.same(seen?.body ? JSON.parse(seen.body) : undefined, sent)
      t.equal(seen?.headers['content-type'], sent && 'application/json')
    }
  }
})

t.test('disconnect deletes one account or the provider’s, never more than was named', async t => {
  const gateway = await startFakeGateway(t)
  const client = clientOf(gateway)
  gateway.routes.set('DELETE /connections/acme', () => ({ status: 204 }))
  gateway.routes.set('DELETE /connections/acme/acme-2', () => ({ status: 204 }))
  t.equal(await client.disconnect('acme'), undefined)
  t.equal(await client.disconnect('acme', { account: 'acme-2' }), undefined)
  t.same(
    gateway.requests.map(({ path }) => path),
    ['/connections/acme', '/connections/acme/acme-2']
  )
  for (const account of ['', '..', '.', '%2e%2e', '../ignition', '?x', '#x', 'a/b', '\\..']) {
    const error = await errorOf(client.disconnect('acme', { account }))
    t.match(error.code, /^(path_rejected|not_found)$/, account)
    t.not(gateway.requests.at(-1)?.path, '/connections')
  }
  t.equal(gateway.requests.filter(({ path }) => path === '/connections/acme').length, 1)
})

t.test('account picks the connection of a request', async t => {
  const gateway = await startFakeGateway(t)
  gateway.routes.set('GET /proxy/acme/notes', ({ headers }) => ({ body: { account: headers['grantkeeper-connection'] ?? 'default' } }))
  const client = clientOf(gateway)
  t.same(await (await client.fetch('acme', '/notes', { account: 'acme-2' })).json(), { account: 'acme-2' })
  t.same(await (await client.fetch('acme', '/notes')).json(), { account: 'default' })
})

t.test('an absolute URL is compared with the API of the account', async t => {
  const gateway = await startFakeGateway(t)
  const first = { ...connectedAcme(gateway.url), apiUrls: ['https://one.acme.example/api'] }
  gateway.connections.splice(0, 1, first, { ...first, id: 'acme-2', apiUrls: ['https://two.acme.example/api'] })
  gateway.routes.set('GET /proxy/acme/notes', () => ({ body: 'text' }))
  const client = clientOf(gateway)
  t.equal((await client.fetch('acme', 'https://two.acme.example/api/notes', { account: 'acme-2' })).status, 200)
  const other = client.fetch('acme', 'https://one.acme.example/api/notes', { account: 'acme-2' })
  t.match(await errorOf(other), { code: 'path_rejected', provider: 'acme' })
  const nobodys = client.fetch('acme', 'https://one.acme.example/api/notes', { account: 'acme-3' })
  t.match(await errorOf(nobodys), { code: 'connection_unknown', provider: 'acme' })
})

t.test('without a token, begin returns the connect URL with the options in its query', async t => {
  const gateway = await startFakeGateway(t)
  const client = createClient({ gateway: gateway.url })
  const options = {
    returnTo: 'https://app.example/?a=b',
    account: 'add',
    scopes: ['a', 'b'],
    loginHint: 'ada',
    parameters: { subdomain: 'x' }
  }
  const { url } = await client.begin('acme', options)
  t.equal(url.split('?')[0], `${gateway.url}/auth/acme`)
  const query = { subdomain: 'x', return_to: 'https://app.example/?a=b', account: 'add', scopes: 'a b', login_hint: 'ada' }
  t.same(Object.fromEntries(new URL(url).searchParams), query)
  const hostile = await client.begin('acme', { returnTo: '/done', parameters: { return_to: '/other', account: 'x' } })
  t.equal(new URL(hostile.url).searchParams.get('return_to'), '/done', 'a parameter replaces no option')
})

t.test('a sign-in without anybody signed in goes by way of the gateway’s own address', async t => {
  const gateway = await startFakeGateway(t)
  gateway.routes.set('GET /connections', () => problem('user_required', 401, { loginUrl: `${gateway.url}/login` }))
  const { url } = await createClient({ gateway: gateway.url }).begin('acme', { returnTo: '/done' })
  t.equal(url, `${gateway.url}/auth/acme?return_to=%2Fdone`)
})

t.test('complete tells the error with which a sign-in came back', async t => {
  const gateway = await startFakeGateway(t)
  const client = clientOf(gateway)
  const refused = client.complete('https://app.example/?connect_error=access_denied&provider=acme')
  t.match(await errorOf(refused), { code: 'access_denied', provider: 'acme' })
  t.match(await errorOf(client.complete('used')), { code: 'state_invalid', status: 400 })
  gateway.routes.set('POST /connections/complete', () => problem('user_mismatch', 403))
  t.match(await errorOf(client.complete('of-somebody-else')), { code: 'user_mismatch', status: 403 })
  t.equal(await client.complete(), undefined, 'there is no page here')
})

t.test('connect without a page says what to use', async t => {
  const gateway = await startFakeGateway(t)
  for (const popup of [true, false])
    await t.rejects(clientOf(gateway).connect('acme', { popup }), { name: 'TypeError', message: /needs a page.*begin.*complete/ })
})
