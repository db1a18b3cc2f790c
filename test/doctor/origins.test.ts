import { once } from 'node:events'
import { type AddressInfo, createServer, type LookupFunction } from 'node:net'
import t, { type Test } from 'tap'
import type { DoctorOptions } from '../../src/doctor/doctor.ts'
import { fixedLookup } from '../support/dns.ts'
import { freePort } from '../support/free-port.ts'
import { examine, soundProduction, soundVariables } from './support.ts'
import { createAuthority, startTlsServer } from './tls-server.ts'

const area = 'providers'
const host = 'api.productboard.test'

/** The API at a port of this machine, under a name that only this lookup knows. */
const examineApi = (t: Test, origin: string, variables: Record<string, string> = {}, options: DoctorOptions = {}) =>
  examine(
    t,
    { ...soundVariables(t), PROVIDERS: 'productboard', PRODUCTBOARD_API_URL: `${origin}/base`, ...variables },
    { resolve: fixedLookup('127.0.0.1'), ...options }
  )

const failingLookup = (code: string): LookupFunction => {
  const error = Object.assign(new Error(code), { code })
  return (_hostname, _options, callback) => setImmediate(() => callback(error, ''))
}

/** A server that speaks no HTTP. @returns its port */
async function startTcpServer(t: Test, respond: string | undefined): Promise<number> {
  const server = createServer(socket => {
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    if (respond !== undefined) socket.end(respond)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('a host with a good certificate is well', async t => {
  const port = await startTlsServer(t, createAuthority(t).issue(host, 90), (_, response) => response.writeHead(401).end())
  const { has, hasNoError } = await examineApi(t, `https://${host}:${port}`)
  has({ level: 'ok', area, subject: new RegExp(`https://${host}:${port}$`), message: /certificate is valid for (?:89|90) more days/ })
  has({ level: 'ok', area, message: /its API responds \(401\)/ })
  hasNoError()
})

t.test('a certificate that expires soon is a warning', async t => {
  const port = await startTlsServer(t, createAuthority(t).issue(host, 2), (_, response) => response.end())
  const { has, hasNoError } = await examineApi(t, `https://${host}:${port}`)
  has({ level: 'warning', area, message: /valid for one more day/, cure: /renew/ })
  hasNoError()
})

t.test('a certificate that has expired is an error', async t => {
  const port = await startTlsServer(t, createAuthority(t).issue(host, -1), (_, response) => response.end())
  const { has } = await examineApi(t, `https://${host}:${port}`)
  has({ level: 'error', area, message: /has expired/, cure: /renew it/ })
})

t.test('a certificate for another name is an error', async t => {
  const port = await startTlsServer(t, createAuthority(t).issue('elsewhere.test', 90), (_, response) => response.end())
  const { has } = await examineApi(t, `https://${host}:${port}`)
  has({ level: 'error', area, message: /for another host name/, cure: /PRODUCTBOARD_API_URL/ })
})

t.test('a certificate of an unknown authority is an error', async t => {
  const authority = createAuthority(t, { isTrusted: false })
  const port = await startTlsServer(t, authority.issue(host, 90), (_, response) => response.end())
  const { has } = await examineApi(t, `https://${host}:${port}`)
  has({ level: 'error', area, message: /does not trust/, cure: /NODE_EXTRA_CA_CERTS/ })
})

t.test('https to a server without TLS is an error', async t => {
  const port = await startTcpServer(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  const { has } = await examineApi(t, `https://${host}:${port}`)
  has({ level: 'error', area, message: /does not speak TLS/, cure: /http:/ })
})

t.test('a host that is not in the DNS is an error', async t => {
  const { has } = await examineApi(t, `https://${host}`, {}, { resolve: failingLookup('ENOTFOUND') })
  has({ level: 'error', area, message: /no address in the DNS/, cure: /Correct PRODUCTBOARD_API_URL/ })
})

t.test('a DNS server that does not respond is a warning', async t => {
  const { has, hasNoError } = await examineApi(t, `https://${host}`, {}, { resolve: failingLookup('EAI_AGAIN') })
  has({ level: 'warning', area, message: /EAI_AGAIN/, cure: /DNS/ })
  hasNoError()
})

t.test('a host that refuses connections is an error', async t => {
  const { has } = await examineApi(t, `http://127.0.0.1:${await freePort()}`)
  has({ level: 'error', area, message: /refuses connections/, cure: /Start the server/ })
})

t.test('behind a forward proxy a refused connection is a warning that names the proxy', async t => {
  const variables = { HTTPS_PROXY: 'http://user:proxy-canary@proxy.test:3128' }
  const { has, hasNoError, findings } = await examineApi(t, `http://127.0.0.1:${await freePort()}`, variables)
  has({ level: 'warning', area, message: /ECONNREFUSED/, cure: /HTTPS_PROXY is set, and Grantkeeper does not use it/ })
  hasNoError()
  t.notMatch(JSON.stringify(findings), 'proxy-canary')
})

t.test('a host that accepts a connection and says nothing is a warning', async t => {
  const port = await startTcpServer(t, undefined)
  const { has, hasNoError } = await examineApi(t, `https://${host}:${port}`)
  has({ level: 'warning', area, message: /cannot be reached from here \(ETIMEDOUT\)/, cure: /firewall/ })
  hasNoError()
})

t.test('an API that sends no HTTP is a warning', async t => {
  const port = await startTcpServer(t, 'SSH-2.0-OpenSSH_9.9\r\n')
  const { has, hasNoError } = await examineApi(t, `http://127.0.0.1:${port}`)
  has({ level: 'warning', area, message: /sends no HTTP response/ })
  hasNoError()
})

t.test('a vendor whose name resolves to a private address is an error in production', async t => {
  const { has } = await examine(t, soundProduction(t), { resolve: fixedLookup('10.0.0.1') })
  has({ level: 'error', area, message: /not public/, cure: /name this origin in PRODUCTBOARD_API_URL/ })
})

t.test('a vendor that is not in the DNS may have moved', async t => {
  const { has } = await examine(t, soundProduction(t), { resolve: failingLookup('ENOTFOUND') })
  has({ level: 'error', area, message: /no address in the DNS/, cure: /If it has moved, set PRODUCTBOARD_API_URL/ })
})
