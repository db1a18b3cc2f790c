import t from 'tap'
import { Browser } from '../support/browser.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

/** Those that have data of their own in the sandbox. `test/contract` connects every provider. */
const paths: Record<string, string> = {
  productboard: '/v2/notes',
  'process-street': '/workflows',
  outgrow: '/get_leads/1',
  ignition: '/reporting/clients'
}

t.test('a user connects providers, and a frontend calls them', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const browser = new Browser()
  for (const [provider, path] of Object.entries(paths)) {
    const end = await browser.connect(gateway.url, provider, { returnTo: '/?done=1' })
    t.equal(end.url, `${gateway.url}/?done=1`, `${provider}: back at return_to`)
    t.match(end.text, /Connected/)
    const response = await browser.fetch(`${gateway.url}/proxy/${provider}${path}`)
    t.equal(response.status, 200, `${provider}: response of the provider`)
    t.type(await response.json(), 'object')
  }
  const list = await browser.fetch(`${gateway.url}/connections`)
  const { connections } = (await list.json()) as { connections: { provider: string; status: string }[] }
  const connected = connections.filter(({ status }) => status === 'connected')
  t.same(connected.map(({ provider }) => provider).toSorted(), Object.keys(paths).toSorted())
})

t.test('a request after token expiry succeeds with one renewal', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const browser = new Browser()
  for (const [provider, path] of Object.entries(paths)) {
    const vendor = sandbox.vendor(provider)
    await browser.connect(gateway.url, provider)
    vendor.expireAccessTokens()
    const response = await browser.fetch(`${gateway.url}/proxy/${provider}${path}`)
    t.equal(response.status, 200, provider)
    t.match(vendor.counts, { tokenRequests: { refresh_token: 1 } }, `${provider}: one renewal`)
  }
})
