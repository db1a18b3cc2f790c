import { once } from 'node:events'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { fixedLookup } from '../support/dns.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway } from '../support/gateway.ts'
import { examine, soundVariables } from './support.ts'
import { createAuthority, startTlsServer } from './tls-server.ts'

const area = 'addresses'

async function examineUrl(t: Test, PUBLIC_URL: string, options = {}) {
  return examine(t, { ...soundVariables(t), PUBLIC_URL }, options)
}

t.test('a gateway that runs at PUBLIC_URL is found', async t => {
  const gateway = await startGateway(t)
  const { has } = await examineUrl(t, gateway.url)
  has({ level: 'ok', area, subject: /^PUBLIC_URL$/, message: /a Grantkeeper responds/ })
})

t.test('a gateway below a path is found', async t => {
  const port = await freePort()
  const url = `http://localhost:${port}/integrations`
  await startGateway(t, { port, environment: { PUBLIC_URL: url } })
  const { has } = await examineUrl(t, url)
  has({ level: 'ok', area, message: /a Grantkeeper responds at .+\/integrations$/ })
})

t.test('a gateway that does not run yet is well', async t => {
  const { has, hasNoError } = await examineUrl(t, `http://localhost:${await freePort()}`)
  has({ level: 'ok', area, message: /nothing runs at/ })
  hasNoError()
})

t.test('another server at PUBLIC_URL is a warning', async t => {
  const server = createServer((_, response) => response.end('<h1>Our app</h1>')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const { has, hasNoError } = await examineUrl(t, `http://127.0.0.1:${port}`)
  has({ level: 'warning', area, message: /something else than Grantkeeper responds.+\(200\)/, cure: /load balancer/ })
  hasNoError()
})

t.test('a PUBLIC_URL with a bad certificate is a warning', async t => {
  const authority = createAuthority(t, { isTrusted: false })
  const port = await startTlsServer(t, authority.issue('localhost', 90), (_, response) => response.end())
  const { has } = await examineUrl(t, `https://localhost:${port}`, { resolve: fixedLookup('127.0.0.1') })
  has({ level: 'warning', area, message: /cannot be reached from here \((?:\w*CERT\w*|UNABLE\w*)\)/, cure: /certificate/ })
})

t.test('each address to register is told, to the letter', async t => {
  const provider = await startFakeProvider(t)
  const PUBLIC_URL = `http://localhost:${await freePort()}/integrations`
  const login = { LOGIN_ISSUER: `http://127.0.0.1:${await freePort()}`, LOGIN_CLIENT_ID: 'client-1' }
  const { findings } = await examine(t, { ...soundVariables(t), ...provider.environment, ...login, PUBLIC_URL })
  const addresses = findings.flatMap(({ message }) => /^register .+ (http\S+)$/.exec(message)?.[1] ?? [])
  t.strictSame(
    addresses,
    ['/auth/productboard/callback', '/login/callback', '/logout', '/login/backchannel-logout'].map(path => PUBLIC_URL + path)
  )
})
