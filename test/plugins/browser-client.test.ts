import t from 'tap'
import { Browser } from '../support/browser.ts'
import { connected, problem } from '../support/connected.ts'
import { startGateway } from '../support/gateway.ts'

const frontend = 'http://app.example.com'
const environment = { ALLOWED_ORIGINS: frontend }

t.test(
  'the client is a small script that a page on an allowed origin may import, kept for a while and asked for again by its tag',
  async t => {
    const { url } = await startGateway(t, { environment })
    const answer = await fetch(`${url}/client.js`, { headers: { origin: frontend } })
    t.equal(answer.status, 200)
    t.match(Object.fromEntries(answer.headers), {
      'content-type': 'text/javascript; charset=utf-8',
      'access-control-allow-origin': frontend,
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=300',
      vary: /Origin/,
      etag: /^"[0-9a-f]{12}"$/
    })
    const script = await answer.text()
    t.notMatch(script, /\b(import .* from|interface |type [A-Z])/, 'without imports and types')
    const code = script.replace(/^\s*(\/\*\*.*|\*.*|\/\/.*)$/gm, '').replace(/\s+/g, ' ')
    // Blanks and comments gone, names as they are. A minifier makes less than two thirds of it: at most 4 kB are promised.
    t.ok(code.length < 5500, `${code.length} characters`)

    const etag = answer.headers.get('etag') ?? ''
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await fetch(`${url}/client.js`, { headers: { 'if-none-match': known } })
      t.equal(again.status, 304)
      t.equal(await again.text(), '')
    }
    t.equal((await fetch(`${url}/client.js`, { headers: { 'if-none-match': '"other"' } })).status, 200)

    const elsewhere = await fetch(`${url}/client.js`, { headers: { origin: 'http://other.example.com' } })
    t.equal(elsewhere.headers.get('access-control-allow-origin'), null)
  }
)

/** What the end of a popup will say, and to whom. */
async function endOf(gateway: { url: string }, browser: Browser, query: Record<string, string> | string) {
  const answer = await browser.request(`${gateway.url}/popup?${new URLSearchParams(query)}`)
  const text = await answer.text()
  const [, opener, outcome = ''] = /data-opener="([^"]*)" data-outcome="([^"]*)"/.exec(text) ?? []
  return { answer, text, opener, outcome: JSON.parse(outcome.replaceAll('&quot;', '"')) }
}

t.test('the end of a popup says to the opener alone how it went, and to the person as well', async t => {
  const s = await connected(t, { environment })
  const provider = 'productboard'
  const good = await endOf(s.gateway, s.browser, { opener: frontend, provider })
  t.equal(good.answer.status, 200)
  t.equal(good.opener, frontend)
  t.strictSame(good.outcome, { source: 'grantkeeper', provider, status: 'connected' })
  t.match(good.text, /Productboard is connected.*You can close this window/s)

  const kept = await endOf(s.gateway, s.browser, `opener=${frontend}&provider=${provider}&connect_error=access_denied&provider=${provider}`)
  t.strictSame(kept.outcome, { source: 'grantkeeper', provider, status: 'failed', error: 'access_denied' })
  t.match(kept.text, /Productboard stays connected as it was/)

  const stranger = await endOf(s.gateway, new Browser(), { opener: frontend, provider })
  t.match(stranger.outcome, { status: 'failed', error: 'connection_required' }, 'it does not say what is not true')
  t.match(stranger.text, /Productboard was not connected/)
})

t.test('of an address that anybody may have written, nothing is repeated but codes that are known', async t => {
  const gateway = await startGateway(t, { environment: { ...environment, PRODUCTBOARD_CLIENT_ID: 'a', PRODUCTBOARD_CLIENT_SECRET: 'b' } })
  const errorFor = async (code: string) => {
    const { text, outcome } = await endOf(gateway, new Browser(), { opener: frontend, provider: 'productboard', connect_error: code })
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

t.test('an opener that is not one of the allowed origins, to the letter, is refused', async t => {
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
    await problem(
      t,
      await fetch(`${gateway.url}/popup?${new URLSearchParams({ opener, provider: 'productboard' })}`),
      400,
      'return_to_rejected'
    )
  for (const query of ['provider=productboard', `opener=${frontend}&opener=${frontend}&provider=productboard`])
    await problem(t, await fetch(`${gateway.url}/popup?${query}`), 400, 'return_to_rejected')
  await problem(t, await fetch(`${gateway.url}/popup?${new URLSearchParams({ opener: frontend })}`), 404, 'provider_unknown')
})

t.test('nothing that a popup walks through cuts it off from its opener, or lets a script in', async t => {
  const s = await connected(t, { environment })
  const begun = await s.browser.request(`${s.gateway.url}/auth/productboard`)
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const html = { headers: { accept: 'text/html' } }
  const walked = {
    begun,
    callback: await s.browser.request(`${s.gateway.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`),
    error: await s.browser.request(`${s.gateway.url}/auth/productboard/callback?state=unknown`, html),
    key: await s.browser.request(`${s.gateway.url}/connect/productboard`, html),
    unknown: await s.browser.request(`${s.gateway.url}/connect/nobody`, html),
    home: await s.browser.request(s.gateway.url, html),
    popup: (await endOf(s.gateway, s.browser, { opener: frontend, provider: 'productboard' })).answer
  }
  t.same(
    Object.values(walked).map(({ status }) => status),
    [302, 303, 400, 200, 404, 200, 200]
  )
  for (const [step, { headers }] of Object.entries(walked)) {
    t.equal(headers.get('cross-origin-opener-policy'), 'unsafe-none', step)
    t.match(headers.get('content-security-policy'), "script-src 'self';", step)
  }
})
