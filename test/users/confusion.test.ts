import { decodeJwt } from 'jose'
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { json } from '../support/fake-provider.ts'
import { ada, eve, frontend, openWorld } from './world.ts'

const page = { accept: 'text/html' }

t.test('SEC-50: nobody is signed in as somebody else by a link to a callback', async t => {
  const { url, issuer, signIn } = await openWorld(t)
  const [mine, victim, signedIn] = [new Browser(), new Browser(), new Browser()]
  await signIn(signedIn, ada)
  const started = await mine.request(`${url}/login?return_to=/`, { headers: page })
  const callback = await issuer.signInAt(started.headers.get('location') ?? '', eve)
  for (const browser of [victim, signedIn]) await assertProblem(t, await browser.request(callback), 400, 'state_invalid')
  const list = (await (await signedIn.fetch(`${url}/connections`)).json()) as { user: { id: string } }
  t.equal(list.user.id, ada.subject)
  t.equal((await mine.request(callback)).status, 303, 'the code was left for the browser that began')
})

t.test('SEC-50: two gateways on two ports of one host do not share a sign-in', async t => {
  const [one, other] = [await openWorld(t), await openWorld(t)]
  const browser = new Browser()
  const started = await browser.request(`${one.url}/login`, { headers: page })
  const callback = new URL(await one.issuer.signInAt(started.headers.get('location') ?? '', ada))
  await assertProblem(t, await browser.request(`${other.url}${callback.pathname}${callback.search}`), 400, 'state_invalid')
  t.equal((await browser.request(callback.href)).status, 303)
  await other.signIn(browser, eve)
  for (const [{ url }, user] of [[one, ada] as const, [other, eve] as const])
    t.match(await (await browser.fetch(`${url}/connections`)).json(), { user: { id: user.subject } })
})

t.test('SEC-52: nobody’s account is connected to another by a link', async t => {
  const { url, begin, as, productboard, issueTokensFor } = await openWorld(t)
  issueTokensFor('ada')
  const link = await begin(eve)
  const victim = new Browser()
  const started = await victim.request(link, { headers: page })
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const back = await victim.request(`${url}/auth/productboard/callback?code=c&state=${state}`)
  const location = new URL(back.headers.get('location') ?? '')
  t.equal(location.origin, frontend)
  const code = location.searchParams.get('connect_code')
  t.match(await (await as(eve)('GET', '/connections')).json(), { connections: [{ status: 'disconnected' }, { status: 'disconnected' }] })
  await assertProblem(t, await as(ada)('POST', '/connections/complete', { code }), 403, 'user_mismatch')
  t.match(
    productboard.seen.revoke.map(({ body }) => `${body}`),
    [/ada-refresh/]
  )
  await assertProblem(t, await as(eve)('POST', '/connections/complete', { code }), 400, 'state_invalid')
})

t.test('SEC-53: a link of a sign-in is not opened inside of another page', async t => {
  const { begin } = await openWorld(t)
  const link = await begin(ada)
  for (const dest of ['iframe', 'image', 'script', 'empty'])
    await assertProblem(t, await new Browser().request(link, { headers: { 'sec-fetch-dest': dest } }), 403, 'csrf_rejected')
  t.equal((await new Browser().request(link, { headers: { 'sec-fetch-dest': 'document' } })).status, 302, 'it was left unused')
})

t.test('SEC-52: of two bearers that bring one code at once, one gets an answer', async t => {
  const { as, codeFor } = await openWorld(t)
  const code = await codeFor(ada)
  const responses = await Promise.all([ada, eve, ada, eve].map(user => as(user)('POST', '/connections/complete', { code })))
  const statuses = responses.map(({ status }) => status)
  t.equal(statuses.filter(status => status === 400).length, 3, `${statuses}`)
  t.ok(statuses.includes(201) !== statuses.includes(403), `${statuses}`)
})

t.test('SEC-2: a sign-in that one user began is not finished by the next in the browser', async t => {
  const { url, signIn, as, productboard } = await openWorld(t)
  const shared = new Browser()
  await signIn(shared, ada)
  const started = await shared.request(`${url}/auth/productboard`, { headers: page })
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  await signIn(shared, eve)
  const callback = `${url}/auth/productboard/callback?code=c&state=${state}`
  await assertProblem(t, await shared.request(callback), 400, 'state_invalid')
  t.equal(productboard.seen.token.length, 0)
  for (const user of [ada, eve]) t.equal((await as(user)('GET', '/proxy/productboard/x')).status, 401)
})

t.test('where users sign in, nobody connects an account without', async t => {
  const { url, oldBrowser, productboard, bearer } = await openWorld(t)
  for (const browser of [new Browser(), oldBrowser]) {
    const started = await browser.request(`${url}/auth/productboard`, { headers: { accept: 'application/json' } })
    await assertProblem(t, started, 401, 'user_required')
    t.same(browser.flows(url), [])
  }
  const withBearer = await fetch(`${url}/auth/productboard`, {
    headers: { authorization: `Bearer ${await bearer(ada)}` },
    redirect: 'manual'
  })
  t.equal(withBearer.headers.get('allow'), 'POST')
  await assertProblem(t, withBearer, 405, 'method_not_allowed')
  t.equal(productboard.seen.token.length, 0)
})

t.test('SEC-43: a key is not shown to its provider for a bearer that does not verify', async t => {
  const { url, processStreet, bearer } = await openWorld(t)
  for (const authorization of [`Bearer ${await bearer(ada)}x`, 'Bearer gk_unknown', 'Bearer a.b.c']) {
    const response = await fetch(`${url}/connections/process-street`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ apiKey: 'ada-key-one' })
    })
    await assertProblem(t, response, 401, 'token_invalid')
  }
  t.equal(processStreet.seen.api.length, 0)
})

t.test('SEC-49: a backend acts for the user whom it names, and not for its own connections', async t => {
  const { connect, signIn, backendFor, productboard } = await openWorld(t)
  const browser = new Browser()
  await signIn(browser, ada)
  await connect(browser, 'ada')
  t.equal((await backendFor(ada)('GET', '/proxy/productboard/x')).status, 200)
  for (const subject of ['eve-2', 'ADA-1', 'ada-1\u200b', 'nightly'])
    await assertProblem(
      t,
      await backendFor({ ...eve, subject: Buffer.from(subject).toString('latin1') })('GET', '/proxy/productboard/x'),
      401,
      'connection_required'
    )
  t.equal(productboard.seen.api.length, 1)
})

t.test('SEC-51: a logout token of one sign-in ends its session, and nobody else’s', async t => {
  const { url, signIn, issuer } = await openWorld(t)
  const [laptop, phone, others] = [new Browser(), new Browser(), new Browser()]
  await signIn(laptop, ada)
  await signIn(phone, ada)
  await signIn(others, eve)
  const send = async (claims: Record<string, unknown>) =>
    fetch(`${url}/login/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: await issuer.logoutToken(claims) })
    })
  const live = async () => Promise.all([laptop, phone, others].map(async browser => (await browser.fetch(`${url}/connections`)).status))

  // The identity provider has one session a browser, so that a second sign-in there tells its id.
  const again = laptop.copy()
  again.cookies.delete(`localhost ${sessionCookie(url)}`)
  const started = await again.request(`${url}/login`, { headers: page })
  await again.request(await issuer.signInAt(started.headers.get('location') ?? '', ada, again))
  const { logoutUrl } = (await (await again.fetch(`${url}/logout`, { method: 'POST' })).json()) as { logoutUrl: string }
  const { sid } = decodeJwt(new URL(logoutUrl).searchParams.get('id_token_hint') ?? '')
  t.match(sid, /./)
  t.same(await live(), [200, 200, 200])

  t.equal((await send({ sid, sub: eve.subject })).status, 200)
  t.same(await live(), [200, 200, 200], 'it names another user’s session')
  t.equal((await send({ sid: 'unknown' })).status, 200)
  t.same(await live(), [200, 200, 200])
  t.equal((await send({ sid })).status, 200)
  t.same(await live(), [401, 200, 200])
  t.equal((await send({ sub: ada.subject })).status, 200)
  t.same(await live(), [401, 401, 200])
})

t.test('SEC-51: another issuer’s logout token ends nothing', async t => {
  const { url, signIn } = await openWorld(t)
  const { issuer: other } = await openWorld(t)
  const browser = new Browser()
  await signIn(browser, ada)
  const body = new URLSearchParams({ logout_token: await other.logoutToken({ sub: ada.subject }) })
  t.equal((await fetch(`${url}/login/backchannel-logout`, { method: 'POST', body })).status, 400)
  t.equal((await browser.fetch(`${url}/connections`)).status, 200)
})

t.test('SEC-54: a link neither reads nor sets a cookie, whoever opens it', async t => {
  const { url, signIn, connect, as, bearer, productboard } = await openWorld(t)
  const [browser, other] = [new Browser(), new Browser()]
  await signIn(browser, ada)
  await connect(browser, 'ada')
  await signIn(other, eve)
  await connect(other, 'eve')
  const made = (await (await as(ada)('POST', '/links', { provider: 'productboard', path: '/x' })).json()) as { url: string }
  for (const headers of [
    {},
    { authorization: `Bearer ${await bearer(eve)}` },
    { authorization: 'Bearer broken' },
    { 'grantkeeper-connection': 'x' }
  ]) {
    const response = await other.request(made.url, { headers: { ...headers } })
    t.equal(response.status, 200)
    t.same(response.headers.getSetCookie(), [])
    const sent = productboard.seen.api.at(-1)
    t.match(sent?.headers.authorization, /^Bearer ada-access/)
    t.equal(sent?.headers.cookie, undefined)
  }
  t.equal((await fetch(`${url}/links/${made.url.split('/').at(-1)}?y=1`)).status, 200)
  t.equal(productboard.seen.api.at(-1)?.url, '/base/x', 'a query of the link’s own does not go up')
})

t.test('SEC-56: two users’ requests to one path at once have their own credentials', async t => {
  const { signIn, connect, url, bearer, productboard } = await openWorld(t)
  const browsers = { ada: new Browser(), eve: new Browser() }
  await signIn(browsers.ada, ada)
  await connect(browsers.ada, 'ada')
  await signIn(browsers.eve, eve)
  await connect(browsers.eve, 'eve')
  productboard.api = ({ headers }, response) => json(response, 200, { by: /^Bearer (\w+)-/.exec(headers.authorization ?? '')?.[1] })
  const tokens = { ada: await bearer(ada), eve: await bearer(eve) }
  const names = Array.from({ length: 40 }, (_, i) => (i % 2 ? ('ada' as const) : ('eve' as const)))
  const served = await Promise.all(
    names.map(async (name, i) => {
      const headers: Record<string, string> = i % 4 < 2 ? { authorization: `Bearer ${tokens[name]}` } : {}
      const response = await browsers[name].fetch(`${url}/proxy/productboard/same`, { headers })
      return ((await response.json()) as { by: string }).by
    })
  )
  t.same(served, names)
})

t.test('SEC-56: a browser’s cache does not serve one user or account what another got', async t => {
  const { signIn, connect, as, productboard } = await openWorld(t)
  const browser = new Browser()
  await signIn(browser, ada)
  await connect(browser, 'ada')
  productboard.api = (_seen, response) => json(response, 200, {}, { 'cache-control': 'max-age=600' })
  const { headers } = await as(ada)('GET', '/proxy/productboard/x')
  t.match(headers.get('cache-control'), /max-age=600/)
  const vary = headers.get('vary')?.toLowerCase().split(', ')
  for (const name of ['authorization', 'cookie', 'grantkeeper-user', 'grantkeeper-connection']) t.ok(vary?.includes(name), name)
})

t.test('SEC-56: what a provider refuses one user is not refused to another', async t => {
  const { signIn, connect, as, productboard } = await openWorld(t)
  const browsers = [new Browser(), new Browser()] as const
  await signIn(browsers[0], ada)
  await connect(browsers[0], 'ada')
  await signIn(browsers[1], eve)
  await connect(browsers[1], 'eve')
  // Ada's account may not read these paths, however new her token is, so that soon it is not renewed for them any more.
  let ended = ''
  productboard.api = ({ headers: { authorization = '' } }, response) =>
    json(response, authorization.includes('ada-') || authorization === ended ? 401 : 200, {})
  for (let i = 0; i < 8; i++) {
    t.equal((await as(ada)('GET', `/proxy/productboard/${i}`)).status, 401)
    t.equal((await as(eve)('GET', `/proxy/productboard/${i}`)).status, 200)
  }
  const renewals = () => productboard.seen.token.map(({ body }) => /(\w+)-refresh/.exec(`${body}`)?.[1]).filter(name => name !== undefined)
  t.same(new Set(renewals()), new Set(['ada']))
  ended = productboard.seen.api.at(-1)?.headers.authorization ?? ''
  t.equal((await as(eve)('GET', '/proxy/productboard/0')).status, 200, 'Eve’s own token is renewed')
  t.equal(renewals().at(-1), 'eve')
})
