import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn } from '../support/connected.ts'
import { startUserGateway, type UserGateway } from '../support/users.ts'

const linkTo = async ({ as }: UserGateway, path: string, options: Record<string, unknown> = {}) => {
  const response = await as('ada').send('POST', '/links', { provider: 'productboard', path, ...options })
  return { status: response.status, ...((await response.json()) as { url: string; expiresAt: string }) }
}

t.test('a link is a GET of one path, without cookie, bearer or header', async t => {
  const users = await startUserGateway(t)
  await users.connect('ada')
  users.provider.api = (seen, response) =>
    response.writeHead(200, { 'content-type': 'image/png', 'content-disposition': 'attachment', 'set-cookie': 'a=b' }).end(seen.url)
  const { status, url } = await linkTo(users, '/files/7?size=2')
  t.equal(status, 201)
  const response = await fetch(url, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' } })
  t.equal(response.status, 200)
  t.equal(await response.text(), '/base/files/7?size=2')
  t.equal(response.headers.get('content-disposition'), 'attachment')
  t.match(response.headers.get('content-security-policy'), /sandbox/)
  t.equal(response.headers.get('cross-origin-resource-policy'), 'cross-origin')
  t.equal(response.headers.get('set-cookie'), null)
  t.equal(response.headers.get('access-control-allow-origin'), null)
  t.equal((await fetch(url, { method: 'HEAD' })).status, 200)
  for (const method of ['POST', 'PUT', 'DELETE']) t.equal((await fetch(url, { method, headers: { 'x-csrf': '1' } })).status, 405, method)
})

t.test('pages of allowed origins may read a link, without cookies, as EventSource does', async t => {
  const users = await startUserGateway(t)
  await users.connect('ada')
  const { url } = await linkTo(users, '/events')
  const corsOf = async (origin: string) => {
    const { headers } = await fetch(url, { headers: { origin } })
    return [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]
  }
  for (const origin of [users.frontend, 'https://pr-7.preview.example.org']) t.same(await corsOf(origin), [origin, null])
  t.same(await corsOf('https://evil.example'), [null, null])
})

t.test('making a link counts as a use of its connection', async t => {
  const users = await startUserGateway(t)
  await users.connect('ada')
  users.clock.advance(60_000)
  await linkTo(users, '/x')
  const { connections } = (await (await users.as('ada').send('GET', '/connections')).json()) as { connections: { lastUsedAt?: string }[] }
  t.equal(Date.parse(connections[0]?.lastUsedAt ?? ''), users.clock.now())
})

t.test('SEC-54: a link ends with its time, and with its connection', async t => {
  const users = await startUserGateway(t)
  await users.connect('ada')
  const short = await linkTo(users, '/x', { expiresIn: 60 })
  const long = await linkTo(users, '/x')
  users.clock.advance(60_000)
  await assertProblem(t, await fetch(short.url), 404, 'connection_unknown')
  t.equal((await fetch(long.url)).status, 200)
  await users.as('ada').send('DELETE', '/connections/productboard')
  await assertProblem(t, await fetch(long.url), 404, 'connection_unknown')
  await users.connect('ada')
  await assertProblem(t, await fetch(long.url), 404, 'connection_unknown')
  const last = await linkTo(users, '/x')
  users.clock.advance(15 * 60_000)
  await assertProblem(t, await fetch(last.url), 404, 'connection_unknown')
})

t.test('SEC-54: an altered link, and one of another gateway, is nothing', async t => {
  const users = await startUserGateway(t)
  await users.connect('ada')
  const { url } = await linkTo(users, '/x')
  const at = url.length - 20
  const altered = url.slice(0, at) + (url[at] === 'A' ? 'B' : 'A') + url.slice(at + 1)
  for (const one of [altered, url.slice(0, -1), `${url}/more`, `${users.gateway.url}/links/`])
    t.equal((await fetch(one)).status, 404, one.slice(-20))
})

t.test('a link to what may not be proxied is refused', async t => {
  const users = await startUserGateway(t)
  const send = (body: unknown) => users.as('ada').send('POST', '/links', body)
  await assertProblem(t, await send({ provider: 'productboard', path: '/x' }), 401, 'connection_required')
  await users.connect('ada')
  for (const path of ['/../x', '/%2e%2e/x', '/a/..%2fb', undefined, 7, `/${'x'.repeat(2001)}`])
    await assertProblem(t, await send({ provider: 'productboard', path }), 400, 'path_rejected')
  for (const expiresIn of [0, -1, 901, 1.5, '60', null])
    await assertProblem(t, await send({ provider: 'productboard', path: '/x', expiresIn }), 400, 'parameters_invalid')
  await assertProblem(t, await send({ provider: 'nobody', path: '/x' }), 404, 'provider_unknown')
  await assertProblem(t, await send({}), 404, 'provider_unknown')
})

t.test('SEC-53: the secret of a link is in no log', async t => {
  const users = await startUserGateway(t)
  await users.connect('ada')
  const { url } = await linkTo(users, '/x')
  await fetch(url)
  t.notOk(users.gateway.logs.join('\n').includes(url.slice(-40)))
})

t.test('a page with the cookie can have links too, until it signs out', async t => {
  const { gateway } = await startUserGateway(t)
  const browser = new Browser()
  await signIn(gateway, browser)
  const created = await browser.fetch(`${gateway.url}/links`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'productboard', path: '/x' })
  })
  const { url } = (await created.json()) as { url: string }
  t.equal((await fetch(url)).status, 200)
  await browser.fetch(`${gateway.url}/logout`, { method: 'POST' })
  await assertProblem(t, await fetch(url), 404, 'connection_unknown')
})

t.test('a GET of a page of our own site needs no X-CSRF', async t => {
  const { gateway } = await startUserGateway(t, { environment: { ALLOWED_ORIGINS: 'http://localhost:1234' } })
  const browser = new Browser()
  await signIn(gateway, browser)
  const get = (headers: Record<string, string>, method = 'GET') =>
    browser.request(`${gateway.url}/proxy/productboard/x`, { method, headers })
  for (const method of ['GET', 'HEAD']) {
    t.equal((await get({ 'sec-fetch-site': 'same-origin' }, method)).status, 200)
    t.equal((await get({ 'sec-fetch-site': 'same-site', origin: 'http://localhost:1234' }, method)).status, 200)
  }
  for (const headers of [
    {},
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:1234' },
    { 'sec-fetch-site': 'same-site', origin: 'http://localhost:9' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
    { origin: 'http://localhost:1234' }
  ] as Record<string, string>[])
    t.equal((await get(headers)).status, 403, JSON.stringify(headers))
  await assertProblem(t, await get({ 'sec-fetch-site': 'same-origin' }, 'POST'), 403, 'csrf_rejected')
})
