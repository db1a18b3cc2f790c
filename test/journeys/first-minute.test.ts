import t from 'tap'
import { Browser } from '../support/browser.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const firstCall: Record<string, string> = {
  productboard: '/v2/notes',
  'process-street': '/workflows',
  outgrow: '/get_leads/1',
  ignition: '/reporting/clients'
}

t.test('a person connects each of the four providers, and a frontend calls them', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const browser = new Browser()
  for (const [provider, path] of Object.entries(firstCall)) {
    const end = await browser.connect(gateway.url, provider, { returnTo: '/?done=1' })
    t.equal(end.url, `${gateway.url}/?done=1`, `${provider}: back where it began`)
    t.match(end.text, /Connected/)
    const answer = await browser.fetch(`${gateway.url}/proxy/${provider}${path}`)
    t.equal(answer.status, 200, `${provider} answers`)
    t.type(await answer.json(), 'object')
  }
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: { status: string }[] }
  t.same(
    connections.map(c => c.status),
    ['connected', 'connected', 'connected', 'connected']
  )
})

t.test('after the token has expired the next call answers too, with one renewal', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const browser = new Browser()
  for (const [provider, path] of Object.entries(firstCall)) {
    const vendor = sandbox.vendor(provider)
    await browser.connect(gateway.url, provider)
    vendor.expireAccessTokens()
    const answer = await browser.fetch(`${gateway.url}/proxy/${provider}${path}`)
    t.equal(answer.status, 200, provider)
    t.match(vendor.counts, { tokenRequests: { refresh_token: 1 } }, `${provider}: one renewal`)
  }
})
