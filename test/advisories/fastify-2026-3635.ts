// fastify, CVE-2026-3635: with `trustProxy` set to some addresses, the protocol and host were still read from any client's `X-Forwarded-*`
// headers, so a client that reached the server directly could choose both.
//
// Here: a client that is not the trusted load balancer claims an IP address, a host and a protocol.
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway, TestClock } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

const forwardedHeaders = (address: string) => ({
  'x-forwarded-for': address,
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  forwarded: `for=${address};host=evil.example;proto=https`
})

/**
 * Pastes fifteen invalid keys, the limit of a network per minute, and one more. Each claims another client address.
 * @returns the last response, and the number of requests to the provider
 */
async function pasteInvalidKeys(t: Test, trustProxy: string) {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  provider.api = (_, r) => void r.writeHead(401).end()
  const environment = { TRUST_PROXY: trustProxy, PROCESS_STREET_API_URL: provider.origin }
  const gateway = await startGateway(t, { clock: new TestClock(), environment })
  const paste = (i: number) => pasteKey(gateway, new Browser(), 'process-street', 'wrong', { headers: forwardedHeaders(`198.51.100.${i}`) })
  const statuses = new Set<number>()
  for (let i = 0; i < 15; i++) statuses.add((await paste(i)).status)
  t.same(statuses, new Set([422]))
  return { last: await paste(15), checks: provider.seen.api.length }
}

t.test('CVE-2026-3635: an untrusted client is counted under its own IP address', async t => {
  const direct = await pasteInvalidKeys(t, '10.0.0.1')
  await assertProblem(t, direct.last, 429, 'rate_limited')
  t.equal(direct.checks, 15)
  const throughLoadBalancer = await pasteInvalidKeys(t, '127.0.0.1')
  t.equal(throughLoadBalancer.last.status, 422, 'a trusted load balancer is believed')
  t.equal(throughLoadBalancer.checks, 16)
})

t.test('CVE-2026-3635: a claimed host or protocol changes no URL, cookie or origin', async t => {
  const provider = await startFakeProvider(t)
  for (const trustProxy of ['10.0.0.1', '127.0.0.1']) {
    const gateway = await startGateway(t, { environment: { ...provider.environment, TRUST_PROXY: trustProxy } })
    const [browser, headers] = [new Browser(), forwardedHeaders('198.51.100.1')]
    const started = await browser.request(`${gateway.url}/auth/productboard`, { headers })
    const authorizeUrl = new URL(started.headers.get('location') ?? '')
    t.equal(authorizeUrl.searchParams.get('redirect_uri'), `${gateway.url}/auth/productboard/callback`)
    for (const cookie of started.headers.getSetCookie()) t.notMatch(cookie, /secure|__Host-|evil/i)
    const request = (extra: object) => browser.fetch(`${gateway.url}/proxy/productboard/x`, { headers: { ...headers, ...extra } })
    await assertProblem(t, await request({ origin: 'https://evil.example' }), 403, 'csrf_rejected')
    const { connectUrl } = await assertProblem(t, await request({}), 401, 'connection_required')
    t.equal(connectUrl, `${gateway.url}/connect/productboard`)
  }
  t.equal(provider.seen.api.length, 0)
})
