import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway, TestClock, type TestGateway } from '../support/gateway.ts'

type Invitation = { id: string; url: string; provider: string; name?: string; createdAt: string; expiresAt: string }

const day = 24 * 60 * 60_000
/** Longer than any invitation: in most tests the inviter's session outlives it. */
const thirtyDays = `${30 * 24 * 3600}`

async function setUp(t: Test, environment: Record<string, string> = {}) {
  const provider = await startFakeProvider(t)
  const clock = new TestClock()
  const gateway = await startGateway(t, { clock, environment: { ...provider.environment, SESSION_IDLE: thirtyDays, ...environment } })
  return { provider, gateway, clock, inviter: new Browser(), guest: new Browser() }
}

async function invite({ url }: TestGateway, browser: Browser, body: unknown = { name: 'Ada' }): Promise<Invitation> {
  const response = await browser.fetch(`${url}/connections/productboard/invitation`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' }
  })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as Invitation
}

/** Submits a form of the invitation's page, as a browser does. */
const submit = (browser: Browser, url: string, step: 'accept' | 'decline', origin = new URL(url).origin) =>
  browser.request(`${url}/${step}`, { method: 'POST', headers: { origin, 'content-type': 'application/x-www-form-urlencoded' } })

/** Accepts an invitation up to the provider's page. @returns the callback URL to which the provider redirects */
async function startAccept(browser: Browser, url: string, result: { code: string } | { error: string } = { code: 'c' }): Promise<string> {
  const { headers } = await submit(browser, url, 'accept')
  const state = new URL(headers.get('location') ?? '').searchParams.get('state') ?? ''
  return `${new URL(url).origin}/auth/productboard/callback?${new URLSearchParams({ ...result, state })}`
}

const accept = async (browser: Browser, url: string): Promise<Response> => browser.request(await startAccept(browser, url))

const proxiedStatus = async ({ url }: TestGateway, browser: Browser): Promise<number> =>
  (await browser.fetch(`${url}/proxy/productboard/x`)).status

async function list({ url }: TestGateway, browser: Browser): Promise<Invitation[]> {
  const response = await browser.fetch(`${url}/invitations`)
  return ((await response.json()) as { invitations: Invitation[] }).invitations
}

const withdraw = ({ url }: TestGateway, browser: Browser, { id }: Invitation): Promise<Response> =>
  browser.fetch(`${url}/invitations/${id}`, { method: 'DELETE' })

const tokenOf = ({ url }: Invitation): string => url.split('/').at(-1) ?? ''

const open = (browser: Browser, url: string) => browser.request(url, { headers: { accept: 'text/html' } })

/** Asserts that a link is not valid any more. */
async function isGone(t: Test, url: string): Promise<void> {
  const page = await open(new Browser(), url)
  t.equal(page.status, 410)
  t.equal(page.headers.get('grantkeeper-error'), 'invitation_invalid')
  t.match(await page.text(), /not valid any more[\s\S]*Ask the person who sent it for a new one/)
}

t.test('an invitation has a link, the inviter’s name and a lifetime of seven days', async t => {
  const { gateway, clock, inviter } = await setUp(t)
  const invitation = await invite(gateway, inviter)
  t.match(invitation, { provider: 'productboard', name: 'Ada', expiresAt: new Date(clock.now() + 7 * day).toISOString() })
  t.ok(invitation.url.startsWith(`${gateway.url}/invitations/`))
})

t.test('the page of an invitation says who asks for which access', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  const page = await open(guest, (await invite(gateway, inviter)).url)
  t.equal(page.status, 200)
  const text = await page.text()
  for (const part of ['Ada asks you to connect Productboard', 'notes:read', 'Continue to Productboard', 'Decline']) t.match(text, part)
  t.equal(page.headers.get('referrer-policy'), 'same-origin')
})

t.test('a guest who accepts connects the inviter and gets no session', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  const invitation = await invite(gateway, inviter)
  const response = await accept(guest, invitation.url)
  t.equal(response.status, 303)
  t.equal(response.headers.get('location'), '/invitations/thanks?provider=productboard')
  t.match(
    await (await open(guest, gateway.url + response.headers.get('location'))).text(),
    /Productboard is connected for the person who asked you/
  )
  t.equal(await proxiedStatus(gateway, inviter), 200)
  t.match(provider.seen.api.at(-1)?.headers.authorization, /^Bearer access-/)
  t.equal(await proxiedStatus(gateway, guest), 401)
  t.equal(guest.session(gateway.url), undefined)
  t.equal(guest.cookies.size, guest.flows(gateway.url).length, 'nothing but the cookie of the sign-in')
  await isGone(t, invitation.url)
})

t.test('the token of an invitation is not logged', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  const invitation = await invite(gateway, inviter)
  await open(guest, invitation.url)
  await accept(guest, invitation.url)
  await isGone(t, invitation.url)
  t.notMatch(gateway.logs.join(''), tokenOf(invitation))
})

t.test('a guest with a session keeps it', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  await signIn(gateway, guest)
  const session = guest.session(gateway.url)?.value
  await accept(guest, (await invite(gateway, inviter)).url)
  t.equal(guest.session(gateway.url)?.value, session)
  t.equal(await proxiedStatus(gateway, guest), 200)
  t.equal(await proxiedStatus(gateway, inviter), 200)
})

t.test('an inviter with a connection can accept their own invitation', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  await accept(guest, (await invite(gateway, inviter)).url)
  t.equal((await accept(inviter, (await invite(gateway, inviter)).url)).status, 303)
  t.equal(await proxiedStatus(gateway, inviter), 200)
})

t.test('of two guests who accept one link concurrently only one connects', async t => {
  const { gateway, provider, inviter } = await setUp(t)
  const { url } = await invite(gateway, inviter)
  const guests = [new Browser(), new Browser()]
  const responses = await Promise.all(guests.map(guest => accept(guest, url)))
  t.equal(responses.filter(({ status }) => status === 303).length, 1)
  await isGone(t, url)
  // The response does not wait for the revocation.
  while (provider.seen.token.length - provider.seen.revoke.length > 1) await new Promise(setImmediate)
  t.equal(provider.seen.token.length - provider.seen.revoke.length, 1, 'the second grant is revoked')
})

t.test('the list shows open invitations without their links', async t => {
  const { gateway, inviter } = await setUp(t)
  const invitations = [await invite(gateway, inviter), await invite(gateway, inviter, {}), await invite(gateway, inviter)]
  const listed = await list(gateway, inviter)
  t.same(new Set(listed.map(({ id }) => id)), new Set(invitations.map(({ id }) => id)))
  t.notMatch(JSON.stringify(listed), /invitations\//)
})

t.test('a link with a changed or malformed token is not valid', async t => {
  const { gateway, provider, inviter } = await setUp(t)
  const invitation = await invite(gateway, inviter)
  for (const [i, letter] of [...tokenOf(invitation)].entries()) {
    if (i % 9 !== 0) continue
    const at = invitation.url.lastIndexOf('/') + 1 + i
    await isGone(t, invitation.url.slice(0, at) + (letter === 'A' ? 'B' : 'A') + invitation.url.slice(at + 1))
  }
  for (const token of ['x', 'A'.repeat(200), '%00', '..%2f..']) await isGone(t, `${gateway.url}/invitations/${token}`)
  t.equal(provider.seen.token.length, 0)
})

t.test('only the inviter can withdraw an invitation', async t => {
  const { gateway, inviter } = await setUp(t)
  const invitation = await invite(gateway, inviter)
  t.equal((await withdraw(gateway, new Browser(), invitation)).status, 204)
  t.equal((await list(gateway, inviter)).length, 1, 'another browser withdraws nothing')
  t.equal((await withdraw(gateway, inviter, invitation)).status, 204)
  await isGone(t, invitation.url)
})

t.test('a declined link is not valid any more', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  const { url } = await invite(gateway, inviter, {})
  t.equal((await submit(guest, url, 'decline')).headers.get('location'), '/invitations/declined')
  await isGone(t, url)
  t.equal(provider.seen.token.length, 0)
})

t.test('an expired link is not valid any more, even if its sign-in has started', async t => {
  const { gateway, provider, clock, inviter, guest } = await setUp(t)
  const { url } = await invite(gateway, inviter)
  t.equal((await submit(guest, url, 'accept')).status, 303)
  clock.advance(7 * day)
  await isGone(t, url)
  t.same(await list(gateway, inviter), [])
  t.equal(provider.seen.token.length, 0)
})

t.test('a sign-out makes the links of the session invalid', async t => {
  const { gateway, provider, inviter } = await setUp(t)
  const { url } = await invite(gateway, inviter)
  await inviter.fetch(`${gateway.url}/logout`, { method: 'POST' })
  await isGone(t, url)
  t.equal(provider.seen.token.length, 0)
})

t.test('an invitation withdrawn during its sign-in connects nothing and sends no token request', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  const invitation = await invite(gateway, inviter)
  const callback = await startAccept(guest, invitation.url)
  await withdraw(gateway, inviter, invitation)
  await assertProblem(t, await guest.request(callback), 410, 'invitation_invalid')
  t.equal(provider.seen.token.length, 0)
  t.equal(await proxiedStatus(gateway, inviter), 401)
})

t.test('a guest who refuses at the provider returns to the open invitation', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  const invitation = await invite(gateway, inviter)
  const response = await guest.request(await startAccept(guest, invitation.url, { error: 'access_denied' }))
  const url = new URL(response.headers.get('location') ?? '', gateway.url).href
  t.ok(url.startsWith(`${invitation.url}?connect_error=access_denied`))
  t.match(await (await open(guest, url)).text(), /The access was not allowed there/)
  t.equal((await accept(guest, invitation.url)).status, 303)
})

t.test('SEC-24: only a form on the gateway’s own page accepts or declines', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  const { url } = await invite(gateway, inviter)
  for (const step of ['accept', 'decline'] as const) {
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: gateway.url, 'sec-fetch-site': 'cross-site' },
      { origin: gateway.url, 'sec-fetch-site': 'same-site' }
    ] as Record<string, string>[])
      await assertProblem(t, await guest.request(`${url}/${step}`, { method: 'POST', headers }), 403, 'csrf_rejected')
    t.equal((await guest.request(`${url}/${step}`)).status, 405, 'a GET does neither')
  }
  t.equal(provider.seen.token.length, 0)
  t.equal((await open(guest, url)).status, 200)
})

t.test('a guest can paste a key', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  provider.api = ({ headers }, r) => json(r, headers.authorization === 'Bearer good-key' ? 200 : 401, {})
  const { url } = await invite(gateway, inviter)
  const paste = (apiKey: unknown) =>
    guest.fetch(url, { method: 'POST', body: JSON.stringify({ apiKey }), headers: { 'content-type': 'application/json' } })
  await assertProblem(t, await paste('bad-key'), 422, 'api_key_rejected')
  await assertProblem(t, await paste(''), 400, 'api_key_malformed')
  const accepted = await paste('good-key')
  t.equal(accepted.status, 201)
  t.same(await accepted.json(), { provider: 'productboard', thanksUrl: '/invitations/thanks?provider=productboard' })
  t.equal(guest.cookies.size, 0)
  t.equal(await proxiedStatus(gateway, inviter), 200)
  await assertProblem(t, await paste('good-key'), 410, 'invitation_invalid')
})

t.test('the inviter’s name is trimmed, and escaped on the page', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  const { name, url } = await invite(gateway, inviter, { name: ' <img src=x onerror=alert(1)> ' })
  t.equal(name, '<img src=x onerror=alert(1)>')
  t.notMatch(await (await open(guest, url)).text(), /<img src=x/)
})

t.test('the page of an invitation without a name says “Somebody”', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  t.match(await (await open(guest, (await invite(gateway, inviter, {})).url)).text(), /Somebody asks you to connect Productboard/)
})

t.test('an invalid name is refused', async t => {
  const { gateway, inviter } = await setUp(t)
  for (const name of ['x'.repeat(81), 7, 'a\nb', 'a\u202eb', 'a\u2028b', 'a\u0000', null]) {
    const init = { method: 'POST', body: JSON.stringify({ name }), headers: { 'content-type': 'application/json' } }
    await assertProblem(t, await inviter.fetch(`${gateway.url}/connections/productboard/invitation`, init), 400, 'request_malformed')
  }
})

t.test('an invitation and the connection that it makes outlast a shorter idle limit', async t => {
  const { gateway, clock, inviter, guest } = await setUp(t, { SESSION_IDLE: '3600' })
  const { url, expiresAt } = await invite(gateway, inviter)
  t.equal(expiresAt, new Date(clock.now() + 7 * day).toISOString())
  clock.advance(7 * day - 1)
  t.equal((await accept(guest, url)).status, 303)
  clock.advance(7 * day - 1)
  t.equal(await proxiedStatus(gateway, inviter), 200)
  clock.advance(3600_000)
  await assertProblem(t, await inviter.fetch(`${gateway.url}/proxy/productboard/x`), 401, 'connection_required')
})

const sessionLimits = { SESSION_IDLE: '3600', SESSION_MAX: String(10 * 86_400) }

t.test('SEC-21: a session with an open invitation ends at its absolute limit', async t => {
  const { gateway, clock, inviter } = await setUp(t, sessionLimits)
  await signIn(gateway, inviter)
  clock.advance(3599_000)
  await invite(gateway, inviter)
  clock.advance(3599_000)
  t.equal(await proxiedStatus(gateway, inviter), 200, 'inviting is a use of the session')
  clock.advance(6 * day)
  const { url, expiresAt } = await invite(gateway, inviter)
  t.ok(Date.parse(expiresAt) < clock.now() + 4 * day)
  clock.advance(Date.parse(expiresAt) - clock.now() - 1)
  t.equal(await proxiedStatus(gateway, inviter), 200)
  clock.advance(1)
  t.equal(await proxiedStatus(gateway, inviter), 401)
  await isGone(t, url)
})

t.test('SEC-21: without an open invitation a new session ends at its idle limit', async t => {
  const { gateway, clock, inviter } = await setUp(t, sessionLimits)
  await signIn(gateway, inviter)
  await invite(gateway, inviter)
  clock.advance(10 * day)
  t.equal(await proxiedStatus(gateway, inviter), 401, 'the session that invited has ended')
  await signIn(gateway, inviter)
  clock.advance(3600_000)
  t.equal(await proxiedStatus(gateway, inviter), 401)
})

t.test('listing and withdrawing invitations are uses of the session', async t => {
  const { gateway, clock, inviter } = await setUp(t, { SESSION_IDLE: '100' })
  await signIn(gateway, inviter)
  for (const [method, path] of [
    ['GET', '/invitations'],
    ['DELETE', '/invitations/x']
  ] as const) {
    clock.advance(90_000)
    t.ok((await inviter.fetch(gateway.url + path, { method })).ok)
  }
  clock.advance(90_000)
  t.equal(await proxiedStatus(gateway, inviter), 200)
})

t.test('an invitation ends no later than its session', async t => {
  const { gateway, clock, inviter } = await setUp(t, { SESSION_MAX: '86400' })
  t.equal((await invite(gateway, inviter)).expiresAt, new Date(clock.now() + day).toISOString())
})

t.test('at most twenty invitations are open, and a new one replaces the oldest', async t => {
  const { gateway, clock, inviter } = await setUp(t, { SESSION_MAX: '86400' })
  await invite(gateway, inviter)
  const newest: Invitation[] = []
  for (let i = 0; i < 20; i++) {
    clock.advance(1)
    newest.push(await invite(gateway, inviter))
  }
  const listed = await list(gateway, inviter)
  t.equal(listed.length, 20)
  t.same(new Set(listed.map(({ id }) => id)), new Set(newest.map(({ id }) => id)))
})
