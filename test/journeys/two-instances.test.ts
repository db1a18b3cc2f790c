import t, { type Test } from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, startTestSandbox } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'

/** Two instances that share Redis, their keys and a public URL, which is that of `one`. */
async function startTwo(t: Test) {
  const redis = await startRedis(t)
  const port = await freePort()
  const sandbox = await startTestSandbox(t, [port])
  const environment = { REDIS_URL: redis.url, SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), PUBLIC_URL: `http://localhost:${port}` }
  const one = await startGateway(t, { port, sandbox, environment })
  const two = await startGateway(t, { sandbox, environment })
  return { one, two, sandbox }
}

t.test('SEC-13: fifty concurrent 401s on two instances cause one refresh', async t => {
  const { one, two, sandbox } = await startTwo(t)
  const vendor = sandbox.vendor('productboard')
  const browser = new Browser()
  await browser.connect(one.url, 'productboard')

  for (let expiry = 1; expiry <= 3; expiry++) {
    vendor.expireAccessTokens()
    const responses = Array.from({ length: 50 }, (_, i) => browser.fetch(`${[one, two][i % 2]?.url}/proxy/productboard/v2/notes`))
    t.same(new Set((await Promise.all(responses)).map(({ status }) => status)), new Set([200]))
    t.match(vendor.counts, { tokenRequests: { refresh_token: expiry }, reuses: 0 })
  }
})

t.test('a sign-in may span two instances, and a sign-out applies to both', async t => {
  const { one, two } = await startTwo(t)
  const browser = new Browser()
  // Started on the second instance. The provider redirects to the public URL, which is the first.
  const end = await browser.connect(two.url, 'ignition')
  t.equal(end.url, `${one.url}/`)
  for (const { url } of [one, two]) t.equal((await browser.fetch(`${url}/proxy/ignition/reporting/clients`)).status, 200)
  const copy = browser.copy()
  await browser.fetch(`${two.url}/logout`, { method: 'POST' })
  // The first instance learns of it through Redis, so its first requests may pass.
  const statusOf = async ({ url }: { url: string }) => (await copy.fetch(`${url}/proxy/ignition/reporting/clients`)).status
  await eventually('the first instance refuses', async () => (await statusOf(one)) === 401)
  for (const instance of [one, two]) t.equal(await statusOf(instance), 401)
})
