// @fastify/reply-from, CVE-2026-107318: the upstream's certificate was not verified unless the application asked for it, so whoever
// sat on the way could answer as the https upstream and read what was forwarded.
//
// Here: an impostor answers TLS at the addresses of the API and of the token endpoint. No credential, code or key may reach it.
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { selfSigned } from '../support/certificate.ts'
import { cameBackWith, connected, problem, signIn } from '../support/connected.ts'
import { pasteKey } from '../support/paste-key.ts'

/** Speaks TLS on localhost, as somebody of this name. */
async function startImpostor(t: Test, name: string) {
  const { key, cert } = await selfSigned(t, name)
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
  const usual = tls.getCACertificates()
  tls.setDefaultCACertificates([...usual, ...certificates])
  t.teardown(() => tls.setDefaultCACertificates(usual))
}

t.test('CVE-2026-107318: who answers for the API with a certificate of an unknown issuer or another name is sent nothing', async t => {
  const unknown = await startImpostor(t, 'localhost')
  const misnamed = await startImpostor(t, 'elsewhere.example')
  trust(t, misnamed.cert)
  const environment = { PRODUCTBOARD_API_URL: unknown.origin, PROCESS_STREET_API_URL: misnamed.origin }
  const { gateway, browser, proxy } = await connected(t, { environment })
  const upload = { method: 'POST', body: 'canary' }
  await problem(t, await browser.fetch(`${proxy}/x`, upload), 502, 'provider_unavailable')
  await problem(t, await pasteKey(gateway, browser, 'process-street', 'key-canary'), 502, 'provider_unavailable')
  t.same([unknown.seen, misnamed.seen], [[], []])

  trust(t, unknown.cert)
  t.equal((await browser.fetch(`${proxy}/x`, upload)).status, 200, 'the same server, once its issuer is known')
  t.same(unknown.seen, ['/x'])
})

t.test('CVE-2026-107318: who answers for the token endpoint is sent neither a code nor the client’s secret', async t => {
  const impostor = await startImpostor(t, 'localhost')
  const environment = { IGNITION_CLIENT_ID: 'c', IGNITION_CLIENT_SECRET: 'canary', IGNITION_TOKEN_URL: `${impostor.origin}/token` }
  const { gateway, browser, proxy } = await connected(t, { environment })
  cameBackWith(t, await signIn(gateway, browser, 'ignition'), 'provider_unavailable')
  t.same(impostor.seen, [])
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200, 'and what was connected before still is')

  trust(t, impostor.cert)
  await signIn(gateway, new Browser(), 'ignition')
  t.same(impostor.seen, ['/token'], 'the same server, once its issuer is known')
})
