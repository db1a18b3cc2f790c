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

t.test('a navigation from another site gets the page with the button, and the button begins', async t => {
  const { browser, auth } = await withProvider(t, { ALLOWED_ORIGINS: 'https://app.example.com' })
  for (const headers of [crossSite, { 'sec-fetch-site': 'cross-site' }]) {
    const there = 'https://app.example.com/list?page=2#here'
    const answer = await browser.request(`${auth}?return_to=${encodeURIComponent(there)}`, { headers })
    t.equal(answer.status, 200)
    t.match(answer.headers.get('content-type'), /^text\/html/)
    t.match({ location: answer.headers.get('location'), cookies: answer.headers.getSetCookie() }, { location: null, cookies: [] })
    const html = await answer.text()
    t.match(html, '<h1>Connect Productboard</h1>')
    t.equal(signInLink(html), `${auth}?return_to=${encodeURIComponent(there)}`, 'it leads back to where it was asked to')
  }
  const pressed = { ...crossSite, 'sec-fetch-site': 'same-origin', 'sec-fetch-user': '?1' }
  t.equal((await browser.request(auth, { headers: pressed })).status, 302)
})

t.test('a navigation from another site that would lead elsewhere is refused as any other', async t => {
  const { browser, auth } = await withProvider(t)
  const answer = await browser.request(`${auth}?return_to=https://elsewhere.example`, { headers: { ...crossSite, accept: '*/*' } })
  await assertProblem(t, answer, 400, 'return_to_rejected')
})

t.test('navigations from another site use up no limit, and push out no sign-in that is under way', async t => {
  const { browser, auth } = await withProvider(t, { SIGN_INS_PER_MINUTE: '1' })
  const begun = await browser.request(auth)
  t.equal(begun.status, 302)
  for (let i = 0; i < 6; i++) t.equal((await browser.request(auth, { headers: crossSite })).status, 200)
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  t.equal((await browser.request(`${auth}/callback?${new URLSearchParams({ code: 'c', state })}`)).status, 303)
})

t.test('the callback is not held up: it always comes from another site', async t => {
  const { browser, auth } = await withProvider(t)
  const state = new URL((await browser.request(auth)).headers.get('location') ?? '').searchParams.get('state') ?? ''
  const answer = await browser.request(`${auth}/callback?${new URLSearchParams({ code: 'c', state })}`, { headers: crossSite })
  t.equal(answer.status, 303)
})

t.test('the page with the button says whose account a new one would replace', async t => {
  const { oauth2 } = vendor.methods
  if (!oauth2) throw new Error('it has OAuth')
  const named = {
    ...vendor,
    methods: { ...vendor.methods, oauth2: { ...oauth2, tokenResponse: { ...oauth2.tokenResponse, account: '/who' } } }
  }
  const token = (_: unknown, r: Parameters<typeof json>[0]) => json(r, 200, tokens({ who: 'ada@example.com<b>' }))
  const s = await startConnected(t, { definitions: [named], token })
  const replaces = /connected as <strong><bdi>ada@example\.com&lt;b&gt;<\/bdi><\/strong> on/
  for (const path of ['/auth/productboard', '/connect/productboard'])
    t.match((await s.browser.visit(s.gateway.url + path, { headers: crossSite })).text, replaces, path)
  t.notMatch((await new Browser().visit(`${s.gateway.url}/connect/productboard`)).text, 'connected as')

  const home = (await s.browser.visit(`${s.gateway.url}/?connected=productboard`)).text
  t.match(home, 'Productboard is connected as <bdi>ada@example.com&lt;b&gt;</bdi>.', 'and it is said whose came of it')
  t.match(home, '<dt>Account</dt><dd>ada@example.com&lt;b&gt;</dd>')
})

t.test('a prefetch gets nothing and begins nothing: no cookie, no redirect, no try of the limit', async t => {
  const { provider, browser, auth } = await withProvider(t, { SIGN_INS_PER_MINUTE: '2' })
  const begun = await browser.request(auth)
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  for (const prefetch of [
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
    { 'sec-purpose': 'prefetch;anonymous-client-ip' },
    { purpose: 'prefetch' },
    { 'x-moz': 'prefetch' },
    { 'x-purpose': 'preview' }
  ]) {
    for (const site of ['same-origin', 'same-site', 'cross-site', 'none']) {
      const answer = await browser.request(auth, { headers: { ...crossSite, 'sec-fetch-site': site, ...prefetch } })
      t.match(
        {
          status: answer.status,
          location: answer.headers.get('location'),
          cookies: answer.headers.getSetCookie(),
          text: await answer.text()
        },
        // Not a success: that might be kept for the person who goes there.
        { status: 503, location: null, cookies: [], text: '' },
        JSON.stringify(prefetch)
      )
      t.equal(answer.headers.get('cache-control'), 'no-store')
    }
  }
  const callback = `${auth}/callback?${new URLSearchParams({ code: 'c', state })}`
  t.equal((await browser.request(callback, { headers: { 'sec-purpose': 'prefetch' } })).status, 503, 'nor does one end anything')
  t.equal(provider.seen.token.length, 0)
  t.equal((await browser.request(callback)).status, 303)
  t.equal((await browser.request(auth)).status, 302, 'the second of two tries')
})

t.test('who looks at the page with the button uses their session, which does not end while they sign in', async t => {
  const s = await startConnected(t, { environment: { SESSION_IDLE: '600' } })
  s.clock.advance(590_000)
  await s.browser.visit(`${s.gateway.url}/auth/productboard`, { headers: crossSite })
  await s.browser.request(`${s.gateway.url}/connect/productboard`)
  s.clock.advance(590_000)
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
})

t.test('a HEAD begins no sign-in', async t => {
  const { browser, auth } = await withProvider(t)
  const answer = await browser.request(auth, { method: 'HEAD' })
  t.match({ status: answer.status, cookies: answer.headers.getSetCookie() }, { status: 405, cookies: [] })
})
