import t, { type Test } from 'tap'
import { oauth2With, providerWith } from '../core/support.ts'
import { Browser } from '../support/browser.ts'
import { assertConnectError } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

/** A gateway with a provider that posts its authorization responses, and one that does not. */
async function startFormPost(t: Test) {
  const [acme, other] = [await startFakeProvider(t, 'ACME'), await startFakeProvider(t, 'OTHER')]
  const oauth2 = oauth2With({
    responseMode: 'form_post',
    values: { team: { from: 'callback', parameter: 'team id', example: 'T1' } }
  })
  const { url, logs } = await startGateway(t, {
    definitions: [providerWith({ methods: { oauth2 } }), providerWith({ name: 'other', methods: { oauth2: oauth2With() } })],
    environment: { ...acme.environment, ...other.environment }
  })
  const browser = new Browser()
  const begin = async () => {
    const location = new URL((await browser.request(`${url}/auth/acme`)).headers.get('location') ?? '')
    t.equal(location.searchParams.get('response_mode'), 'form_post')
    return location.searchParams.get('state') ?? ''
  }
  /** As a browser submits the form of the provider's page: without cookies, and with the headers that say so. */
  const post = (fields: Record<string, string> | string[][], init: RequestInit = {}) =>
    fetch(`${url}/auth/acme/callback`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams(fields),
      ...init,
      headers: { origin: 'https://appleid.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', ...init.headers }
    })
  return { url, logs, acme, browser, begin, post }
}

t.test('Apple-like: an authorization response in a form becomes the callback, which connects', async t => {
  const { url, acme, browser, begin, post } = await startFormPost(t)
  const state = await begin()
  const forwarded = await post({ state, code: 'c', 'team id': 'T&1', id_token: 'a.b.c', user: '{"name":{"firstName":"Ada"}}' })
  t.equal(forwarded.status, 303)
  t.strictSame(forwarded.headers.getSetCookie(), [])
  const location = new URL(forwarded.headers.get('location') ?? '')
  t.equal(location.origin + location.pathname, `${url}/auth/acme/callback`)
  t.strictSame(Object.fromEntries(location.searchParams), { state, code: 'c', 'team id': 'T&1' }, 'and nothing else')
  t.equal(acme.seen.token.length, 0, 'nothing is proven by the form')

  const response = await browser.request(location.href)
  t.strictSame([response.status, response.headers.get('location')], [303, '/'])
  t.match(await (await browser.fetch(`${url}/connections`)).json(), { connections: [{ provider: 'acme', status: 'connected' }] })
})

t.test('an error in a form reaches the page that began the sign-in', async t => {
  const { browser, begin, post } = await startFormPost(t)
  const forwarded = await post({ state: await begin(), error: 'access_denied' })
  assertConnectError(t, await browser.request(forwarded.headers.get('location') ?? ''), 'access_denied')
})

t.test('SEC-64, SEC-1: a form alone connects nothing', async t => {
  const { acme, begin, post, url } = await startFormPost(t)
  const state = await begin()
  const another = new Browser()
  for (const fields of [{ state, code: 'c' }, { state: 'x'.repeat(32), code: 'c' }, {}]) {
    const location = (await post(fields)).headers.get('location') ?? ''
    t.ok(location.startsWith(`${url}/auth/acme/callback`))
    t.equal((await another.request(location)).headers.get('grantkeeper-error'), 'state_invalid')
  }
  const twice = await post([
    ['state', state],
    ['code', 'c'],
    ['code', 'd']
  ])
  t.equal((await another.request(twice.headers.get('location') ?? '')).headers.get('grantkeeper-error'), 'state_invalid')
  t.equal(acme.seen.token.length, 0)
})

t.test('what is no form, or too long, is refused', async t => {
  const { post } = await startFormPost(t)
  for (const [body, type, status, error] of [
    ['{"code":"c"}', 'application/json', 400, 'header_rejected'],
    ['code=c', 'text/plain', 400, 'header_rejected'],
    [`code=${'c'.repeat(16 * 1024)}`, 'application/x-www-form-urlencoded', 413, 'body_too_large']
  ] as const) {
    const response = await post({}, { body, headers: { 'content-type': type } })
    t.match([response.status, response.headers.get('grantkeeper-error')], [status, error], type)
  }
})

t.test('SEC-64: no other provider takes a POST to its callback, and no other route one from another site', async t => {
  const { url } = await startFormPost(t)
  const post = (path: string) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ code: 'c' }),
      headers: { origin: 'https://appleid.example', 'sec-fetch-site': 'cross-site' }
    })
  for (const path of ['/auth/other/callback', '/auth/nobody/callback']) t.equal((await post(path)).status, 405, path)
  t.equal((await post('/connections/acme/refresh')).status, 403)
  const others = await fetch(`${url}/auth/acme/callback`, { method: 'PUT' })
  t.strictSame([others.status, others.headers.get('allow')], [405, 'GET, POST'])
})
