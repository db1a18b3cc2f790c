// Nango, CVE-2026-92804: values of a connection's configuration were put into the templates of the provider's token and API addresses,
// so whoever made a connection could have the server call addresses inside its network, with the provider's credentials.
//
// Here: an address inside, wherever a request can say one; and the one thing of a person that does become part of an address, an API
// key that its provider wants in the path.
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { problem } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

t.test('CVE-2026-92804: no field, parameter or header of a request moves the address of a call', async t => {
  const [provider, inside] = [await startFakeProvider(t), await startFakeProvider(t, 'INSIDE')]
  const gateway = await startGateway(t, { environment: provider.environment })
  const { host } = new URL(inside.origin)
  const values = [inside.origin, `${host}/?`, `@${host}/#`]
  const names =
    'base_url baseUrl api_url token_url authorize_url revoke_url subdomain hostname connection_config[subdomain] params[hostname]'
  const fields = Object.fromEntries(names.split(' ').map((name, i) => [name, values[i % 3] ?? '']))
  const overrides = 'base-url-override nango-proxy-base-url-override x-forwarded-host x-original-host x-host host'
  const headers = { forwarded: `host=${host}`, ...Object.fromEntries(overrides.split(' ').map(name => [name, host])) }
  const query = new URLSearchParams(fields)

  const browser = new Browser()
  const begun = await browser.request(`${gateway.url}/auth/productboard?${query}`, { headers })
  const asked = new URL(begun.headers.get('location') ?? '')
  t.match(asked, { origin: provider.origin, pathname: '/authorize' })
  t.notMatch(asked.search, host)
  const back = new URLSearchParams({ ...fields, code: 'c', state: asked.searchParams.get('state') ?? '' })
  t.equal((await browser.request(`${gateway.url}/auth/productboard/callback?${back}`, { headers })).status, 303)
  t.equal((await browser.fetch(`${gateway.url}/proxy/productboard/x?${query}`, { headers })).status, 200)
  const more = { ...fields, connectionConfig: fields, params: fields }
  t.equal((await pasteKey(gateway, browser, 'productboard', 'key', { more, headers })).status, 201)

  t.same([provider.seen.token.length, provider.seen.api.length], [1, 2])
  t.equal(provider.seen.api.at(-1)?.url, '/base/v2/notes', 'the key is checked where the definition says')
  t.same(inside.seen, { token: [], revoke: [], api: [] })
})

/** A provider that wants the key as a segment of the path, and says yes to any. */
async function keyInPath(t: Test) {
  const provider = await startFakeProvider(t, 'OUTGROW')
  provider.api = (_, r) => json(r, 200, { success: true })
  const gateway = await startGateway(t, { environment: { OUTGROW_API_URL: `${provider.origin}/base` } })
  return { provider, gateway }
}

t.test('CVE-2026-92804: a key that becomes a segment of the path is one segment, whatever it holds', async t => {
  const { provider, gateway } = await keyInPath(t)
  const browser = new Browser()
  const keys = ['good-key', '@evil.example/', 'http://169.254.169.254/', '?x=', '#', 'a/b', ';x', '{subdomain}']
  for (const key of keys) {
    t.equal((await pasteKey(gateway, browser, 'outgrow', key)).status, 201)
    t.equal((await browser.fetch(`${gateway.url}/proxy/outgrow/get_cal/x?y=1`)).status, 200)
    const [checked, called] = provider.seen.api.splice(0)
    t.equal(checked?.url, `/base/get_cal/${encodeURIComponent(key)}`)
    t.equal(called?.url, `/base/get_cal/${encodeURIComponent(key)}/x?y=1`)
  }
})

// The path that a client sends is guarded against dot segments; what a key makes of it is as well.
t.test('CVE-2026-92804: a key that would climb in the path is no key', async t => {
  const { provider, gateway } = await keyInPath(t)
  for (const key of ['.', '..', '../../admin', '%2e%2e', '..\\..\\admin', '..;'])
    await problem(t, await pasteKey(gateway, new Browser(), 'outgrow', key), 400, 'api_key_malformed')
  t.equal(provider.seen.api.length, 0)
})
