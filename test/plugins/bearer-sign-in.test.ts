import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { startUserGateway } from '../support/users.ts'

t.test('a sign-in that a bearer begins ends with its connection', async t => {
  const { as, follow, frontend, gateway } = await startUserGateway(t)
  const begun = await as('ada').send('POST', '/auth/productboard', { returnTo: `${frontend}/done?tab=2#x` })
  t.equal(begun.status, 201)
  const { url, expiresAt } = (await begun.json()) as { url: string; expiresAt: string }
  t.ok(url.startsWith(`${gateway.url}/start/`))
  t.ok(Date.parse(expiresAt) > Date.now())
  const back = await follow(url)
  t.equal(back.origin + back.pathname, `${frontend}/done`)
  t.equal(back.searchParams.get('tab'), '2')
  t.equal(back.hash, '#x')
  t.equal(back.searchParams.get('provider'), 'productboard')
  const code = back.searchParams.get('connect_code')
  const completed = await as('ada').send('POST', '/connections/complete', { code })
  t.equal(completed.status, 201)
  t.match(await completed.json(), { id: /^[\w-]{22}$/, provider: 'productboard', status: 'connected', isDefault: true })
  const proxied = await as('ada').send('GET', '/proxy/productboard/v2/notes')
  t.equal(proxied.status, 200)
  t.equal(proxied.headers.get('set-cookie'), null)
})

t.test('SEC-52: another user cannot complete a sign-in, and its grant is revoked', async t => {
  const { as, follow, frontend, provider } = await startUserGateway(t)
  const begun = await as('ada').send('POST', '/auth/productboard', { returnTo: frontend })
  const { url } = (await begun.json()) as { url: string }
  const code = (await follow(url)).searchParams.get('connect_code')
  await assertProblem(t, await as('eve').send('POST', '/connections/complete', { code }), 403, 'user_mismatch')
  t.equal(provider.seen.revoke.length, 1)
  await assertProblem(t, await as('ada').send('POST', '/connections/complete', { code }), 400, 'state_invalid')
  for (const user of ['ada', 'eve']) await assertProblem(t, await as(user).send('GET', '/proxy/productboard/x'), 401, 'connection_required')
})

t.test('SEC-52: a code is used once, and for ten minutes', async t => {
  const { as, follow, frontend, clock } = await startUserGateway(t)
  const begin = async () =>
    ((await (await as('ada').send('POST', '/auth/productboard', { returnTo: frontend })).json()) as { url: string }).url
  const first = (await follow(await begin())).searchParams.get('connect_code')
  t.equal((await as('ada').send('POST', '/connections/complete', { code: first })).status, 201)
  await assertProblem(t, await as('ada').send('POST', '/connections/complete', { code: first }), 400, 'state_invalid')
  const second = (await follow(await begin())).searchParams.get('connect_code')
  clock.advance(10 * 60_000)
  await assertProblem(t, await as('ada').send('POST', '/connections/complete', { code: second }), 400, 'state_invalid')
  for (const code of ['', 'nonsense', 42, undefined, null, ['a']])
    await assertProblem(t, await as('ada').send('POST', '/connections/complete', { code }), 400, 'state_invalid')
})

t.test('SEC-53: a link is opened once, and for ten minutes', async t => {
  const { as, frontend, clock } = await startUserGateway(t)
  const begin = async () =>
    ((await (await as('ada').send('POST', '/auth/productboard', { returnTo: frontend })).json()) as { url: string }).url
  const url = await begin()
  const browser = new Browser()
  t.equal((await browser.request(url, { headers: { 'sec-purpose': 'prefetch' } })).status, 503)
  t.equal((await browser.request(url)).status, 302)
  await assertProblem(t, await browser.request(url), 400, 'state_invalid')
  const late = await begin()
  clock.advance(10 * 60_000)
  await assertProblem(t, await browser.request(late), 400, 'state_invalid')
})

t.test('a refused sign-in comes back with its error and no code', async t => {
  const { as, frontend, gateway } = await startUserGateway(t)
  const { url } = (await (await as('ada').send('POST', '/auth/productboard', { returnTo: frontend })).json()) as { url: string }
  const browser = new Browser()
  const state = new URL((await browser.request(url)).headers.get('location') ?? '').searchParams.get('state') ?? ''
  const back = await browser.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ error: 'access_denied', state })}`)
  t.equal(back.headers.get('location'), `${frontend}/?connect_error=access_denied&provider=productboard`)
})

t.test('a grant that nobody takes is revoked, also after a restart', async t => {
  const { as, follow, frontend, clock, provider, gateway } = await startUserGateway(t)
  const { url } = (await (await as('ada').send('POST', '/auth/productboard', { returnTo: frontend })).json()) as { url: string }
  t.ok((await follow(url)).searchParams.get('connect_code'))
  const { store } = gateway.services
  t.equal((await store.readAll('revocations')).size, 1, 'the revocation waits in the store')
  clock.advance(12 * 60_000)
  gateway.services.revocation.start()
  const revoked = () => provider.seen.revoke.length > 0
  while (!revoked()) await new Promise(resolve => setTimeout(resolve, 20))
  t.pass('revoked')
})

t.test('a sign-in begins with a bearer, and needs a page to come back to', async t => {
  const { as, gateway, frontend } = await startUserGateway(t)
  const withoutBearer = await fetch(`${gateway.url}/auth/productboard`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf': '1' },
    body: JSON.stringify({ returnTo: frontend })
  })
  await assertProblem(t, withoutBearer, 401, 'user_required')
  for (const returnTo of [undefined, 42, 'https://evil.example', '//evil.example', 'https://a.b.preview.example.org/'])
    await assertProblem(t, await as('ada').send('POST', '/auth/productboard', { returnTo }), 400, 'return_to_rejected')
  const preview = await as('ada').send('POST', '/auth/productboard', { returnTo: 'https://pr-7.preview.example.org/x' })
  t.equal(preview.status, 201, 'a preview may be a page to come back to')
  await assertProblem(t, await as('ada').send('POST', '/auth/nobody', { returnTo: frontend }), 404, 'provider_unknown')
})

t.test('scopes, prompt and login_hint go to the provider, within what the operator allows', async t => {
  const { as, frontend } = await startUserGateway(t, { environment: { PRODUCTBOARD_SCOPES: 'notes:read,notes:write' } })
  const begin = (params: Record<string, unknown>) => as('ada').send('POST', '/auth/productboard', { returnTo: frontend, ...params })
  const begun = await begin({ scopes: ['notes:read'], loginHint: 'ada@example.com', prompt: 'select_account' })
  const { url } = (await begun.json()) as { url: string }
  const location = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? ''
  const { searchParams } = new URL(location)
  t.equal(searchParams.get('scope'), 'notes:read')
  t.equal(searchParams.get('login_hint'), 'ada@example.com')
  t.equal(searchParams.get('prompt'), 'select_account')
  for (const params of [{ scopes: 'admin' }, { prompt: 'evil' }, { loginHint: 'a\nb' }, { account: 'no/id' }, { scopes: [1] }])
    await assertProblem(t, await begin(params), 400, 'parameters_invalid')
})

t.test('a repeated callback repeats its code', async t => {
  const { as, frontend, gateway } = await startUserGateway(t)
  const { url } = (await (await as('ada').send('POST', '/auth/productboard', { returnTo: frontend })).json()) as { url: string }
  const browser = new Browser()
  const state = new URL((await browser.request(url)).headers.get('location') ?? '').searchParams.get('state') ?? ''
  const callback = `${gateway.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`
  const [one, two] = await Promise.all([browser.copy().request(callback), browser.copy().request(callback)])
  t.equal(one?.headers.get('location'), two?.headers.get('location'))
})

t.test('a connection that a bearer made is renewed as any other', async t => {
  const { as, connect, provider, clock } = await startUserGateway(t)
  await connect('ada')
  clock.advance(2 * 3600_000)
  t.equal((await as('ada').send('GET', '/proxy/productboard/x')).status, 200)
  t.equal(provider.seen.token.length, 2, 'the code, and one refresh')
})

t.test('SEC-6: a callback that is loaded again leads where it led before', async t => {
  const { as, frontend, gateway, provider } = await startUserGateway(t)
  for (const end of [{ code: 'c' }, { error: 'access_denied' }]) {
    const { url } = (await (await as('ada').send('POST', '/auth/productboard', { returnTo: frontend })).json()) as { url: string }
    const browser = new Browser()
    const state = new URL((await browser.request(url)).headers.get('location') ?? '').searchParams.get('state') ?? ''
    const callback = `${gateway.url}/auth/productboard/callback?${new URLSearchParams({ ...end, state })}`
    const first = (await browser.request(callback)).headers.get('location')
    t.match(first, /connect_(code|error)=/)
    t.equal((await browser.request(callback)).headers.get('location'), first)
  }
  t.equal(provider.seen.token.length, 1)
})

t.test('a body that is not sent as JSON is refused for that', async t => {
  const { as, frontend } = await startUserGateway(t)
  for (const path of ['/auth/productboard', '/connections/complete', '/links', '/connections/productboard']) {
    const response = await as('ada').send('POST', path, { returnTo: frontend }, { 'content-type': 'text/plain' })
    await assertProblem(t, response, 400, 'header_rejected')
  }
})
