// @fastify/reply-from, CVE-2026-107318: the upstream's certificate was not verified by default, so a man in the middle could pose as the https
// upstream and read the forwarded requests.
//
// Here: an impostor serves TLS at the URLs of the API and of the token endpoint. No credential, code or key may reach it.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { assertConnectError, assertProblem, signIn, startConnected } from '../support/connected.ts'
import { pasteKey } from '../support/paste-key.ts'

/** Serves TLS on localhost with a certificate for `name`. */
async function startImpostor(t: Test, name: string) {
  const { key, cert } = await selfSignedCertificate(t, name)
  const seen: string[] = []
  const server = createServer({ key, cert }, ({ url = '' }, response) => {
    seen.push(url)
    response.end('{}')
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return { origin: `https://localhost:${(server.address() as AddressInfo).port}`, cert: cert.toString(), seen }
}

function trust(t: Test, ...certificates: string[]): void {
  const defaults = tls.getCACertificates()
  tls.setDefaultCACertificates([...defaults, ...certificates])
  t.teardown(() => tls.setDefaultCACertificates(defaults))
}

t.test('CVE-2026-107318: an API with an untrusted or misnamed certificate gets no request', async t => {
  const untrusted = await startImpostor(t, 'localhost')
  const misnamed = await startImpostor(t, 'elsewhere.example')
  trust(t, misnamed.cert)
  const environment = { PRODUCTBOARD_API_URL: untrusted.origin, PROCESS_STREET_API_URL: misnamed.origin }
  const { gateway, browser, proxy } = await startConnected(t, { environment })
  const upload = { method: 'POST', body: 'canary' }
  await assertProblem(t, await browser.fetch(`${proxy}/x`, upload), 502, 'provider_unavailable')
  await assertProblem(t, await pasteKey(gateway, browser, 'process-street', 'key-canary'), 502, 'provider_unavailable')
  t.same([untrusted.seen, misnamed.seen], [[], []])

  trust(t, untrusted.cert)
  t.equal((await browser.fetch(`${proxy}/x`, upload)).status, 200, 'the same server, once its certificate is trusted')
  t.same(untrusted.seen, ['/x'])
})

t.test('CVE-2026-107318: a token endpoint with an untrusted certificate gets no code or secret', async t => {
  const impostor = await startImpostor(t, 'localhost')
  const environment = { IGNITION_CLIENT_ID: 'c', IGNITION_CLIENT_SECRET: 'canary', IGNITION_TOKEN_URL: `${impostor.origin}/token` }
  const { gateway, browser, proxy } = await startConnected(t, { environment })
  assertConnectError(t, await signIn(gateway, browser, 'ignition'), 'provider_unavailable')
  t.same(impostor.seen, [])
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200, 'other connections still work')

  trust(t, impostor.cert)
  await signIn(gateway, new Browser(), 'ignition')
  t.same(impostor.seen, ['/token'], 'the same server, once its certificate is trusted')
})
