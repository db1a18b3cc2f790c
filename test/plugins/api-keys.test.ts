import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway, TestClock } from '../support/gateway.ts'

/** A gateway with one provider that accepts keys only. */
async function setUp(t: Test, prefix = 'PROCESS_STREET') {
  const provider = await startFakeProvider(t, prefix)
  const clock = new TestClock()
  const gateway = await startGateway(t, { clock, environment: { [`${prefix}_API_URL`]: `${provider.origin}/base` } })
  const browser = new Browser()
  const name = prefix.toLowerCase().replace('_', '-')
  const paste = (apiKey: unknown, init: RequestInit = {}) =>
    browser.fetch(`${gateway.url}/connections/${name}`, {
      method: 'POST',
      body: JSON.stringify({ apiKey }),
      headers: { 'content-type': 'application/json' },
      ...init
    })
  const request = (path = '/x') => browser.fetch(`${gateway.url}/proxy/${name}${path}`)
  return { provider, gateway, clock, browser, paste, request }
}

const acceptGoodKey: FakeProvider['api'] = ({ headers, url }, r) =>
  headers['x-api-key'] === 'good-key' ? json(r, 200, { apiKeyLabel: 'Fernhill', url }) : json(r, 401, { message: 'no' })

t.test('SEC-39: an accepted key makes a connection, and the proxy attaches it', async t => {
  const s = await setUp(t)
  s.provider.api = acceptGoodKey
  const response = await s.paste('  good-key\n')
  t.equal(response.status, 201)
  const body = await response.text()
  t.match(JSON.parse(body), {
    provider: 'process-street',
    status: 'connected',
    method: 'api_key',
    methods: ['api_key'],
    connectUrl: `${s.gateway.url}/connect/process-street`
  })
  t.equal((await s.request('/workflows?a=%20b')).status, 200)
  t.match(s.provider.seen.api.at(-1), { url: '/base/workflows?a=%20b', headers: { 'x-api-key': 'good-key' } })
  t.notMatch(body + s.gateway.logs.join(''), /good-key/)
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/process-street`, { method: 'DELETE' })).status, 204)
  t.equal((await s.request()).status, 401)
})

t.test('SEC-39: a key that is refused or cannot be checked changes nothing', async t => {
  const s = await setUp(t)
  s.provider.api = acceptGoodKey
  const refused = await assertProblem(t, await s.paste('bad-key'), 422, 'api_key_rejected')
  t.match(refused.detail, /Process Street does not accept this key/)
  t.equal(s.browser.cookies.size, 0, 'no session is started')
  await s.paste('good-key')
  await assertProblem(t, await s.paste('bad-key'), 422, 'api_key_rejected')
  s.provider.api = (_, r) => json(r, 503, {})
  await assertProblem(t, await s.paste('other-key'), 502, 'provider_unavailable')
  s.provider.api = (_, r) => void r.destroy()
  await assertProblem(t, await s.paste('other-key'), 502, 'provider_unavailable')
  s.provider.api = acceptGoodKey
  t.equal((await s.request()).status, 200, 'the first key still works')
})

t.test('a rate-limited key check passes on Retry-After and stores nothing', async t => {
  const s = await setUp(t)
  s.provider.api = (_, r) => json(r, 429, {}, { 'retry-after': '17' })
  const response = await s.paste('good-key')
  t.equal(response.headers.get('retry-after'), '17')
  t.match(await assertProblem(t, response, 502, 'provider_unavailable'), { retryAfter: 17, detail: /Nothing was stored/ })
  t.equal(s.browser.cookies.size, 0)
})

t.test('SEC-39: text copied along with a key is removed', async t => {
  const s = await setUp(t)
  s.provider.api = acceptGoodKey
  t.equal((await s.paste('“X-API-KEY: good\u200b-key”,')).status, 201)
  t.equal(s.provider.seen.api.at(-1)?.headers['x-api-key'], 'good-key')
})

t.test('SEC-39: the error for a key without permission says so', async t => {
  const s = await setUp(t)
  s.provider.api = (_, r) => json(r, 403, {})
  t.match(await assertProblem(t, await s.paste('good-key'), 422, 'api_key_rejected'), { detail: /knows this key.*permission/ })
})

t.test('SEC-39: a malformed key or body is refused without a request to the provider', async t => {
  const s = await setUp(t)
  t.match(await assertProblem(t, await s.paste('good••••key'), 400, 'api_key_malformed'), { detail: /shortened or hidden/ })
  for (const apiKey of [undefined, '', 'a b', 'a\nb', 7]) await assertProblem(t, await s.paste(apiKey), 400, 'api_key_malformed')
  await assertProblem(t, await s.paste('x', { body: '"good-key"' }), 400, 'api_key_malformed')
  await assertProblem(t, await s.paste('x', { body: '{"apiKey":' }), 400, 'request_malformed')
  await assertProblem(t, await s.paste('x', { body: JSON.stringify({ apiKey: 'x'.repeat(20_000) }) }), 413, 'body_too_large')
  await assertProblem(
    t,
    await s.paste('good-key', { headers: { 'content-type': 'application/json', 'x-csrf': '0' } }),
    403,
    'csrf_rejected'
  )
  t.equal(s.provider.seen.api.length, 0)
})

t.test('a key that the provider refuses later has to be replaced', async t => {
  const s = await setUp(t)
  s.provider.api = acceptGoodKey
  await s.paste('good-key')
  s.provider.api = (_, r) => json(r, 401, { message: 'revoked' })
  t.same(await (await s.request()).json(), { message: 'revoked' }, 'the first 401 is the provider’s own')
  const ended = await assertProblem(t, await s.request(), 401, 'reconnect_required')
  t.equal(ended.connectUrl, `${s.gateway.url}/connect/process-street`)
  const requests = s.provider.seen.api.length
  await assertProblem(t, await s.request(), 401, 'reconnect_required')
  t.equal(s.provider.seen.api.length, requests, 'no further request is sent to the provider')
  s.provider.api = acceptGoodKey
  t.equal((await s.paste('good-key')).status, 201)
  t.equal((await s.request()).status, 200)
})

const acceptCanaryKey: FakeProvider['api'] = ({ url }, r) =>
  json(r, 200, { success: url === '/base/get_cal/canary-key', url: url.replace('canary-key', '') })

t.test('a check response of 200 that reports a failure refuses the key', async t => {
  const s = await setUp(t, 'OUTGROW')
  s.provider.api = acceptCanaryKey
  await assertProblem(t, await s.paste('wrong-key'), 422, 'api_key_rejected')
})

t.test('a key sent in the path appears in no log and no response', async t => {
  const s = await setUp(t, 'OUTGROW')
  s.provider.api = acceptCanaryKey
  const connected = await s.paste('canary-key')
  t.equal(connected.status, 201)
  t.equal((await s.request('/get_cal')).status, 200)
  t.equal(s.provider.seen.api.at(-1)?.url, '/base/get_cal/canary-key')
  s.provider.api = (_, r) => void r.writeHead(302, { location: '/base/get_cal/canary-key/next' }).end()
  t.notMatch(JSON.stringify([...(await s.request('/get_cal')).headers]), /canary-key/)
  t.notMatch((await connected.text()) + s.gateway.logs.join(''), /canary-key/)
})

t.test('SEC-19: a pasted key rotates the session and keeps its other connections', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: { ...provider.environment, PROCESS_STREET_API_URL: `${provider.origin}/base` } })
  const browser = new Browser()
  await signIn(gateway, browser)
  const old = browser.copy()
  provider.api = (_, r) => json(r, 200, {})
  const body = JSON.stringify({ apiKey: 'key' })
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } }
  t.equal((await browser.fetch(`${gateway.url}/connections/process-street`, init)).status, 201)
  for (const name of ['productboard', 'process-street']) t.equal((await browser.fetch(`${gateway.url}/proxy/${name}/x`)).status, 200)
  t.equal((await old.fetch(`${gateway.url}/proxy/productboard/x`)).status, 401, 'the old cookie is invalid')
})

t.test('an API key for a provider without API keys is refused with 405', async t => {
  const provider = await startFakeProvider(t, 'IGNITION')
  const gateway = await startGateway(t, { environment: provider.environment })
  const init = { method: 'POST', body: '{"apiKey":"x"}', headers: { 'content-type': 'application/json' } }
  await assertProblem(t, await new Browser().fetch(`${gateway.url}/connections/ignition`, init), 405, 'method_not_allowed')
  await assertProblem(t, await new Browser().fetch(`${gateway.url}/connections/nobody`, init), 404, 'provider_unknown')
})

t.test('SEC-36: fifteen wrong keys a minute are checked, and malformed ones do not count', async t => {
  const s = await setUp(t)
  s.provider.api = acceptGoodKey
  for (let i = 0; i < 15; i++) t.equal((await s.paste('bad-key')).status, 422)
  for (let i = 0; i < 5; i++) await assertProblem(t, await s.paste('a b'), 400, 'api_key_malformed')
  const limited = await assertProblem(t, await s.paste('good-key'), 429, 'rate_limited')
  t.ok(limited.retryAfter && limited.retryAfter <= 60)
  t.equal(s.provider.seen.api.length, 15)
  s.clock.advance(60_000)
  t.equal((await s.paste('good-key')).status, 201)
})
