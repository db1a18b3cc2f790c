import { once } from 'node:events'
import { Readable } from 'node:stream'
import t from 'tap'
import productboard from '../../providers/productboard.ts'
import { callable } from '../../src/core/provider/configured-provider.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { connectedBrowser, identify, startHost } from './support.ts'

/** An application with a user, Ada, who has connected the provider. */
async function startWithAda(t: Parameters<typeof startHost>[0]) {
  const host = await startHost(t, { identify })
  await connectedBrowser(host, 'ada')
  const { provider, app } = host
  provider.api = ({ url, method, headers, body }, response) => json(response, 200, { url, method, headers, body: body.toString() })
  const call = (...[path, init]: [string, Parameters<typeof app.grantkeeper.fetch>[3]?]) =>
    app.grantkeeper.fetch('ada', 'productboard', path, init)
  return { ...host, call }
}

const problem = async (response: Response) => ({
  status: response.status,
  code: response.headers.get('grantkeeper-error'),
  type: response.headers.get('content-type'),
  body: (await response.json()) as Record<string, unknown>
})

t.test('a call of the application has the user’s credential and the provider’s response', async t => {
  const { call } = await startWithAda(t)
  const response = await call('/notes?page=2', {
    method: 'POST',
    body: JSON.stringify({ one: 1 }),
    headers: { 'x-one': '1', cookie: 'a=b' }
  })
  t.equal(response.status, 200)
  t.ok(response instanceof Response)
  const { headers, ...seen } = (await response.json()) as { headers: Record<string, string> }
  t.same(seen, { url: '/base/notes?page=2', method: 'POST', body: '{"one":1}' })
  t.match(headers, { authorization: /^Bearer access-/, 'x-one': '1', 'content-length': '9' })
  t.notOk(headers.cookie)
})

t.test('a path is encoded as a URL is, and stays below the API', async t => {
  const { call } = await startWithAda(t)
  const urlOf = async (path: string) => ((await (await call(path)).json()) as { url: string }).url
  t.equal(await urlOf('notes'), '/base/notes')
  t.equal(await urlOf(''), '/base')
  t.equal(await urlOf('?q=ä b'), '/base?q=%C3%A4%20b')
  t.equal(await urlOf('/a%2Fb'), '/base/a%2Fb')
  for (const path of ['/../admin', '/a/%2e%2e/b', '//evil.example', 'https://evil.example/x', 'javascript:x', '/a#b', '/%zz'])
    t.match(await problem(await call(path)), { status: 400, code: 'path_rejected' }, path)
  await t.rejects(call(5 as never), { name: 'TypeError', message: /^The path must be a string/ })
})

t.test('where there is no response of the provider, a problem document says why', async t => {
  const { app, call, url } = await startWithAda(t)
  t.match(await problem(await app.grantkeeper.fetch('bob', 'productboard', '/notes')), {
    status: 401,
    code: 'connection_required',
    type: 'application/problem+json',
    body: { provider: 'productboard', connectUrl: `${url}/connect/productboard` }
  })
  t.match(await problem(await app.grantkeeper.fetch('ada', 'nobody', '/')), { status: 404, code: 'provider_unknown' })
  t.match(await problem(await call('/notes', { account: 'no-such-id' })), { status: 404, code: 'connection_unknown' })
  t.match(await problem(await call('/notes', { headers: { 'x-http-method-override': 'DELETE' } })), {
    status: 400,
    code: 'header_rejected'
  })
})

t.test('a user that can be none is the application’s mistake', async t => {
  const { app } = await startWithAda(t)
  for (const user of ['', undefined, null, 1.5, Number.NaN, 2 ** 60, true, {}, { id: '' }, { id: null }, ['ada'], 'a\nb'])
    await t.rejects(app.grantkeeper.fetch(user as never, 'productboard', '/notes'), { name: 'TypeError', message: /user/ }, String(user))
  await t.rejects(app.grantkeeper.fetch('ada', 'productboard', '/notes', { body: 'x' }), { name: 'TypeError' }, 'as fetch does')
})

t.test('a refused token is renewed and the call sent again, with its body', async t => {
  const { provider, call } = await startWithAda(t)
  const refused = provider.seen.api.length
  provider.api = ({ body }, response) =>
    provider.seen.api.length === refused + 1 ? json(response, 401, {}) : json(response, 200, { body: body.toString() })
  const large = 'x'.repeat(1_000_000)
  const response = await call('/notes', { method: 'PUT', body: large })
  t.equal(response.status, 200)
  t.equal(((await response.json()) as { body: string }).body, large)
  t.equal(provider.seen.token.length, 2, 'the sign-in and one refresh')
})

t.test('a stream is sent as it comes, and its response read as it comes', async t => {
  const { provider, call } = await startWithAda(t)
  const received = Promise.withResolvers<string>()
  provider.onHead = (request, response) => {
    request.once('data', chunk => received.resolve(String(chunk)))
    response.writeHead(200, { 'content-type': 'text/plain' }).write('first ')
    request.on('end', () => response.end('last'))
    return true
  }
  const source = new Readable({ read() {} })
  source.push('x'.repeat(100_000))
  const response = await call('/files', { method: 'POST', body: source as never })
  const reader = response.body?.getReader()
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'first ')
  t.match(await received.promise, /^x+$/)
  source.push(null)
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'last')
  t.equal((await reader?.read())?.done, true)
})

t.test('redirects within the API are followed, as fetch does', async t => {
  const { provider, call } = await startWithAda(t)
  provider.api = ({ url, method, body }, response) => {
    if (url === '/base/moved') return response.writeHead(307, { location: '/base/items/7' }).end()
    if (url === '/base/see') return response.writeHead(303, { location: `${provider.origin}/base/items/8` }).end()
    if (url === '/base/loop') return response.writeHead(302, { location: '/base/loop' }).end()
    if (url === '/base/out') return response.writeHead(302, { location: 'https://elsewhere.example/file' }).end()
    return json(response, 200, { url, method, body: body.toString() })
  }
  const post = { method: 'POST', body: 'x' }
  t.same(await (await call('/moved', post)).json(), { url: '/base/items/7', method: 'POST', body: 'x' })
  t.same(await (await call('/see', post)).json(), { url: '/base/items/8', method: 'GET', body: '' })
  await t.rejects(call('/loop'), { name: 'TypeError', message: /more than 20 times/ })
  await t.rejects(call('/moved', { redirect: 'error' }), { name: 'TypeError' })
  const manual = await call('/moved', { redirect: 'manual' })
  t.match([manual.status, manual.headers.get('location')], [307, '/integrations/proxy/productboard/items/7'])
  const out = await call('/out')
  t.match([out.status, out.headers.get('location')], [302, 'https://elsewhere.example/file'], 'elsewhere there is no credential to send')
})

t.test('a call may be to another base, and a redirect leads to the base that it names', async t => {
  const played = await startFakeProvider(t)
  const { origin } = played
  const definition = callable({
    ...productboard,
    api: { baseUrl: `${origin}/base`, bases: { uploads: `${origin}/up` } }
  })
  const urls = { authorizeUrl: `${origin}/authorize`, tokenUrl: `${origin}/token` }
  const host = await startHost(t, { identify, providers: [definition({ clientId: 'client-1', clientSecret: 'secret-1', ...urls })] })
  await connectedBrowser(host, 'ada')
  played.api = ({ url }, response) => {
    if (url === '/base/moved') return response.writeHead(302, { location: '/up/7' }).end()
    if (url === '/up/back') return response.writeHead(302, { location: `${origin}/base/8#part` }).end()
    return json(response, 200, { url })
  }
  const call = async (path: string, base?: string) =>
    host.app.grantkeeper.fetch('ada', 'productboard', path, base === undefined ? {} : { base })
  t.same(await (await call('/6?a=b', 'uploads')).json(), { url: '/up/6?a=b' })
  t.same(await (await call('/moved')).json(), { url: '/up/7' })
  t.same(await (await call('/back', 'uploads')).json(), { url: '/base/8' })
  t.match(await problem(await call('/6', 'other')), { status: 404, code: 'provider_unknown' })
})

t.test('HEAD and responses without content have no body', async t => {
  const { provider, call } = await startWithAda(t)
  provider.api = ({ method }, response) => void response.writeHead(method === 'DELETE' ? 204 : 200, { 'x-one': '1' }).end()
  const deleted = await call('/notes/1', { method: 'DELETE' })
  t.match([deleted.status, deleted.body, await deleted.text()], [204, null, ''])
  const head = await call('/notes', { method: 'HEAD' })
  t.match([head.status, head.body, head.headers.get('x-one')], [200, null, '1'])
})

t.test('a signal aborts the call, before and after its head', async t => {
  const { provider, call } = await startWithAda(t)
  await t.rejects(call('/notes', { signal: AbortSignal.abort() }), { name: 'AbortError' })
  t.equal(provider.seen.api.length, 0, 'nothing was sent')

  const waiting = new AbortController()
  const arrived = Promise.withResolvers<void>()
  provider.onHead = () => {
    arrived.resolve()
    return true
  }
  const pending = call('/notes', { signal: waiting.signal })
  await arrived.promise
  waiting.abort(new Error('no longer wanted'))
  await t.rejects(pending, { message: 'no longer wanted' })

  const reading = new AbortController()
  let closed: Promise<unknown> | undefined
  provider.onHead = (request, response) => {
    closed = once(request.socket, 'close')
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    return true
  }
  const response = await call('/events', { signal: reading.signal })
  const reader = response.body?.getReader()
  await reader?.read()
  reading.abort()
  await t.rejects(async () => {
    while (!(await reader?.read())?.done);
  })
  await closed
})

t.test('a response that nobody reads to its end frees its place', async t => {
  const { provider, call } = await startWithAda(t)
  let closed: Promise<unknown> | undefined
  provider.onHead = (request, response) => {
    closed = once(request.socket, 'close')
    response.writeHead(200).write('x')
    return true
  }
  const response = await call('/endless')
  await response.body?.cancel()
  await closed
  t.pass('the provider’s connection has closed')
})

t.test('several accounts are named by their ids', async t => {
  const { app, call, provider } = await startWithAda(t)
  const [connection] = await app.grantkeeper.connections('ada')
  const response = await call('/notes', { account: connection?.id ?? '' })
  t.equal(response.status, 200)
  t.equal(provider.seen.api.length, 1)
})
