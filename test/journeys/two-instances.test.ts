import t from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, startTestSandbox } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'

t.test('SEC-13: fifty concurrent 401s on two instances cause one refresh, and the strict provider keeps the grant', async t => {
  const redis = await startRedis(t)
  const port = await freePort()
  const sandbox = await startTestSandbox(t, [port])
  const environment = { REDIS_URL: redis.url, SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), PUBLIC_URL: `http://localhost:${port}` }
  const one = await startGateway(t, { port, sandbox, environment })
  const two = await startGateway(t, { sandbox, environment })
  const vendor = sandbox.vendor('productboard')
  const browser = new Browser()
  await browser.connect(one.url, 'productboard')

  for (let expiry = 1; expiry <= 3; expiry++) {
    vendor.expireAccessTokens()
    const calls = Array.from({ length: 50 }, (_, i) => browser.fetch(`${[one, two][i % 2]?.url}/proxy/productboard/v2/notes`))
    t.same(new Set((await Promise.all(calls)).map(r => r.status)), new Set([200]))
    t.match(vendor.counts, { tokenRequests: { refresh_token: expiry }, reuses: 0 })
  }
})

t.test('a sign-in that begins on one instance ends on the other, and a sign-out on one counts on both', async t => {
  const redis = await startRedis(t)
  const port = await freePort()
  const sandbox = await startTestSandbox(t, [port])
  const environment = { REDIS_URL: redis.url, SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), PUBLIC_URL: `http://localhost:${port}` }
  const one = await startGateway(t, { port, sandbox, environment })
  const two = await startGateway(t, { sandbox, environment })
  const browser = new Browser()
  // Begun on the second; the provider sends the browser back to the public address, which is the first.
  const end = await browser.connect(two.url, 'ignition')
  t.equal(end.url, `${one.url}/`)
  for (const { url } of [one, two]) t.equal((await browser.fetch(`${url}/proxy/ignition/reporting/clients`)).status, 200)
  const copy = browser.copy()
  await browser.fetch(`${two.url}/logout`, { method: 'POST' })
  // The word goes by Redis; a call that is faster than it may pass.
  const statusOf = async ({ url }: { url: string }) => (await copy.fetch(`${url}/proxy/ignition/reporting/clients`)).status
  await eventually('the first has heard of it', async () => (await statusOf(one)) === 401)
  for (const instance of [one, two]) t.equal(await statusOf(instance), 401)
})
