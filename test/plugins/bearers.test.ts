import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn } from '../support/connected.ts'
import { frontend, startUserGateway } from '../support/users.ts'

const preview = 'https://pr-7.preview.example.org'

t.test('a bearer acts for the user whom it names', async t => {
  const { as, backendFor, connect } = await startUserGateway(t)
  await connect('ada')
  for (const client of [as('ada'), backendFor('ada')]) {
    const list = (await (await client.send('GET', '/connections')).json()) as { user: unknown; connections: { status: string }[] }
    t.same(list.user, { id: 'ada' })
    t.match(list.connections, [{ status: 'connected' }])
    t.equal((await client.send('GET', '/proxy/productboard/v2/notes')).status, 200)
  }
  await assertProblem(t, await backendFor('Ada').send('GET', '/proxy/productboard/x'), 401, 'connection_required')
})

t.test('SEC-43: a bearer that does not verify is refused, whatever cookie comes with it', async t => {
  const { gateway, token } = await startUserGateway(t)
  const browser = new Browser()
  await signIn(gateway, browser)
  t.equal((await browser.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200, 'the cookie is good')
  const expired = await token('ada', { exp: 1 })
  for (const bearer of [
    'x',
    'a.b.c',
    expired,
    `${await token('ada')}x`,
    'gk_unknown',
    '',
    'two words',
    'x'.repeat(9000),
    'a,b',
    '"abc"',
    '=',
    'a=b',
    'a.b,c.d',
    'é',
    'token="a.b.c"',
    `${expired}\u00a0`
  ])
    for (const path of ['/proxy/productboard/x', '/connections']) {
      const response = await browser.fetch(gateway.url + path, { headers: { authorization: `Bearer ${bearer}` } })
      t.equal(response.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
      t.equal(response.headers.get('set-cookie'), null)
      await assertProblem(t, response, 401, 'token_invalid')
    }
})

t.test('SEC-43: a bearer and a cookie act for the bearer’s user', async t => {
  const { gateway, token } = await startUserGateway(t)
  const browser = new Browser()
  await signIn(gateway, browser)
  const headers = { authorization: `Bearer ${await token('eve')}` }
  await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/productboard/x`, { headers }), 401, 'connection_required')
  t.equal((await browser.fetch(`${gateway.url}/connections`, { method: 'DELETE', headers })).status, 204)
  t.equal((await browser.fetch(`${gateway.url}/logout`, { method: 'POST', headers })).status, 204)
  t.equal((await browser.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200, 'what the cookie has is untouched')
})

t.test('SEC-49: a service key needs a user whom exactly one header names', async t => {
  const { gateway, keys } = await startUserGateway(t)
  const send = (headers: Array<[string, string]>) =>
    fetch(`${gateway.url}/connections`, { headers: [['authorization', `Bearer ${keys.plain}`], ...headers] })
  await assertProblem(t, await send([]), 400, 'user_required')
  await assertProblem(t, await send([['grantkeeper-user', '']]), 400, 'user_required')
  await assertProblem(t, await send([['grantkeeper_user', 'ada']]), 400, 'user_required')
  await assertProblem(t, await send([['grantkeeper-user', 'x'.repeat(1024)]]), 400, 'header_rejected')
  t.equal((await send([['grantkeeper-user', Buffer.from('zoë').toString('latin1')]])).status, 200)
})

t.test('SEC-49: Grantkeeper-User is nothing without a service key', async t => {
  const { as, connect } = await startUserGateway(t)
  await connect('ada')
  for (const name of ['grantkeeper-user', 'grantkeeper_user']) {
    const list = (await (await as('eve').send('GET', '/connections', undefined, { [name]: 'ada' })).json()) as { user: { id: string } }
    t.equal(list.user.id, 'eve')
    await assertProblem(t, await as('eve').send('GET', '/proxy/productboard/x', undefined, { [name]: 'ada' }), 401, 'connection_required')
  }
})

t.test('headers about the user and the account do not go up', async t => {
  const { backendFor, connect, provider } = await startUserGateway(t)
  const { id } = await connect('ada')
  const headers = { 'grantkeeper-connection': id, grantkeeper_user: 'eve' }
  t.equal((await backendFor('ada').send('GET', '/proxy/productboard/x', undefined, headers)).status, 200)
  const sent = Object.keys(provider.seen.api.at(-1)?.headers ?? {})
  t.same(
    sent.filter(name => /grantkeeper[-_]/.test(name)),
    []
  )
})

t.test('a bearer needs neither X-CSRF nor an allowed Origin, and CORS decides what is read', async t => {
  const { as, connect } = await startUserGateway(t)
  await connect('ada')
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const proxied = await as('ada').send('POST', '/proxy/productboard/x', { a: 1 }, foreign)
  t.equal(proxied.status, 200)
  t.equal(proxied.headers.get('access-control-allow-origin'), null)
  for (const origin of [frontend, preview]) {
    const own = await as('ada').send('GET', '/proxy/productboard/x', undefined, { origin, 'sec-fetch-site': 'cross-site' })
    t.equal(own.headers.get('access-control-allow-origin'), origin)
    const list = await as('ada').send('GET', '/connections', undefined, { origin })
    t.equal(list.headers.get('access-control-allow-origin'), origin)
    t.equal(list.headers.get('access-control-allow-credentials'), origin === frontend ? 'true' : null)
  }
})

t.test('a pattern of ALLOWED_ORIGINS never counts for cookies', async t => {
  const { gateway } = await startUserGateway(t)
  const browser = new Browser()
  await signIn(gateway, browser)
  const headers = { origin: preview, 'sec-fetch-site': 'same-site' }
  await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/productboard/x`, { headers }), 403, 'csrf_rejected')
  t.equal((await browser.fetch(`${gateway.url}/connections`, { headers })).headers.get('access-control-allow-origin'), null)
  const preflight = (origin: string) =>
    fetch(`${gateway.url}/proxy/productboard/x`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }
    })
  const allowed = await preflight(preview)
  t.equal(allowed.headers.get('access-control-allow-origin'), preview)
  t.equal(allowed.headers.get('access-control-allow-credentials'), null)
  t.match(allowed.headers.get('access-control-allow-headers'), /authorization/i)
  for (const origin of ['https://a.b.preview.example.org', 'https://preview.example.org', 'http://pr-7.preview.example.org'])
    await assertProblem(t, await preflight(origin), 403, 'csrf_rejected')
})

t.test('SEC-40: bearers and service keys are in no log', async t => {
  const { gateway, as, backendFor, connect, token, keys } = await startUserGateway(t)
  await connect('ada')
  await backendFor('ada', 'reader').send('POST', '/connections/productboard/token')
  await as('ada').send('GET', '/connections', undefined, { authorization: `Bearer ${keys.plain}x` })
  const logs = gateway.logs.join('\n')
  for (const secret of [keys.plain, keys.reader, (await token('ada')).split('.')[2] ?? '']) t.notOk(logs.includes(secret))
  t.match(logs, /"serviceKey":"reader"/, 'the name of a key that was handed a token is')
})

t.test('without JWT_… and SERVICE_KEYS an Authorization header means nothing', async t => {
  const { gateway } = await startUserGateway(t, {
    environment: { JWT_SECRETS: '', JWT_AUDIENCE: '', SERVICE_KEYS: '', ALLOWED_ORIGINS: '' }
  })
  const browser = new Browser()
  await signIn(gateway, browser)
  const headers = { authorization: 'Bearer whatever' }
  t.equal((await browser.fetch(`${gateway.url}/proxy/productboard/x`, { headers })).status, 200)
})
