import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { problem, signIn } from '../support/connected.ts'
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

/** A form of a page of the gateway's, as a browser sends it. */
const submit = (browser: Browser, url: string, step: 'accept' | 'decline', origin = new URL(url).origin) =>
  browser.request(`${url}/${step}`, { method: 'POST', headers: { origin, 'content-type': 'application/x-www-form-urlencoded' } })

async function accept(browser: Browser, url: string, gateway: TestGateway): Promise<Response> {
  const begun = await submit(browser, url, 'accept')
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  return browser.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
}

const open = (browser: Browser, url: string) => browser.request(url, { headers: { accept: 'text/html' } })

async function isGone(t: Test, url: string): Promise<void> {
  const page = await open(new Browser(), url)
  t.equal(page.status, 410)
  t.equal(page.headers.get('grantkeeper-error'), 'invitation_invalid')
  t.match(await page.text(), /not valid any more[\s\S]*Ask the person who sent it for a new one/)
}

t.test('somebody else connects for a session that stays closed to them', async t => {
  const { gateway, provider, clock, inviter, guest } = await setUp(t)
  const made = await invite(gateway, inviter)
  t.match(made, { provider: 'productboard', name: 'Ada', expiresAt: new Date(clock.now() + 7 * day).toISOString() })
  t.ok(made.url.startsWith(`${gateway.url}/invitations/`))

  const page = await open(guest, made.url)
  t.equal(page.status, 200)
  const text = await page.text()
  for (const part of ['Ada asks you to connect Productboard', 'notes:read', 'Continue to Productboard', 'Decline']) t.match(text, part)
  t.equal(page.headers.get('referrer-policy'), 'same-origin')

  const end = await accept(guest, made.url, gateway)
  t.equal(end.status, 303)
  t.equal(end.headers.get('location'), '/invitations/thanks?provider=productboard')
  t.match(
    await (await open(guest, gateway.url + end.headers.get('location'))).text(),
    /Productboard is connected for the person who asked you/
  )

  t.equal((await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200)
  t.match(provider.seen.api.at(-1)?.headers.authorization, /^Bearer access-/)
  t.equal((await guest.fetch(`${gateway.url}/proxy/productboard/x`)).status, 401)
  t.equal(guest.cookies.size, 0, 'the guest has no cookie left')
  await isGone(t, made.url)
  t.notMatch(gateway.logs.join(''), made.url.split('/').at(-1) ?? '', 'who reads the logs cannot accept')
})

t.test('a guest with a session of their own keeps it, and the inviter may use their own link', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  await signIn(gateway, guest)
  const before = guest.session(gateway.url)?.value
  const made = await invite(gateway, inviter)
  await accept(guest, made.url, gateway)
  t.equal(guest.session(gateway.url)?.value, before)
  t.equal((await guest.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200)
  t.equal((await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200)

  const own = await invite(gateway, inviter)
  t.equal((await accept(inviter, own.url, gateway)).status, 303)
  t.equal((await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200)
})

t.test('a link works once, also when two accept it in the same moment', async t => {
  const { gateway, provider, inviter } = await setUp(t)
  const made = await invite(gateway, inviter)
  const guests = [new Browser(), new Browser()]
  const ends = await Promise.all(guests.map(guest => accept(guest, made.url, gateway)))
  t.equal(ends.filter(end => end.status === 303).length, 1)
  await isGone(t, made.url)
  // The answer does not wait for the revocation.
  while (provider.seen.token.length - provider.seen.revoke.length > 1) await new Promise(setImmediate)
  t.equal(provider.seen.token.length - provider.seen.revoke.length, 1, 'what came too late is revoked')
})

t.test('a link that is withdrawn, declined, expired, tampered with or outlives its session changes nothing', async t => {
  const { gateway, provider, clock, inviter } = await setUp(t)
  const list = async () => ((await (await inviter.fetch(`${gateway.url}/invitations`)).json()) as { invitations: Invitation[] }).invitations
  const [withdrawn, declined, expired] = [
    await invite(gateway, inviter),
    await invite(gateway, inviter, {}),
    await invite(gateway, inviter)
  ]
  t.same(new Set((await list()).map(({ id }) => id)), new Set([withdrawn, declined, expired].map(({ id }) => id)))
  t.notMatch(JSON.stringify(await list()), /invitations\//, 'the link itself is told once')

  for (const [i, letter] of [...(withdrawn.url.split('/').at(-1) ?? '')].entries()) {
    if (i % 9 !== 0) continue
    const at = withdrawn.url.lastIndexOf('/') + 1 + i
    await isGone(t, withdrawn.url.slice(0, at) + (letter === 'A' ? 'B' : 'A') + withdrawn.url.slice(at + 1))
  }
  for (const token of ['x', 'A'.repeat(200), '%00', '..%2f..']) await isGone(t, `${gateway.url}/invitations/${token}`)

  t.equal((await new Browser().fetch(`${gateway.url}/invitations/${withdrawn.id}`, { method: 'DELETE' })).status, 204)
  t.equal((await list()).length, 3, 'a stranger withdraws nothing')
  t.equal((await inviter.fetch(`${gateway.url}/invitations/${withdrawn.id}`, { method: 'DELETE' })).status, 204)
  await isGone(t, withdrawn.url)

  const guest = new Browser()
  t.equal((await submit(guest, declined.url, 'decline')).headers.get('location'), '/invitations/declined')
  await isGone(t, declined.url)

  const begun = await submit(guest, expired.url, 'accept')
  t.equal(begun.status, 303)
  clock.advance(7 * day)
  await isGone(t, expired.url)
  t.same(await list(), [])

  const last = await invite(gateway, inviter)
  await inviter.fetch(`${gateway.url}/logout`, { method: 'POST' })
  await isGone(t, last.url)
  t.equal(provider.seen.token.length, 0)
})

t.test('who withdraws while the guest is at the provider has withdrawn, and no code is spent', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  const made = await invite(gateway, inviter)
  const begun = await submit(guest, made.url, 'accept')
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  await inviter.fetch(`${gateway.url}/invitations/${made.id}`, { method: 'DELETE' })
  const end = await guest.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
  await problem(t, end, 410, 'invitation_invalid')
  t.equal(provider.seen.token.length, 0)
  t.equal((await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status, 401)
})

t.test('who refuses at the provider comes back to the invitation, which still stands', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  const made = await invite(gateway, inviter)
  const begun = await submit(guest, made.url, 'accept')
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const back = await guest.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ error: 'access_denied', state })}`)
  const address = new URL(back.headers.get('location') ?? '', gateway.url).href
  t.ok(address.startsWith(`${made.url}?connect_error=access_denied`))
  t.match(await (await open(guest, address)).text(), /The access was not allowed there/)
  t.equal((await accept(guest, made.url, gateway)).status, 303)
})

t.test('SEC-24: accepting and declining are steps of a person on our own page', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  const made = await invite(gateway, inviter)
  for (const step of ['accept', 'decline'] as const) {
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: gateway.url, 'sec-fetch-site': 'cross-site' },
      { origin: gateway.url, 'sec-fetch-site': 'same-site' }
    ] as Record<string, string>[])
      await problem(t, await guest.request(`${made.url}/${step}`, { method: 'POST', headers }), 403, 'csrf_rejected')
    t.equal((await guest.request(`${made.url}/${step}`)).status, 405, 'following an address does not')
  }
  t.equal(provider.seen.token.length, 0)
  t.equal((await open(guest, made.url)).status, 200)
})

t.test('an invited person may paste a key', async t => {
  const { gateway, provider, inviter, guest } = await setUp(t)
  provider.api = ({ headers }, r) => json(r, headers.authorization === 'Bearer good-key' ? 200 : 401, {})
  const made = await invite(gateway, inviter)
  const paste = (apiKey: unknown) =>
    guest.fetch(made.url, { method: 'POST', body: JSON.stringify({ apiKey }), headers: { 'content-type': 'application/json' } })
  await problem(t, await paste('bad-key'), 422, 'api_key_rejected')
  await problem(t, await paste(''), 400, 'api_key_malformed')
  const done = await paste('good-key')
  t.equal(done.status, 201)
  t.same(await done.json(), { provider: 'productboard', thanksUrl: '/invitations/thanks?provider=productboard' })
  t.equal(guest.cookies.size, 0)
  t.equal((await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200)
  await problem(t, await paste('good-key'), 410, 'invitation_invalid')
})

t.test('the name is shown as it is, escaped, and not as anything else', async t => {
  const { gateway, inviter, guest } = await setUp(t)
  const hostile = await invite(gateway, inviter, { name: ' <img src=x onerror=alert(1)> ' })
  t.equal(hostile.name, '<img src=x onerror=alert(1)>')
  t.notMatch(await (await open(guest, hostile.url)).text(), /<img src=x/)
  t.match(await (await open(guest, (await invite(gateway, inviter, {})).url)).text(), /Somebody asks you to connect Productboard/)
  for (const name of ['x'.repeat(81), 7, 'a\nb', 'a\u202eb', 'a\u2028b', 'a\u0000', null]) {
    const init = { method: 'POST', body: JSON.stringify({ name }), headers: { 'content-type': 'application/json' } }
    await problem(t, await inviter.fetch(`${gateway.url}/connections/productboard/invitation`, init), 400, 'request_malformed')
  }
})

t.test(
  'an invitation is good for as long as it says, and what it brought waits for the inviter, however soon a session is idle',
  async t => {
    const { gateway, clock, inviter, guest } = await setUp(t, { SESSION_IDLE: '3600' })
    const made = await invite(gateway, inviter)
    t.equal(made.expiresAt, new Date(clock.now() + 7 * day).toISOString())
    clock.advance(7 * day - 1)
    t.equal((await accept(guest, made.url, gateway)).status, 303)
    clock.advance(7 * day - 1)
    t.equal((await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200)
    clock.advance(3600_000)
    await problem(t, await inviter.fetch(`${gateway.url}/proxy/productboard/x`), 401, 'connection_required')
  }
)

t.test('SEC-21: without an open invitation a session ends by idleness, and one that is kept for it ends at its absolute limit', async t => {
  const { gateway, clock, inviter } = await setUp(t, { SESSION_IDLE: '3600', SESSION_MAX: String(10 * 86_400) })
  await signIn(gateway, inviter)
  const status = async () => (await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status
  clock.advance(3599_000)
  await invite(gateway, inviter)
  clock.advance(3599_000)
  t.equal(await status(), 200, 'to invite is to be here')
  clock.advance(6 * day)
  const second = await invite(gateway, inviter)
  t.ok(Date.parse(second.expiresAt) < clock.now() + 4 * day)
  clock.advance(Date.parse(second.expiresAt) - clock.now() - 1)
  t.equal(await status(), 200)
  clock.advance(1)
  t.equal(await status(), 401)
  await isGone(t, second.url)
  await signIn(gateway, inviter)
  clock.advance(3600_000)
  t.equal(await status(), 401)
})

t.test('looking at what was asked for, and withdrawing it, are uses of the session', async t => {
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
  t.equal((await inviter.fetch(`${gateway.url}/proxy/productboard/x`)).status, 200)
})

t.test('an invitation ends with its session at the latest, and twenty are open at most', async t => {
  const { gateway, clock, inviter } = await setUp(t, { SESSION_MAX: '86400' })
  t.equal((await invite(gateway, inviter)).expiresAt, new Date(clock.now() + day).toISOString())
  const made: Invitation[] = []
  for (let i = 0; i < 20; i++) {
    clock.advance(1)
    made.push(await invite(gateway, inviter))
  }
  const { invitations } = (await (await inviter.fetch(`${gateway.url}/invitations`)).json()) as { invitations: Invitation[] }
  t.equal(invitations.length, 20)
  t.same(new Set(invitations.map(({ id }) => id)), new Set(made.map(({ id }) => id)))
})
