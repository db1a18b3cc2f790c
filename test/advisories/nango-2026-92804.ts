// Nango, CVE-2026-92804: values of a connection's configuration filled the templates of the provider's token and API URLs, so a user who
// created a connection could make the server send requests into its own network, with the provider's credentials.
//
// Here: an internal URL in every field of a request that could hold one; and the one input of a user that becomes part of a URL, an API key
// that its provider expects in the path.
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

t.test('CVE-2026-92804: no field, parameter or header changes where a request is sent', async t => {
  const [provider, internal] = [await startFakeProvider(t), await startFakeProvider(t, 'INSIDE')]
  const gateway = await startGateway(t, { environment: provider.environment })
  const { host } = new URL(internal.origin)
  const values = [internal.origin, `${host}/?`, `@${host}/#`]
  const names =
    'base_url baseUrl api_url token_url authorize_url revoke_url subdomain hostname connection_config[subdomain] params[hostname]'
  const fields = Object.fromEntries(names.split(' ').map((name, i) => [name, values[i % 3] ?? '']))
  const overrides = 'base-url-override nango-proxy-base-url-override x-forwarded-host x-original-host x-host host'
  const headers = { forwarded: `host=${host}`, ...Object.fromEntries(overrides.split(' ').map(name => [name, host])) }
  const query = new URLSearchParams(fields)

  const browser = new Browser()
  const started = await browser.request(`${gateway.url}/auth/productboard?${query}`, { headers })
  const authorizeUrl = new URL(started.headers.get('location') ?? '')
  t.match(authorizeUrl, { origin: provider.origin, pathname: '/authorize' })
  t.notMatch(authorizeUrl.search, host)
  const callback = new URLSearchParams({ ...fields, code: 'c', state: authorizeUrl.searchParams.get('state') ?? '' })
  t.equal((await browser.request(`${gateway.url}/auth/productboard/callback?${callback}`, { headers })).status, 303)
  t.equal((await browser.fetch(`${gateway.url}/proxy/productboard/x?${query}`, { headers })).status, 200)
  const more = { ...fields, connectionConfig: fields, params: fields }
  t.equal((await pasteKey(gateway, browser, 'productboard', 'key', { more, headers })).status, 201)

  t.same([provider.seen.token.length, provider.seen.api.length], [1, 2])
  t.equal(provider.seen.api.at(-1)?.url, '/base/v2/notes', 'the key is checked at the path of the definition')
  t.same(internal.seen, { token: [], revoke: [], api: [] })
})

/** A provider that expects the key as a path segment, and accepts any. */
async function startWithKeyInPath(t: Test) {
  const provider = await startFakeProvider(t, 'OUTGROW')
  provider.api = (_, r) => json(r, 200, { success: true })
  const gateway = await startGateway(t, { environment: { OUTGROW_API_URL: `${provider.origin}/base` } })
  return { provider, gateway }
}

t.test('CVE-2026-92804: a key in the path is always one segment', async t => {
  const { provider, gateway } = await startWithKeyInPath(t)
  const browser = new Browser()
  const keys = ['good-key', '@evil.example/', 'http://169.254.169.254/', '?x=', '#', 'a/b', ';x', '{subdomain}']
  for (const key of keys) {
    t.equal((await pasteKey(gateway, browser, 'outgrow', key)).status, 201)
    t.equal((await browser.fetch(`${gateway.url}/proxy/outgrow/get_cal/x?y=1`)).status, 200)
    const [check, proxied] = provider.seen.api.splice(0)
    t.equal(check?.url, `/base/get_cal/${encodeURIComponent(key)}`)
    t.equal(proxied?.url, `/base/get_cal/${encodeURIComponent(key)}/x?y=1`)
  }
})

// The path of a client is guarded against dot segments, and so is the path with the key in it.
t.test('CVE-2026-92804: a key that would traverse the path is rejected', async t => {
  const { provider, gateway } = await startWithKeyInPath(t)
  for (const key of ['.', '..', '../../admin', '%2e%2e', '..\\..\\admin', '..;'])
    await assertProblem(t, await pasteKey(gateway, new Browser(), 'outgrow', key), 400, 'api_key_malformed')
  t.equal(provider.seen.api.length, 0)
})
