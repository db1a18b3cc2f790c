import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn as connectAnonymously } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { type GatewayOptions, newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'
import { ada, grace, type IssuerUser, startOpenidIssuer } from '../support/openid-issuer.ts'

const second = 1000
const page = { accept: 'text/html' }

/** A gateway at which users sign in, and a provider that they can connect. */
async function startLogin(t: Test, options: GatewayOptions = {}) {
  const port = options.port ?? (await freePort())
  const url = `http://localhost:${port}`
  const issuer = await startOpenidIssuer(t, {
    redirectUris: [`${url}/login/callback`],
    postLogoutRedirectUris: [`${url}/logout`],
    backchannelLogoutUri: `${url}/login/backchannel-logout`
  })
  const provider = await startFakeProvider(t)
  const clock = new TestClock()
  const gateway = await startGateway(t, {
    port,
    clock,
    ...options,
    environment: { ...issuer.environment, ...provider.environment, ...options.environment }
  })

  /** @returns the address to which the browser is sent in the end */
  async function signIn(browser: Browser, user: IssuerUser | null = ada, path = '/login'): Promise<Response> {
    const started = await browser.request(url + path, { headers: page })
    // Of the identity provider's own cookies, so that it shows its page to another user.
    for (const key of browser.cookies.keys()) if (key.startsWith('127.0.0.1 ')) browser.cookies.delete(key)
    const callback = await issuer.signInAt(started.headers.get('location') ?? '', user ?? undefined, browser)
    return browser.request(callback, { headers: page })
  }

  async function connect(browser: Browser): Promise<Response> {
    const started = await browser.request(`${url}/auth/productboard`, { headers: page })
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
    return browser.request(`${url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
  }

  const proxied = async (browser: Browser) => (await browser.fetch(`${url}/proxy/productboard/x`)).status
  return { url, issuer, provider, clock, gateway, signIn, connect, proxied }
}

t.test('a page sends a browser to the sign-in first, and a call gets loginUrl', async t => {
  const { url } = await startLogin(t)
  const browser = new Browser()
  for (const path of ['/', '/connect/productboard?return_to=/x', '/auth/productboard?account=add']) {
    const response = await browser.request(url + path, { headers: page })
    t.equal(response.status, 302)
    t.equal(response.headers.get('location'), `${url}/login?return_to=${encodeURIComponent(path)}`)
  }
  for (const path of ['/connections', '/proxy/productboard/x', '/invitations']) {
    const problem = await assertProblem(t, await browser.fetch(url + path), 401, 'user_required')
    t.match(problem, { loginUrl: `${url}/login` })
  }
})

t.test('a user signs in, and finds their connections in every browser', async t => {
  const { url, signIn, connect, proxied } = await startLogin(t)
  const [laptop, phone, other] = [new Browser(), new Browser(), new Browser()]
  const signedIn = await signIn(laptop, ada, '/login?return_to=/connect/productboard')
  t.equal(signedIn.status, 303)
  t.equal(signedIn.headers.get('location'), '/connect/productboard')
  t.equal((await connect(laptop)).status, 303)
  await signIn(phone)
  await signIn(other, grace)
  t.same([await proxied(laptop), await proxied(phone), await proxied(other)], [200, 200, 401])
  const list = (await (await phone.fetch(`${url}/connections`)).json()) as { user: unknown }
  t.same(list.user, { id: ada.subject, name: ada.name })
})

t.test('sign-out ends this browser’s session and no connection', async t => {
  const { url, issuer, signIn, connect, proxied, provider } = await startLogin(t)
  const [laptop, phone] = [new Browser(), new Browser()]
  await signIn(laptop)
  await connect(laptop)
  await signIn(phone)
  const stolen = laptop.copy()
  const signedOut = await laptop.fetch(`${url}/logout`, { method: 'POST' })
  t.equal(signedOut.status, 200)
  const { logoutUrl } = (await signedOut.json()) as { logoutUrl: string }
  t.ok(logoutUrl.startsWith(issuer.issuer))
  t.equal(new URL((await issuer.signOutAt(logoutUrl, laptop)) ?? '').pathname, '/logout')
  t.same([await proxied(laptop), await proxied(stolen), await proxied(phone)], [401, 401, 200])
  t.equal(provider.seen.revoke.length, 0)
  t.equal((await laptop.fetch(`${url}/logout`, { method: 'POST' })).status, 204, 'once more is nothing')
})

t.test('a session ends by its limits, and the connection stays', async t => {
  // The identity provider's clock is the machine's.
  const { clock, signIn, connect, proxied } = await startLogin(t, { environment: { SESSION_IDLE: '60' } })
  const browser = new Browser()
  await signIn(browser)
  await connect(browser)
  clock.advance(60 * second)
  t.equal(await proxied(browser), 401)
  await signIn(browser)
  t.equal(await proxied(browser), 200)
})

t.test('SEC-50: a callback belongs to its browser and is used once', async t => {
  const { url, issuer } = await startLogin(t)
  const browser = new Browser()
  const started = await browser.request(`${url}/login?return_to=/x`, { headers: page })
  const callback = await issuer.signInAt(started.headers.get('location') ?? '', ada, browser)
  await assertProblem(t, await new Browser().request(callback), 400, 'state_invalid')
  const early = browser.copy()
  t.equal((await browser.request(callback)).headers.get('location'), '/x')
  t.equal((await browser.request(callback)).headers.get('location'), '/x', 'again from the same browser')
  await assertProblem(t, await early.request(callback), 400, 'state_invalid')
  t.equal((await browser.request(`${url}/login?return_to=/y`, { headers: page })).headers.get('location'), '/y', 'signed in already')
})

t.test('SEC-50: two tabs sign in at once', async t => {
  const { url, issuer } = await startLogin(t)
  const browser = new Browser()
  const starts = []
  for (const path of ['/a', '/b']) starts.push(await browser.request(`${url}/login?return_to=${path}`, { headers: page }))
  const locations = []
  for (const started of starts) {
    const callback = await issuer.signInAt(started.headers.get('location') ?? '', ada, browser)
    locations.push((await browser.request(callback)).headers.get('location'))
  }
  t.same(locations, ['/a', '/b'])
})

t.test('SEC-50: a sign-in is not prefetched, embedded, or sent elsewhere', async t => {
  const { url } = await startLogin(t)
  t.equal((await fetch(`${url}/login`, { headers: { 'sec-purpose': 'prefetch' }, redirect: 'manual' })).status, 503)
  await assertProblem(t, await fetch(`${url}/login`, { headers: { 'sec-fetch-dest': 'iframe' }, redirect: 'manual' }), 403, 'csrf_rejected')
  for (const returnTo of ['//evil.example', 'https://evil.example', '/\\evil.example'])
    await assertProblem(t, await fetch(`${url}/login?return_to=${encodeURIComponent(returnTo)}`), 400, 'return_to_rejected')
})

t.test('a user who cancels is told, and can sign in again', async t => {
  const { signIn } = await startLogin(t)
  const response = await signIn(new Browser(), null)
  t.equal(response.status, 403)
  t.match(await response.text(), /You are not signed in[\s\S]*\/login\?return_to=/)
})

t.test('SEC-19: a sign-in makes a new session, and the one before is dead', async t => {
  const { signIn, connect, proxied, url } = await startLogin(t)
  const browser = new Browser()
  await signIn(browser)
  await connect(browser)
  const before = browser.copy()
  await signIn(browser, grace, '/login?prompt=login')
  t.same([await proxied(before), await proxied(browser)], [401, 401])
  const list = (await (await browser.fetch(`${url}/connections`)).json()) as { user: { id: string } }
  t.equal(list.user.id, grace.subject)
})

t.test('SEC-51: the identity provider ends one session, or all of a user', async t => {
  const { url, issuer, signIn, gateway } = await startLogin(t)
  const browsers = [new Browser(), new Browser()]
  for (const browser of browsers) await signIn(browser)
  const live = async () => Promise.all(browsers.map(async browser => (await browser.fetch(`${url}/connections`)).status))
  t.same(await live(), [200, 200])
  const send = async (token: string) =>
    fetch(`${url}/login/backchannel-logout`, { method: 'POST', body: new URLSearchParams({ logout_token: token }) })
  const token = await issuer.logoutToken({ sub: ada.subject, sid: undefined })
  const accepted = await send(token)
  t.equal(accepted.status, 200)
  t.equal(accepted.headers.get('cache-control'), 'no-store')
  t.same(await live(), [401, 401])
  await signIn(browsers[0] as Browser)
  const replayed = await send(token)
  t.equal(replayed.status, 400)
  t.match(await replayed.json(), { error: 'invalid_request' })
  t.same(await live(), [200, 401])
  for (const refused of ['', 'x', await issuer.logoutToken({ nonce: 'n' }), await issuer.logoutToken({ aud: 'other' })]) {
    const response = await send(refused)
    t.equal(response.status, 400)
    t.equal(response.headers.get('cache-control'), 'no-store')
  }
  t.notOk(gateway.logs.join('\n').includes(token.slice(-40)))
})

t.test('SEC-57: what a browser had before its user signed in is offered once', async t => {
  const directory = t.testdir()
  const keys = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR: directory }
  const port = await freePort()
  const provider = await startFakeProvider(t)
  const before = await startGateway(t, { port, environment: { ...provider.environment, ...keys } })
  const [mine, other] = [new Browser(), new Browser()]
  for (const browser of [mine, other]) await connectAnonymously(before, browser)
  await before.close()

  const { url, signIn, proxied, gateway } = await startLogin(t, { port, environment: { ...provider.environment, ...keys } })
  const old = mine.copy()
  t.equal(await proxied(mine), 401, 'nobody is signed in')
  await signIn(mine)
  t.equal(await proxied(mine), 401, 'nothing is merged without a click')
  t.match(await (await mine.request(`${url}/`, { headers: page })).text(), /this browser had connected <[^>]+>Productboard|Productboard/)
  t.equal((await mine.fetch(`${url}/takeover`, { method: 'POST', headers: { origin: url } })).status, 204)
  t.equal(await proxied(mine), 200)
  t.equal(await proxied(old), 401)
  const anonymous = (await owners(gateway)).filter(owner => !owner.startsWith('u.') && !['revocations', 'owner-names'].includes(owner))
  t.equal(anonymous.length, 1, 'only the other browser’s is left')
  t.equal((await mine.fetch(`${url}/takeover`, { method: 'POST', headers: { origin: url } })).status, 204)

  await signIn(other, grace)
  t.equal((await other.fetch(`${url}/takeover`, { method: 'DELETE', headers: { origin: url } })).status, 204)
  t.equal(await proxied(other), 401)
  t.equal(provider.seen.revoke.length, 1)
})

async function owners({ services: { store } }: TestGateway): Promise<string[]> {
  const found: string[] = []
  for await (const batch of store.scanOwners()) found.push(...batch)
  return found
}

t.test('an invited person and a bearer’s browser need no sign-in', async t => {
  const secret = randomBytes(32)
  const environment = { JWT_SECRETS: secret.toString('base64'), JWT_AUDIENCE: 'gateway' }
  const { url, signIn, proxied } = await startLogin(t, { environment })
  const inviter = new Browser()
  await signIn(inviter)
  const invited = await inviter.fetch(`${url}/connections/productboard/invitation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Ada' })
  })
  const invitation = ((await invited.json()) as { url: string }).url
  const stranger = new Browser()
  t.equal((await stranger.request(invitation, { headers: page })).status, 200)
  const key = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ apiKey: 'pb_key_1234567890' }) }
  t.equal((await stranger.fetch(invitation, key)).status, 201)
  t.equal(await proxied(inviter), 200)

  const token = await new SignJWT({ sub: 'bob', aud: 'gateway' }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(secret)
  const begun = await fetch(`${url}/auth/productboard`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ returnTo: `${url}/done`, choose: true })
  })
  const link = ((await begun.json()) as { url: string }).url
  t.equal((await stranger.request(link, { headers: page })).status, 200)
  t.match(await (await stranger.fetch(link, key)).json(), { location: /connect_code=/ })
})
