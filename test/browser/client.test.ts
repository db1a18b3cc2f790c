import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type ConnectErrorCode, type Connection, createClient, type GatewayCode, GrantkeeperError } from '../../src/browser/client.ts'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import type { ConnectError } from '../../src/core/oauth/error-codes.ts'
import { Browser } from '../support/browser.ts'
import { connected } from '../support/connected.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

/** A client in a browser that has these cookies. */
const clientFor = (gateway: { url: string }, jar = new Browser()) =>
  createClient({ gateway: gateway.url, fetch: (input, init) => jar.request(String(input), init) })

async function errorOf(work: Promise<unknown>): Promise<GrantkeeperError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error
  )
  if (error instanceof GrantkeeperError) return error
  throw new Error(`it is no GrantkeeperError but ${error}`)
}

t.test('a call carries the header and what it was given, and every answer of the provider comes back as it is', async t => {
  const s = await connected(t)
  const client = clientFor(s.gateway, s.browser)
  for (const status of [200, 404, 401, 500]) {
    s.provider.api = (seen, response) => json(response, status, { method: seen.method, url: seen.url, body: String(seen.body) })
    const init = { method: 'PUT', body: 'text', headers: new Headers({ 'x-own': 'kept', 'content-type': 'text/plain' }) }
    const answer = await client.fetch('productboard', '/v2/notes?a=%20b', init)
    t.equal(answer.status, status)
    t.same(await answer.json(), { method: 'PUT', url: '/base/v2/notes?a=%20b', body: 'text' })
    t.match(s.provider.seen.api.at(-1)?.headers, { 'x-own': 'kept', 'content-type': 'text/plain' })
  }
  s.provider.api = (seen, response) => json(response, 200, seen.url)
  t.equal(await (await client.fetch('productboard', 'v2/notes')).json(), '/base/v2/notes', 'the first slash may be left out')
})

t.test('what Grantkeeper says is thrown, with its code and whatever helps', async t => {
  const s = await connected(t)
  const stranger = clientFor(s.gateway)
  const required = await errorOf(stranger.fetch('productboard', '/v2/notes'))
  t.match(required, {
    name: 'GrantkeeperError',
    code: 'connection_required',
    status: 401,
    provider: 'productboard',
    connectUrl: `${s.gateway.url}/auth/productboard`,
    detail: /There is no connection/,
    message: /There is no connection/,
    requestId: /./
  })
  t.ok(required instanceof Error)
  t.match(await errorOf(stranger.fetch('productboard', '/v2/notes', { method: 'HEAD' })), { code: 'connection_required', status: 401 })
  t.match(await errorOf(stranger.fetch('nobody', '/')), { code: 'provider_unknown', status: 404 })
  t.match(await errorOf(stranger.connect('nobody')), { code: 'provider_unknown', provider: 'nobody' })

  s.clock.advance(2 * 3600_000)
  s.provider.token = (_, response) => json(response, 500, {})
  t.match(await errorOf(clientFor(s.gateway, s.browser).fetch('productboard', '/x')), { code: 'provider_unavailable', retryAfter: /^\d+$/ })
})

t.test('no path leads to another route of the gateway, or to another provider', async t => {
  const s = await connected(t)
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

t.test('an absolute link of the provider goes through the gateway; one that is not below its API is never called', async t => {
  const s = await connected(t)
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

  const stranger = await errorOf(clientFor(s.gateway).fetch('productboard', `${origin}/base/v2/notes`))
  t.match(stranger, { code: 'connection_required', connectUrl: `${s.gateway.url}/auth/productboard` }, 'who is not connected learns that')
})

t.test('links of Process Street may name its API by another host', async t => {
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

/** A page's window, as much as the client uses of it. */
function playPage(t: Test, open: () => unknown) {
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

/** A gateway that has one provider, and says this of it. */
const saying = (view: () => Partial<Connection>) =>
  createClient({
    gateway: 'http://gateway.example',
    fetch: async () =>
      Response.json({
        connections: [{ provider: 'acme', status: 'disconnected', connectUrl: 'http://gateway.example/auth/acme', ...view() }]
      })
  })

const openPopup = () => ({ closed: false, location: { replace() {} }, close() {} })

/** Lets time run, a second at each turn, until the work has ended. */
async function runTime(work: Promise<unknown>): Promise<number> {
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

t.test('a popup in which nothing ever happens is given up with the sign-in, after ten minutes', async t => {
  mockTime(t)
  playPage(t, openPopup)
  const given = errorOf(saying(() => ({})).connect('acme', { popup: true }))
  const tookMs = await runTime(given)
  t.match(await given, { code: 'connect_timeout', provider: 'acme' })
  t.ok(tookMs >= 10 * 60_000 && tookMs < 11 * 60_000, `${tookMs} ms`)
})

t.test('a connection that was there before is not taken for a new one, and a gateway that fails for a while is asked on', async t => {
  mockTime(t)
  playPage(t, openPopup)
  let asked = 0
  const client = saying(() => {
    asked++
    if (asked > 5 && asked < 10) throw new TypeError('fetch failed')
    return { status: 'connected', connectedAt: asked < 15 ? '2026-01-01T00:00:00.000Z' : '2026-01-02T00:00:00.000Z' }
  })
  const made = client.connect('acme', { popup: true })
  await runTime(made)
  t.equal((await made).connectedAt, '2026-01-02T00:00:00.000Z')
  t.equal(asked, 15)
})

t.test('while the gateway cannot be asked, a popup that is closed may have connected: nobody is told that it has not', async t => {
  mockTime(t)
  playPage(t, () => ({ ...openPopup(), closed: true }))
  let asked = 0
  const client = saying(() => {
    asked++
    if (asked > 1 && asked < 10) throw new TypeError('fetch failed')
    return asked < 10 ? {} : { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' }
  })
  const made = client.connect('acme', { popup: true })
  await runTime(made)
  t.equal((await made).status, 'connected')
})

t.test('a popup that has seen the connection, while this page does not, is told apart from one that was left', async t => {
  mockTime(t)
  const popup = openPopup()
  const page = playPage(t, () => popup)
  const says = (data: object) =>
    page.dispatchEvent(Object.assign(new Event('message'), { origin: 'http://gateway.example', source: popup, data }))
  for (const view of [{}, { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' }] as const) {
    let asked = 0
    const client = saying(() => {
      asked++
      if (asked === 3) {
        says({ source: 'grantkeeper', provider: 'acme', status: 'connected' })
        popup.closed = true
      }
      // It has not reached this page yet; and the gateway may fail for a moment.
      if (asked === 4) throw new TypeError('fetch failed')
      return view
    })
    popup.closed = false
    const given = errorOf(client.connect('acme', { popup: true }))
    await runTime(given)
    t.match(await given, { code: 'cookies_blocked', provider: 'acme' })
  }
})

t.test('a connection that this page sees a moment after the popup is a connection', async t => {
  mockTime(t)
  const popup = openPopup()
  const page = playPage(t, () => popup)
  let asked = 0
  const client = saying(() => {
    asked++
    const data = { source: 'grantkeeper', provider: 'acme', status: 'connected' }
    if (asked === 2) page.dispatchEvent(Object.assign(new Event('message'), { origin: 'http://gateway.example', source: popup, data }))
    return asked < 4 ? {} : { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' }
  })
  const made = client.connect('acme', { popup: true })
  await runTime(made)
  t.equal((await made).status, 'connected')
})

t.test('a popup that cannot be led to the gateway is closed again', async t => {
  let closed = 0
  playPage(t, () => ({ ...openPopup(), close: () => closed++ }))
  t.match(await errorOf(saying(() => ({})).connect('nobody', { popup: true })), { code: 'provider_unknown' })
  t.equal(closed, 1)
})

t.test('who comes back by the Back button instead of connecting is told to have left', async t => {
  const page = playPage(t, openPopup)
  const left: string[] = []
  Object.assign(location, {
    href: 'http://localhost:1/a?b=1&connect_error=access_denied&provider=acme#c',
    assign: (to: string) => left.push(to)
  })
  const given = errorOf(saying(() => ({})).connect('acme'))
  while (left.length === 0) await new Promise(setImmediate)
  t.same(left, [`http://gateway.example/auth/acme?return_to=${encodeURIComponent('http://localhost:1/a?b=1#c')}`])
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  t.match(await given, { code: 'connect_abandoned', provider: 'acme' })
})

t.test('a call that failed before a popup, and hears of it after, is repeated without another', async t => {
  let popups = 0
  playPage(t, () => {
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
        const made = isConnected ? { status: 'connected', connectedAt: '2026-01-01T00:00:00.000Z' } : { status: 'disconnected' }
        isConnected = popups > 0
        return Response.json({ connections: [{ provider: 'acme', connectUrl: refusal.connectUrl, ...made }] })
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

t.test('a body that is a stream is sent once: the error comes, and no popup', async t => {
  playPage(t, () => t.fail('a popup was opened'))
  const s = await connected(t)
  const body = new Blob(['text']).stream()
  const init = { method: 'POST', body, duplex: 'half', reconnect: 'popup' } as const
  t.match(await errorOf(clientFor(s.gateway).fetch('productboard', '/x', init)), { code: 'connection_required' })
})

t.test('a body that is kept is sent again when the gateway asks for it, once; a stream is not', async t => {
  const s = await connected(t)
  const client = clientFor(s.gateway, s.browser)
  const text = 'x'.repeat(100_000)
  let fresh = 0
  s.provider.token = (_, response) => json(response, 200, tokens({ access_token: `fresh-${++fresh}` }))
  s.provider.api = (seen, response) =>
    seen.headers.authorization === `Bearer fresh-${fresh}` ? json(response, 200, seen.body.length) : json(response, 401, {})
  for (const body of [text, new Blob([text]), Buffer.from(text).buffer, Buffer.from(text), new URLSearchParams({ text })]) {
    // As if it had just been revoked.
    fresh++
    const answer = await client.fetch('productboard', '/x', { method: 'PUT', body })
    t.equal(answer.status, 200)
    t.ok((await answer.json()) >= text.length)
  }
  fresh++
  const stream = new Blob([text]).stream()
  t.match(await errorOf(client.fetch('productboard', '/x', { method: 'PUT', body: stream, duplex: 'half' } as RequestInit)), {
    code: 'retry_request'
  })

  let asked = 0
  const stubborn = createClient({
    gateway: 'http://gateway.example',
    fetch: async () => {
      asked++
      return Response.json({ code: 'retry_request' }, { status: 503, headers: { 'grantkeeper-error': 'retry_request' } })
    }
  })
  t.match(await errorOf(stubborn.fetch('acme', '/x', { method: 'POST', body: text })), { code: 'retry_request' })
  t.equal(asked, 2)
})

t.test('the types say what the gateway says', t => {
  type Same<A, B> = [A, B] extends [B, A] ? true : never
  const codes: Same<GatewayCode, ErrorCode> = true
  const refusals: Same<ConnectErrorCode, ConnectError> = true
  const views: Same<Connection, ConnectionView> = true
  t.ok(codes && refusals && views)
  t.end()
})
