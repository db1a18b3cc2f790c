// fastify, CVE-2026-3635: with `trustProxy` set to some addresses, the protocol and host were still read from the `X-Forwarded-*`
// headers of anybody, so a client that reached the server directly could choose both.
//
// Here: a client that is not the trusted balancer says by which address, host and protocol it came.
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { problem } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway, TestClock } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'

const claims = (address: string) => ({
  'x-forwarded-for': address,
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  forwarded: `for=${address};host=evil.example;proto=https`
})

/** The answers to fifteen wrong keys, which are all that a network has in a minute, and to one more, each from another client if the headers were believed. */
async function tries(t: Test, trustProxy: string) {
  const provider = await startFakeProvider(t, 'PROCESS_STREET')
  provider.api = (_, r) => void r.writeHead(401).end()
  const environment = { TRUST_PROXY: trustProxy, PROCESS_STREET_API_URL: provider.origin }
  const gateway = await startGateway(t, { clock: new TestClock(), environment })
  const paste = (i: number) => pasteKey(gateway, new Browser(), 'process-street', 'wrong', { headers: claims(`198.51.100.${i}`) })
  const statuses = new Set<number>()
  for (let i = 0; i < 15; i++) statuses.add((await paste(i)).status)
  t.same(statuses, new Set([422]))
  return { last: await paste(15), asked: provider.seen.api.length }
}

t.test('CVE-2026-3635: a client that is no trusted proxy is counted by its own address, whatever it says', async t => {
  const direct = await tries(t, '10.0.0.1')
  await problem(t, direct.last, 429, 'rate_limited')
  t.equal(direct.asked, 15)
  const throughBalancer = await tries(t, '127.0.0.1')
  t.equal(throughBalancer.last.status, 422, 'the word of a trusted one counts')
  t.equal(throughBalancer.asked, 16)
})

t.test('CVE-2026-3635: nor do the host and protocol that it claims decide an address, a cookie or an origin', async t => {
  const provider = await startFakeProvider(t)
  for (const trustProxy of ['10.0.0.1', '127.0.0.1']) {
    const gateway = await startGateway(t, { environment: { ...provider.environment, TRUST_PROXY: trustProxy } })
    const [browser, headers] = [new Browser(), claims('198.51.100.1')]
    const started = await browser.request(`${gateway.url}/auth/productboard`, { headers })
    const asked = new URL(started.headers.get('location') ?? '')
    t.equal(asked.searchParams.get('redirect_uri'), `${gateway.url}/auth/productboard/callback`)
    for (const cookie of started.headers.getSetCookie()) t.notMatch(cookie, /secure|__Host-|evil/i)
    const call = (more: object) => browser.fetch(`${gateway.url}/proxy/productboard/x`, { headers: { ...headers, ...more } })
    await problem(t, await call({ origin: 'https://evil.example' }), 403, 'csrf_rejected')
    const { connectUrl } = await problem(t, await call({}), 401, 'connection_required')
    t.equal(connectUrl, `${gateway.url}/auth/productboard`)
  }
  t.equal(provider.seen.api.length, 0)
})
