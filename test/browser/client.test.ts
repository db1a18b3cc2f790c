import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type ConnectErrorCode, type Connection, createClient, type GatewayCode, GrantkeeperError } from '../../src/browser/client.ts'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import type { ConnectError } from '../../src/core/oauth/error-codes.ts'
import { Browser } from '../support/browser.ts'
import { startConnected } from '../support/connected.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

/** A client in a browser with these cookies. */
const clientFor = (gateway: { url: string }, jar = new Browser()) =>
  createClient({ gateway: gateway.url, fetch: (input, init) => jar.request(String(input), init) })

async function errorOf(work: Promise<unknown>): Promise<GrantkeeperError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error
  )
  if (error instanceof GrantkeeperError) return error
  throw new Error(`not a GrantkeeperError: ${error}`)
}

t.test('fetch sends method, headers and body, and returns every response of the provider unchanged', async t => {
  const s = await startConnected(t)
  const client = clientFor(s.gateway, s.browser)
  for (const status of [200, 404, 401, 500]) {
    s.provider.api = (seen, response) => json(response, status, { method: seen.method, url: seen.url, body: String(seen.body) })
    const init = { method: 'PUT', body: 'text', headers: new Headers({ 'x-own': 'kept', 'content-type': 'text/plain' }) }
    const response = await client.fetch('productboard', '/v2/notes?a=%20b', init)
    t.equal(response.status, status)
    t.same(await response.json(), { method: 'PUT', url: '/base/v2/notes?a=%20b', body: 'text' })
    t.match(s.provider.seen.api.at(-1)?.headers, { 'x-own': 'kept', 'content-type': 'text/plain' })
  }
  s.provider.api = (seen, response) => json(response, 200, seen.url)
  t.equal(await (await client.fetch('productboard', 'v2/notes')).json(), '/base/v2/notes', 'the leading slash is optional')
})

t.test('fetch throws a response of Grantkeeper as an error with its code and details', async t => {
  const s = await startConnected(t)
  const withoutSession = clientFor(s.gateway)
  const required = await errorOf(withoutSession.fetch('productboard', '/v2/notes'))
  t.match(required, {
    name: 'GrantkeeperError',
    code: 'connection_required',
    status: 401,
    provider: 'productboard',
    connectUrl: `${s.gateway.url}/connect/productboard`,
    detail: /no connection to this provider/,
    message: /no connection to this provider/,
    requestId: /./
  })
  t.ok(required instanceof Error)
  t.match(await errorOf(withoutSession.fetch('productboard', '/v2/notes', { method: 'HEAD' })), {
    code: 'connection_required',
    status: 401
  })
  t.match(await errorOf(withoutSession.fetch('nobody', '/')), { code: 'provider_unknown', status: 404 })
  t.match(await errorOf(withoutSession.begin('nobody', { returnTo: '/' })), { code: 'provider_unknown', provider: 'nobody' })

  s.clock.advance(2 * 3600_000)
  s.provider.token = (_, response) => json(response, 500, {})
  t.match(await errorOf(clientFor(s.gateway, s.browser).fetch('productboard', '/x')), { code: 'provider_unavailable', retryAfter: /^\d+$/ })
})

t.test('fetch rejects a path that leads outside the provider’s route', async t => {
  const s = await startConnected(t)
  const client = clientFor(s.gateway, s.browser)
  for (const [provider, path] of [
    ['productboard', '/../../connections/productboard'],
    ['productboard', '/v2/../../../logout'],
    ['productboard', '/%2e%2e/%2E./logout'],
    ['productboard', '/..\\..\\logout'],
    ['productboard', '../ignition/x'],
    ['productboard', '/..'],
    ['productboard/../..', '/logout'],
    ['..', '/logout']
  ] as const) {
    t.match(await errorOf(client.fetch(provider, path, { method: 'DELETE' })), { code: 'path_rejected', provider }, path)
  }
  t.equal((await client.connections()).find(({ provider }) => provider === 'productboard')?.status, 'connected')
  t.equal(s.provider.seen.api.length, 0)
})

t.test('fetch sends absolute URLs of the API through the gateway and rejects all others', async t => {
  const s = await startConnected(t)
  s.provider.api = (seen, response) => json(response, 200, seen.url)
  const client = clientFor(s.gateway, s.browser)
  const { origin } = s.provider
  for (const [link, path] of [
    [`${origin}/base/v2/notes?cursor=a%2Fb%3D`, '/base/v2/notes?cursor=a%2Fb%3D'],
    [new URL(`${origin}/base/v2/notes#part`), '/base/v2/notes'],
    [`${origin.replace('http', 'HTTP')}/base`, '/base/'],
    [`${origin}/base?x=1`, '/base/?x=1']
  ] as const)
    t.equal(await (await client.fetch('productboard', link)).json(), path)

  const called = s.provider.seen.api.length
  for (const link of [
    'https://evil.example/base/v2/notes',
    `${origin}/bases/v2/notes`,
    `${origin}/base/../token`,
    `${origin}.evil.example/base/v2/notes`,
    `${origin}1/base/v2/notes`,
    `${origin.replace('//', '//user@')}/base/v2/notes`,
    `https://evil.example/?${origin}/base/v2/notes`,
    `${origin.replace('http:', 'https:')}/base/v2/notes`,
    s.gateway.url,
    `${s.gateway.url}/proxy/productboard/v2/notes`
  ])
    t.match(await errorOf(client.fetch('productboard', link)), { code: 'path_rejected' }, link)
  t.equal(s.provider.seen.api.length, called)

  const notConnected = await errorOf(clientFor(s.gateway).fetch('productboard', `${origin}/base/v2/notes`))
  t.match(notConnected, { code: 'connection_required', connectUrl: `${s.gateway.url}/connect/productboard` })
})

t.test('fetch accepts the other host name in links of Process Street', async t => {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  const gateway = await startGateway(t, { environment: provider.environment })
  provider.api = (seen, response) => json(response, 200, seen.url.endsWith('/testAuth') ? {} : seen.url)
  const jar = new Browser()
  const body = JSON.stringify({ apiKey: 'key' })
  const headers = { 'content-type': 'application/json' }
  t.equal((await jar.fetch(`${gateway.url}/connections/process-street`, { method: 'POST', body, headers })).status, 201)
  const client = clientFor(gateway, jar)
  const next = 'https://api.process.st/api/v1.1/workflows?_=abc'
  t.equal(await (await client.fetch('process-street', next)).json(), '/base/workflows?_=abc')
  t.match(await errorOf(client.fetch('process-street', 'https://api.process.st/api/v1')), { code: 'path_rejected' })
})

/** Defines the parts of `window` that the client uses. */
function stubWindow(t: Test, open: () => unknown) {
  const page = new EventTarget()
  const names = { open, location: { origin: 'http://localhost:1', href: 'http://localhost:1/' }, document: { hasFocus: () => true } }
  const listeners = {
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page)
  }
  for (const [name, value] of Object.entries({ ...names, ...listeners })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    t.teardown(() => Reflect.deleteProperty(globalThis, name))
  }
  return page
}

/** A client of a stub gateway with one provider. */
const clientOfStub = (view: () => Partial<Connection>) =>
  createClient({
    gateway: 'http://gateway.example',
    fetch: async () =>
      Response.json({
        connections: [{ provider: 'acme', status: 'disconnected', connectUrl: 'http://gateway.example/auth/acme', ...view() }]
      })
  })

const openPopup = () => ({ closed: false, location: { replace() {} }, close() {} })

/** Advances the mocked time by a second per turn until the promise settles. */
async function runUntilSettled(work: Promise<unknown>): Promise<number> {
  let isOver = false
  const over = () => {
    isOver = true
  }
  work.then(over, over)
  for (; !isOver; await new Promise(setImmediate)) mock.timers.tick(1000)
  return Date.now()
}

function mockTime(t: Test): void {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  t.teardown(() => mock.timers.reset())
}

t.test('connect times out after ten minutes', async t => {
  mockTime(t)
  stubWindow(t, openPopup)
  const error = errorOf(clientOfStub(() => ({})).connect('acme', { popup: true }))
  const tookMs = await runUntilSettled(error)
  t.match(await error, { code: 'connect_timeout', provider: 'acme' })
  t.ok(tookMs >= 10 * 60_000 && tookMs < 11 * 60_000, `${tookMs} ms`)
})

t.test('connect polls until the connection is a new one, also while the gateway fails', async t => {
  mockTime(t)
  stubWindow(t, openPopup)
  let polls = 0
  const client = clientOfStub(() => {
    polls++
    if (polls > 5 && polls < 10) throw new TypeError('fetch failed')
    return { status: 'connected', connectedAt: polls < 15 ? '2026-01-01T00:00:00.000Z' : '2026-01-02T00:00:00.000Z' }
  })
  const connection = client.connect('acme', { popup: true })
  await runUntilSettled(connection)
  t.equal((await connection).connectedAt, '2026-01-02T00:00:00.000Z')
  t.equal(polls, 15)
})

t.test('a closed popup is not abandoned while the gateway cannot be reached', async t => {
  mockTime(t)
  stubWindow(t, () => ({ ...openPopup(), closed: true }))
  let polls = 0
  const client = clientOfStub(() => {
    polls++
    if (polls > 1 && polls < 10) throw new TypeError('fetch failed')
    return polls < 10 ? {} : { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' }
  })
  const connection = client.connect('acme', { popup: true })
  await runUntilSettled(connection)
  t.equal((await connection).status, 'connected')
})

t.test('connect fails with cookies_blocked if only the popup sees the connection', async t => {
  mockTime(t)
  const popup = openPopup()
  const page = stubWindow(t, () => popup)
  const says = (data: object) =>
    page.dispatchEvent(Object.assign(new Event('message'), { origin: 'http://gateway.example', source: popup, data }))
  for (const view of [{}, { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' }] as const) {
    let polls = 0
    const client = clientOfStub(() => {
      polls++
      if (polls === 3) {
        says({ source: 'grantkeeper', provider: 'acme', status: 'connected' })
        popup.closed = true
      }
      // The gateway may fail for a moment.
      if (polls === 4) throw new TypeError('fetch failed')
      return view
    })
    popup.closed = false
    const error = errorOf(client.connect('acme', { popup: true }))
    await runUntilSettled(error)
    t.match(await error, { code: 'cookies_blocked', provider: 'acme' })
  }
})

t.test('connect succeeds if the page sees the connection one poll after the popup', async t => {
  mockTime(t)
  const popup = openPopup()
  const page = stubWindow(t, () => popup)
  let polls = 0
  const client = clientOfStub(() => {
    polls++
    const data = { source: 'grantkeeper', provider: 'acme', status: 'connected' }
    if (polls === 2) page.dispatchEvent(Object.assign(new Event('message'), { origin: 'http://gateway.example', source: popup, data }))
    return polls < 4 ? {} : { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' }
  })
  const connection = client.connect('acme', { popup: true })
  await runUntilSettled(connection)
  t.equal((await connection).status, 'connected')
})

t.test('connect closes the popup if the provider is unknown', async t => {
  let closed = 0
  stubWindow(t, () => ({ ...openPopup(), close: () => closed++ }))
  t.match(await errorOf(clientOfStub(() => ({})).connect('nobody', { popup: true })), { code: 'provider_unknown' })
  t.equal(closed, 1)
})

t.test('connect without a popup fails with connect_abandoned after the Back button', async t => {
  const page = stubWindow(t, openPopup)
  const assigned: string[] = []
  Object.assign(location, {
    href: 'http://localhost:1/a?b=1&connect_error=access_denied&provider=acme#c',
    assign: (to: string) => assigned.push(to)
  })
  const error = errorOf(clientOfStub(() => ({})).connect('acme'))
  while (assigned.length === 0) await new Promise(setImmediate)
  t.same(assigned, [`http://gateway.example/auth/acme?return_to=${encodeURIComponent('http://localhost:1/a?b=1#c')}`])
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  t.match(await error, { code: 'connect_abandoned', provider: 'acme' })
})

/** A client without a token, of a gateway where nobody is signed in. */
const signedOutClient = () =>
  createClient({
    gateway: 'http://gateway.example',
    fetch: async () => {
      const problem = { code: 'user_required', loginUrl: 'http://gateway.example/login' }
      return Response.json(problem, { status: 401, headers: { 'grantkeeper-error': problem.code } })
    }
  })

t.test('fetch with a redirect and login lead to the sign-in at the gateway and back', async t => {
  stubWindow(t, openPopup)
  const assigned: string[] = []
  Object.assign(location, { href: 'http://localhost:1/a?b=1#c', assign: (to: string) => assigned.push(to) })
  const client = signedOutClient()
  client.fetch('acme', '/x', { reconnect: 'redirect' })
  while (assigned.length === 0) await new Promise(setImmediate)
  client.login()
  const there = `http://gateway.example/login?return_to=${encodeURIComponent('http://localhost:1/a?b=1#c')}`
  t.same(assigned, [there, there])
  t.match(await errorOf(client.fetch('acme', '/x')), { code: 'user_required', loginUrl: 'http://gateway.example/login' })
  t.match(await errorOf(client.fetch('acme', '/x', { reconnect: 'popup' })), { code: 'user_required' })
})

t.test('a popup signs in and connects at once if nobody is signed in', async t => {
  mockTime(t)
  const opened: string[] = []
  stubWindow(t, () => ({ ...openPopup(), location: { replace: (url: string) => opened.push(url) } }))
  const error = errorOf(signedOutClient().connect('acme', { popup: true, account: 'add' }))
  await runUntilSettled(error)
  t.match(await error, { code: 'connect_timeout' })
  const url = new URL(opened[0] ?? '')
  t.equal(url.href.split('?')[0], 'http://gateway.example/auth/acme')
  const end = `http://gateway.example/popup?${new URLSearchParams({ opener: 'http://localhost:1', provider: 'acme' })}`
  t.same(Object.fromEntries(url.searchParams), { return_to: end, account: 'add' })
})

t.test('connect fails with cookies_blocked if the page is still signed out after the popup', async t => {
  mockTime(t)
  const popup = openPopup()
  const page = stubWindow(t, () => popup)
  const data = { source: 'grantkeeper', provider: 'acme', status: 'connected' }
  const error = errorOf(signedOutClient().connect('acme', { popup: true }))
  await new Promise(setImmediate)
  page.dispatchEvent(Object.assign(new Event('message'), { origin: 'http://gateway.example', source: popup, data }))
  await runUntilSettled(error)
  t.match(await error, { code: 'cookies_blocked', provider: 'acme' })
})

t.test('connect of one more account waits for an account that was not there', async t => {
  mockTime(t)
  stubWindow(t, openPopup)
  let polls = 0
  const accounts = ['acme-1', 'acme-2'].map(id => ({ id, provider: 'acme', status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' }))
  const client = createClient({
    gateway: 'http://gateway.example',
    fetch: async () => Response.json({ connections: accounts.slice(0, ++polls > 3 ? 2 : 1) })
  })
  const connection = client.connect('acme', { popup: true, account: 'add' })
  await runUntilSettled(connection)
  t.equal((await connection).id, 'acme-2')
})

t.test('without a token, complete tells the error of the redirect and removes it from the URL', async t => {
  stubWindow(t, openPopup)
  const replaced: string[] = []
  Object.defineProperty(globalThis, 'history', {
    value: { replaceState: (_: unknown, __: string, to: string) => replaced.push(to) },
    configurable: true
  })
  t.teardown(() => Reflect.deleteProperty(globalThis, 'history'))
  Object.assign(location, { href: 'http://localhost:1/?connect_error=access_denied&provider=acme&own=1#c' })
  const client = clientOfStub(() => ({}))
  t.match(await client.connections(), [{ provider: 'acme' }])
  t.same(replaced, [], 'an app that reads its URL itself finds the error there')
  t.match(await errorOf(client.complete()), { code: 'access_denied', provider: 'acme' })
  t.same(replaced, ['http://localhost:1/?own=1#c'])
})

t.test('a request that fails late reuses the connection of an earlier popup', async t => {
  let popups = 0
  stubWindow(t, () => {
    popups++
    return openPopup()
  })
  const refusal = { code: 'connection_required', status: 401, connectUrl: 'http://gateway.example/auth/acme' }
  const refused = () => Response.json(refusal, { status: 401, headers: { 'grantkeeper-error': refusal.code } })
  const late = Promise.withResolvers<Response>()
  const sent: string[] = []
  let isConnected = false
  const client = createClient({
    gateway: 'http://gateway.example',
    fetch: async input => {
      const { pathname } = new URL(String(input))
      if (pathname === '/connections') {
        const status = isConnected ? { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' } : { status: 'disconnected' }
        isConnected = popups > 0
        return Response.json({ connections: [{ provider: 'acme', connectUrl: refusal.connectUrl, ...status }] })
      }
      sent.push(pathname)
      if (sent.filter(path => path === pathname).length > 1) return new Response(pathname)
      return pathname.endsWith('/late') ? late.promise : refused()
    }
  })
  const call = async (path: string) => (await client.fetch('acme', path, { reconnect: 'popup' })).text()
  const second = call('/late')
  t.equal(await call('/first'), '/proxy/acme/first')
  late.resolve(refused())
  t.equal(await second, '/proxy/acme/late')
  t.equal(popups, 1)
})

t.test('a request with a stream body is not repeated and opens no popup', async t => {
  stubWindow(t, () => t.fail('a popup was opened'))
  const s = await startConnected(t)
  const body = new Blob(['text']).stream()
  const init = { method: 'POST', body, duplex: 'half', reconnect: 'popup' } as const
  t.match(await errorOf(clientFor(s.gateway).fetch('productboard', '/x', init)), { code: 'connection_required' })
})

t.test('retry_request repeats a request once, unless its body is a stream', async t => {
  const s = await startConnected(t)
  const client = clientFor(s.gateway, s.browser)
  const text = 'x'.repeat(100_000)
  let fresh = 0
  s.provider.token = (_, response) => json(response, 200, tokens({ access_token: `fresh-${++fresh}` }))
  s.provider.api = (seen, response) =>
    seen.headers.authorization === `Bearer fresh-${fresh}` ? json(response, 200, seen.body.length) : json(response, 401, {})
  for (const body of [text, new Blob([text]), Buffer.from(text).buffer, Buffer.from(text), new URLSearchParams({ text })]) {
    // Invalidates the current access token.
    fresh++
    const response = await client.fetch('productboard', '/x', { method: 'PUT', body })
    t.equal(response.status, 200)
    t.ok((await response.json()) >= text.length)
  }
  fresh++
  const stream = new Blob([text]).stream()
  t.match(await errorOf(client.fetch('productboard', '/x', { method: 'PUT', body: stream, duplex: 'half' } as RequestInit)), {
    code: 'retry_request'
  })

  let requests = 0
  const stubborn = createClient({
    gateway: 'http://gateway.example',
    fetch: async () => {
      requests++
      return Response.json({ code: 'retry_request' }, { status: 503, headers: { 'grantkeeper-error': 'retry_request' } })
    }
  })
  t.match(await errorOf(stubborn.fetch('acme', '/x', { method: 'POST', body: text })), { code: 'retry_request' })
  t.equal(requests, 2)
})

/** A client of a gateway that records what it is asked, and says that `acme` is connected with these members. */
function recordingClient(members: Partial<Connection>) {
  const requests: Array<{ method: string; url: string; body: unknown; account: string | null }> = []
  const connection = {
    provider: 'acme',
    title: 'Acme',
    status: 'connected',
    methods: ['oauth2'],
    id: 'a-1',
    connectUrl: 'https://g.example/connect/acme'
  }
  const client = createClient({
    gateway: 'https://g.example',
    fetch: async (input, init) => {
      const { method = 'GET', body } = init ?? {}
      const url = String(input).replace('https://g.example', '')
      requests.push({
        method,
        url,
        body: body && JSON.parse(String(body)),
        account: new Headers(init?.headers).get('grantkeeper-connection')
      })
      return Response.json(url === '/connections' ? { connections: [{ ...connection, ...members }] } : { url: 'https://g.example/links/x' })
    }
  })
  return { client, requests, last: () => requests.at(-1) }
}

const bases = {
  apiUrls: ['https://api.acme.example/v1'],
  apiBases: { beta: 'https://api.acme.example/v1/beta', uploads: 'https://uploads.acme.example' }
}

t.test('a request goes to the base of the API that it names, or that its URL is below', async t => {
  const { client, last } = recordingClient(bases)
  for (const [path, base, expected] of [
    ['/repos', undefined, '/proxy/acme/repos'],
    ['/repos', 'uploads', '/proxy/acme~uploads/repos'],
    ['https://api.acme.example/v1/repos?a=%20', undefined, '/proxy/acme/repos?a=%20'],
    ['https://api.acme.example/v1/beta/repos', undefined, '/proxy/acme~beta/repos'],
    ['https://api.acme.example/v1/betas', undefined, '/proxy/acme/betas'],
    ['https://uploads.acme.example/x', 'beta', '/proxy/acme~uploads/x']
  ] as const) {
    await client.fetch('acme', path, { base })
    t.equal(last()?.url, expected, path)
  }
  for (const url of ['https://elsewhere.example/x', 'https://uploads.acme.example.evil.example/', 'https://api.acme.example/v2'])
    t.match(await errorOf(client.fetch('acme', url)), { code: 'path_rejected' }, url)
})

t.test('a link is to the base of the API too', async t => {
  const { client, last } = recordingClient(bases)
  await client.link('acme', '/file', { base: 'uploads', account: 'a-1', expiresIn: 60 })
  t.match(last(), {
    method: 'POST',
    url: '/links',
    account: 'a-1',
    body: { provider: 'acme', base: 'uploads', path: '/file', expiresIn: 60 }
  })
  await client.link('acme', 'https://api.acme.example/v1/beta/file')
  t.match(last()?.body, { base: 'beta', path: '/file' })
  await client.link('acme', '/file')
  t.notOk('base' in Object(last()?.body))
})

t.test('a key goes with its fields, parameters and account', async t => {
  const { client, last } = recordingClient({})
  await client.connectWithKey('acme', 'k3y')
  t.same(last()?.body, { apiKey: 'k3y' })
  await client.connectWithKey('acme', 'k3y', { parameters: { shop: 'x' }, account: 'add' })
  t.same(last()?.body, { fields: { key: 'k3y' }, parameters: { shop: 'x' }, account: 'add' })
  await client.connectWithKey('acme', { email: 'a@b.example', key: 'k3y' })
  t.same(last()?.body, { fields: { email: 'a@b.example', key: 'k3y' } })
})

t.test('choose changes what an account uses', async t => {
  const { client, last } = recordingClient({})
  await client.choose('acme', 'a-1', 's/2')
  t.match(last(), { method: 'PUT', url: '/connections/acme/a-1/choice', body: { value: 's/2' } })
})

t.test('a sign-in with parameters begins at once where nothing is left to choose', async t => {
  const begin = async (methods: Connection['methods'], parameters?: Record<string, string>) =>
    (await recordingClient({ methods }).client.begin('acme', { returnTo: 'https://app.example/', parameters })).url
  t.equal(await begin(['oauth2'], { shop: 'a b' }), 'https://g.example/auth/acme?shop=a+b&return_to=https%3A%2F%2Fapp.example%2F')
  t.match(await begin(['oauth2', 'api_key'], { shop: 'a' }), /^https:\/\/g\.example\/connect\/acme\?shop=a&/)
  t.match(await begin(['oauth2']), /^https:\/\/g\.example\/connect\/acme\?return_to=/)
})

// The client's types equal the gateway's. `npm run check` compares them, and its errors name what one side lacks.
null as unknown as GatewayCode satisfies ErrorCode
null as unknown as ErrorCode satisfies GatewayCode
null as unknown as ConnectErrorCode satisfies ConnectError
null as unknown as ConnectError satisfies ConnectErrorCode
null as unknown as Connection satisfies ConnectionView
null as unknown as ConnectionView satisfies Connection
