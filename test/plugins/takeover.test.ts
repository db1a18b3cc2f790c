import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { type FakeProvider, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'
import { ada, grace, type IssuerUser, startOpenidIssuer } from '../support/openid-issuer.ts'

const page = { accept: 'text/html' }
const frontend = 'http://localhost:5173'

type Entry = { readonly id?: string; readonly provider: string; readonly status: string }

async function connectAt({ url }: TestGateway, browser: Browser, query = ''): Promise<void> {
  const started = await browser.request(`${url}/auth/productboard${query}`, { headers: page })
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const ended = await browser.request(`${url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
  if (ended.status !== 303) throw new Error(`not connected: ${ended.status} ${await ended.text()}`)
}

/** A gateway to which the operator has added the sign-in of users, after these browsers have connected an account without it. */
async function addLogin(t: Test, browsers: readonly Browser[]) {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const issuer = await startOpenidIssuer(t, { redirectUris: [`${url}/login/callback`] })
  const provider: FakeProvider = await startFakeProvider(t)
  const clock = new TestClock()
  const common = {
    ...provider.environment,
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    DATA_DIR: t.testdir(),
    ALLOWED_ORIGINS: frontend,
    SESSION_IDLE: '86400',
    SESSION_MAX: '86400'
  }
  const before = await startGateway(t, { port, clock, environment: common })
  for (const browser of browsers) await connectAt(before, browser)
  await before.close()
  const gateway = await startGateway(t, { port, clock, environment: { ...common, ...issuer.environment } })

  async function signIn(browser: Browser, user: IssuerUser = ada, path = '/login'): Promise<void> {
    const started = await browser.request(url + path, { headers: page })
    for (const key of browser.cookies.keys()) if (key.startsWith('127.0.0.1 ')) browser.cookies.delete(key)
    const callback = await issuer.signInAt(started.headers.get('location') ?? '', user, browser)
    const ended = await browser.request(callback, { headers: page })
    if (ended.status !== 303) throw new Error(`not signed in: ${ended.status} ${await ended.text()}`)
  }

  /** As the script of our own page does. */
  const decide = (browser: Browser, method: 'POST' | 'DELETE', headers: Readonly<Record<string, string>> = {}) =>
    browser.request(`${url}/takeover`, { method, headers: { origin: url, 'sec-fetch-site': 'same-origin', ...headers } })

  const accounts = async (browser: Browser): Promise<string[]> => {
    const response = await browser.fetch(`${url}/connections`)
    const { connections } = (await response.json()) as { connections: Entry[] }
    return connections.flatMap(({ id }) => id ?? [])
  }
  const proxied = async (browser: Browser) => (await browser.fetch(`${url}/proxy/productboard/x`)).status
  return { url, provider, clock, gateway, signIn, decide, accounts, proxied, connect: (browser: Browser) => connectAt(gateway, browser) }
}

t.test('SEC-57: what a browser had is not merged by a sign-in', async t => {
  const browser = new Browser()
  const { signIn, accounts, proxied } = await addLogin(t, [browser])
  await signIn(browser)
  t.strictSame(await accounts(browser), [])
  t.equal(await proxied(browser), 401)
})

t.test('SEC-57: after a click the user has it in every browser, and the old session is dead', async t => {
  const [browser, phone] = [new Browser(), new Browser()]
  const { signIn, decide, accounts, proxied, provider } = await addLogin(t, [browser])
  const old = browser.copy()
  await signIn(browser)
  await signIn(phone)
  t.equal((await decide(browser, 'POST')).status, 204)
  t.same([await proxied(browser), await proxied(phone), await proxied(old)], [200, 200, 401])
  t.equal((await accounts(browser)).length, 1)
  t.equal(provider.seen.revoke.length, 0)
})

t.test('SEC-57: it is offered once', async t => {
  const browser = new Browser()
  const { signIn, decide, accounts, url } = await addLogin(t, [browser])
  await signIn(browser)
  await Promise.all([decide(browser, 'POST'), decide(browser, 'POST'), decide(browser.copy(), 'POST')])
  const [id] = await accounts(browser)
  await browser.fetch(`${url}/connections/productboard/${id}`, { method: 'DELETE' })
  t.equal((await decide(browser, 'POST')).status, 204)
  t.strictSame(await accounts(browser), [])
})

t.test('SEC-57: of two users who saw the offer, the first to decide gets it', async t => {
  const browser = new Browser()
  const { signIn, decide, accounts } = await addLogin(t, [browser])
  const copy = browser.copy()
  await signIn(browser)
  await signIn(copy, grace)
  t.equal((await decide(copy, 'POST')).status, 204)
  t.equal((await decide(browser, 'POST')).status, 204)
  t.same([(await accounts(browser)).length, (await accounts(copy)).length], [0, 1])
})

t.test('SEC-57: what is declined is deleted and revoked', async t => {
  const browser = new Browser()
  const { signIn, decide, accounts, proxied, provider, gateway } = await addLogin(t, [browser])
  const old = browser.copy()
  await signIn(browser)
  t.equal((await decide(browser, 'DELETE')).status, 204)
  t.strictSame(await accounts(browser), [])
  t.equal(await proxied(old), 401)
  t.equal(provider.seen.revoke.length, 1)
  t.equal((await decide(browser, 'POST')).status, 204, 'and cannot be taken over any more')
  t.strictSame(await accounts(browser), [])
  for await (const owners of gateway.services.store.scanOwners())
    for (const owner of owners) t.notOk((await gateway.services.store.readAll(owner)).has('connection:productboard'), owner)
})

t.test('accounts that the provider does not tell apart are kept beside each other', async t => {
  const browser = new Browser()
  const { signIn, decide, accounts, connect, provider, gateway } = await addLogin(t, [browser])
  const phone = new Browser()
  await signIn(phone)
  await connect(phone)
  t.equal((await accounts(phone)).length, 1)
  await signIn(browser)
  t.equal((await decide(browser, 'POST')).status, 204)
  t.equal((await accounts(phone)).length, 2)
  t.equal(provider.seen.revoke.length, 0)
  t.notMatch(gateway.logs.join(''), /access-\d|refresh-\d/)
})

t.test('a provider that is full keeps the user’s accounts and revokes the rest', async t => {
  const browser = new Browser()
  const { signIn, decide, accounts, provider, url } = await addLogin(t, [browser])
  const phone = new Browser()
  await signIn(phone)
  for (let i = 0; i < 10; i++) {
    provider.token = (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(tokens()))
    const started = await phone.request(`${url}/auth/productboard?account=add`, { headers: page })
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
    await phone.request(`${url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
  }
  const before = await accounts(phone)
  t.equal(before.length, 10)
  await signIn(browser)
  const revoked = new Promise(resolve => {
    provider.revoke = (seen, response) => {
      response.writeHead(200).end()
      resolve(seen)
    }
  })
  t.equal((await decide(browser, 'POST')).status, 204)
  await revoked
  t.strictSame(await accounts(phone), before)
})

t.test('SEC-57: only our own page can decide', async t => {
  const browser = new Browser()
  const { signIn, decide, accounts, url } = await addLogin(t, [browser])
  await signIn(browser)
  for (const method of ['POST', 'DELETE'] as const) {
    for (const headers of [{ origin: frontend }, { origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'same-site' }])
      await assertProblem(t, await decide(browser, method, headers), 403, 'csrf_rejected')
    await assertProblem(t, await browser.fetch(`${url}/takeover`, { method }), 403, 'csrf_rejected')
  }
  t.equal((await browser.fetch(`${url}/takeover`)).status, 405)
  t.equal((await decide(browser, 'POST')).status, 204)
  t.equal((await accounts(browser)).length, 1, 'the offer is still open')
})

t.test('without a session there is nothing to decide', async t => {
  const old = new Browser()
  const { decide, proxied } = await addLogin(t, [old])
  await assertProblem(t, await decide(new Browser(), 'POST'), 401, 'user_required')
  await assertProblem(t, await decide(old, 'POST'), 401, 'user_required')
  t.equal(await proxied(old), 401)
})

t.test('a browser that had nothing gets no offer', async t => {
  const browser = new Browser()
  const { signIn, decide, connect, accounts } = await addLogin(t, [])
  await signIn(browser)
  await connect(browser)
  for (const method of ['POST', 'DELETE'] as const) t.equal((await decide(browser, method)).status, 204)
  t.equal((await accounts(browser)).length, 1)
})
