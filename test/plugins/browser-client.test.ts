import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { startGateway } from '../support/gateway.ts'

const frontend = 'http://app.example.com'
const environment = { ALLOWED_ORIGINS: frontend }

t.test('the client is a small script for allowed origins, cached and revalidated by ETag', async t => {
  const { url } = await startGateway(t, { environment })
  const response = await fetch(`${url}/client.js`, { headers: { origin: frontend } })
  t.equal(response.status, 200)
  t.match(Object.fromEntries(response.headers), {
    'content-type': 'text/javascript; charset=utf-8',
    'access-control-allow-origin': frontend,
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': 'public, max-age=300',
    vary: /Origin/,
    etag: /^"[0-9a-f]{12}"$/
  })
  const script = await response.text()
  t.notMatch(script, /\b(import .* from|interface |type [A-Z])/, 'without imports and types')
  t.match(script, 'import.meta.url', 'createClient() without a gateway means the one that served it')

  const etag = response.headers.get('etag') ?? ''
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
    const again = await fetch(`${url}/client.js`, { headers: { 'if-none-match': known } })
    t.equal(again.status, 304)
    t.equal(await again.text(), '')
  }
  t.equal((await fetch(`${url}/client.js`, { headers: { 'if-none-match': '"other"' } })).status, 200)

  const otherOrigin = await fetch(`${url}/client.js`, { headers: { origin: 'http://other.example.com' } })
  t.equal(otherOrigin.headers.get('access-control-allow-origin'), null)
})

/** The last page of a popup: its message and the message's target origin. */
async function popupEnd(gateway: { url: string }, browser: Browser, query: Record<string, string> | string) {
  const response = await browser.request(`${gateway.url}/popup?${new URLSearchParams(query)}`)
  const text = await response.text()
  const [, opener, outcome = ''] = /data-opener="([^"]*)" data-outcome="([^"]*)"/.exec(text) ?? []
  return { response, text, opener, outcome: JSON.parse(outcome.replaceAll('&quot;', '"')) }
}

t.test('the popup tells its outcome to the opener alone, and shows it', async t => {
  const s = await startConnected(t, { environment })
  const provider = 'productboard'
  const succeeded = await popupEnd(s.gateway, s.browser, { opener: frontend, provider })
  t.equal(succeeded.response.status, 200)
  t.equal(succeeded.opener, frontend)
  t.strictSame(succeeded.outcome, { source: 'grantkeeper', provider, status: 'connected' })
  t.match(succeeded.text, /Productboard is connected.*You can close this window/s)

  const failed = await popupEnd(
    s.gateway,
    s.browser,
    `opener=${frontend}&provider=${provider}&connect_error=access_denied&provider=${provider}`
  )
  t.strictSame(failed.outcome, { source: 'grantkeeper', provider, status: 'failed', error: 'access_denied' })
  t.match(failed.text, /Productboard stays connected as it was/)

  const otherBrowser = await popupEnd(s.gateway, new Browser(), { opener: frontend, provider })
  t.match(otherBrowser.outcome, { status: 'failed', error: 'connection_required' }, 'the session decides, not the URL')
  t.match(otherBrowser.text, /Productboard was not connected/)
})

t.test('the popup repeats only known error codes of its query', async t => {
  const gateway = await startGateway(t, { environment: { ...environment, PRODUCTBOARD_CLIENT_ID: 'a', PRODUCTBOARD_CLIENT_SECRET: 'b' } })
  const errorFor = async (code: string) => {
    const { text, outcome } = await popupEnd(gateway, new Browser(), { opener: frontend, provider: 'productboard', connect_error: code })
    return { error: outcome.error, text }
  }
  for (const code of ['access_denied', 'invalid_grant', 'provider_error', 'return_to_rejected', 'api_key_rejected'])
    t.equal((await errorFor(code)).error, code)
  for (const code of ['canary', 'canary"><script>', '__proto__', 'toString', '']) {
    const { error, text } = await errorFor(code)
    t.equal(error, 'provider_error', code)
    t.notMatch(text, /canary/)
  }
})

t.test('the popup rejects an opener that is not exactly an allowed origin', async t => {
  const gateway = await startGateway(t, { environment: { ...environment, PRODUCTBOARD_CLIENT_ID: 'a', PRODUCTBOARD_CLIENT_SECRET: 'b' } })
  for (const opener of [
    '*',
    '/',
    'null',
    '',
    `${frontend}/`,
    `${frontend}.evil.example`,
    'http://other.example.com',
    'https://app.example.com',
    'HTTP://APP.EXAMPLE.COM'
  ])
    await assertProblem(
      t,
      await fetch(`${gateway.url}/popup?${new URLSearchParams({ opener, provider: 'productboard' })}`),
      400,
      'return_to_rejected'
    )
  for (const query of ['provider=productboard', `opener=${frontend}&opener=${frontend}&provider=productboard`])
    await assertProblem(t, await fetch(`${gateway.url}/popup?${query}`), 400, 'return_to_rejected')
  await assertProblem(t, await fetch(`${gateway.url}/popup?${new URLSearchParams({ opener: frontend })}`), 404, 'provider_unknown')
})

t.test('no page of a popup cuts off its opener or allows foreign scripts', async t => {
  const s = await startConnected(t, { environment })
  const started = await s.browser.request(`${s.gateway.url}/auth/productboard`)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const html = { headers: { accept: 'text/html' } }
  const responses = {
    started,
    callback: await s.browser.request(`${s.gateway.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`),
    error: await s.browser.request(`${s.gateway.url}/auth/productboard/callback?state=unknown`, html),
    key: await s.browser.request(`${s.gateway.url}/connect/productboard`, html),
    unknown: await s.browser.request(`${s.gateway.url}/connect/nobody`, html),
    home: await s.browser.request(s.gateway.url, html),
    popup: (await popupEnd(s.gateway, s.browser, { opener: frontend, provider: 'productboard' })).response
  }
  t.same(
    Object.values(responses).map(({ status }) => status),
    [302, 303, 400, 200, 404, 200, 200]
  )
  for (const [step, { headers }] of Object.entries(responses)) {
    t.equal(headers.get('cross-origin-opener-policy'), 'unsafe-none', step)
    t.match(headers.get('content-security-policy'), "script-src 'self';", step)
  }
})
