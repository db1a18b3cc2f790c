import t, { type Test } from 'tap'
import vendor from '../../providers/productboard.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

const crossSite = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html' }

async function withProvider(t: Test, environment: Record<string, string> = {}) {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: { ...provider.environment, ...environment } })
  return { provider, gateway, browser: new Browser(), auth: `${gateway.url}/auth/productboard` }
}

const signInLink = (html: string) => /<a class="button" href="([^"]*)"/.exec(html)?.[1]

t.test('a navigation from another site gets a page with a sign-in button', async t => {
  const { browser, auth } = await withProvider(t, { ALLOWED_ORIGINS: 'https://app.example.com' })
  for (const headers of [crossSite, { 'sec-fetch-site': 'cross-site' }]) {
    const returnTo = 'https://app.example.com/list?page=2#here'
    const response = await browser.request(`${auth}?return_to=${encodeURIComponent(returnTo)}`, { headers })
    t.equal(response.status, 200)
    t.match(response.headers.get('content-type'), /^text\/html/)
    t.match({ location: response.headers.get('location'), cookies: response.headers.getSetCookie() }, { location: null, cookies: [] })
    const html = await response.text()
    t.match(html, '<h1>Connect Productboard</h1>')
    t.equal(signInLink(html), `${auth}?return_to=${encodeURIComponent(returnTo)}`, 'the button keeps return_to')
  }
})

t.test('the sign-in button starts the sign-in', async t => {
  const { browser, auth } = await withProvider(t, { ALLOWED_ORIGINS: 'https://app.example.com' })
  const pressed = { ...crossSite, 'sec-fetch-site': 'same-origin', 'sec-fetch-user': '?1' }
  t.equal((await browser.request(auth, { headers: pressed })).status, 302)
})

t.test('a disallowed return_to is refused from another site too', async t => {
  const { browser, auth } = await withProvider(t)
  const response = await browser.request(`${auth}?return_to=https://elsewhere.example`, { headers: { ...crossSite, accept: '*/*' } })
  await assertProblem(t, response, 400, 'return_to_rejected')
})

t.test('navigations from another site use no limit and evict no sign-in in flight', async t => {
  const { browser, auth } = await withProvider(t, { SIGN_INS_PER_MINUTE: '1' })
  const started = await browser.request(auth)
  t.equal(started.status, 302)
  for (let i = 0; i < 6; i++) t.equal((await browser.request(auth, { headers: crossSite })).status, 200)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  t.equal((await browser.request(`${auth}/callback?${new URLSearchParams({ code: 'c', state })}`)).status, 303)
})

t.test('a callback from another site is accepted', async t => {
  const { browser, auth } = await withProvider(t)
  const state = new URL((await browser.request(auth)).headers.get('location') ?? '').searchParams.get('state') ?? ''
  const response = await browser.request(`${auth}/callback?${new URLSearchParams({ code: 'c', state })}`, { headers: crossSite })
  t.equal(response.status, 303)
})

/** A gateway whose user is connected as `ada@example.com<b>`. */
async function connectedWithAccount(t: Test) {
  const { oauth2 } = vendor.methods
  if (!oauth2) throw new Error('it has OAuth')
  const definition = {
    ...vendor,
    methods: { ...vendor.methods, oauth2: { ...oauth2, account: { from: 'token', name: '/who' } } }
  } as const
  const token = (_: unknown, r: Parameters<typeof json>[0]) => json(r, 200, tokens({ who: 'ada@example.com<b>' }))
  return startConnected(t, { definitions: [definition], token })
}

t.test('the sign-in page names the account that a new one would replace', async t => {
  const s = await connectedWithAccount(t)
  const accountNotice = /connected as <strong><bdi>ada@example\.com&lt;b&gt;<\/bdi><\/strong> on/
  for (const path of ['/auth/productboard', '/connect/productboard'])
    t.match((await s.browser.visit(s.gateway.url + path, { headers: crossSite })).text, accountNotice, path)
  t.notMatch((await new Browser().visit(`${s.gateway.url}/connect/productboard`)).text, 'connected as')
})

t.test('the connections page names the connected account', async t => {
  const s = await connectedWithAccount(t)
  const home = (await s.browser.visit(`${s.gateway.url}/?connected=productboard`)).text
  t.match(home, 'Productboard is connected as <bdi>ada@example.com&lt;b&gt;</bdi>.')
  t.match(home, '<dt>Account</dt><dd>ada@example.com&lt;b&gt;</dd>')
})

t.test('a prefetch starts no sign-in and does not count towards the limit', async t => {
  const { provider, browser, auth } = await withProvider(t, { SIGN_INS_PER_MINUTE: '2' })
  const started = await browser.request(auth)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  for (const prefetch of [
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
    { 'sec-purpose': 'prefetch;anonymous-client-ip' },
    { purpose: 'prefetch' },
    { 'x-moz': 'prefetch' },
    { 'x-purpose': 'preview' }
  ]) {
    for (const site of ['same-origin', 'same-site', 'cross-site', 'none']) {
      const response = await browser.request(auth, { headers: { ...crossSite, 'sec-fetch-site': site, ...prefetch } })
      t.match(
        {
          status: response.status,
          location: response.headers.get('location'),
          cookies: response.headers.getSetCookie(),
          text: await response.text()
        },
        // Not a success, which the browser might cache for a later navigation.
        { status: 503, location: null, cookies: [], text: '' },
        JSON.stringify(prefetch)
      )
      t.equal(response.headers.get('cache-control'), 'no-store')
    }
  }
  t.equal(provider.seen.token.length, 0)
  t.equal((await browser.request(`${auth}/callback?${new URLSearchParams({ code: 'c', state })}`)).status, 303)
  t.equal((await browser.request(auth)).status, 302, 'the second of two attempts')
})

t.test('a prefetched callback finishes no sign-in', async t => {
  const { provider, browser, auth } = await withProvider(t)
  const started = await browser.request(auth)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const callback = `${auth}/callback?${new URLSearchParams({ code: 'c', state })}`
  t.equal((await browser.request(callback, { headers: { 'sec-purpose': 'prefetch' } })).status, 503)
  t.equal(provider.seen.token.length, 0)
  t.equal((await browser.request(callback)).status, 303)
})

t.test('viewing the sign-in page counts as use of the session', async t => {
  const s = await startConnected(t, { environment: { SESSION_IDLE: '600' } })
  s.clock.advance(590_000)
  await s.browser.visit(`${s.gateway.url}/auth/productboard`, { headers: crossSite })
  await s.browser.request(`${s.gateway.url}/connect/productboard`)
  s.clock.advance(590_000)
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
})

t.test('a HEAD request starts no sign-in', async t => {
  const { browser, auth } = await withProvider(t)
  const response = await browser.request(auth, { method: 'HEAD' })
  t.match({ status: response.status, cookies: response.headers.getSetCookie() }, { status: 405, cookies: [] })
})
