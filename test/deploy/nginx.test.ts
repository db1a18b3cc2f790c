import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions, request, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as requestTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway, startTestSandbox } from '../support/gateway.ts'
import { startComposeNginx, startTlsNginx, type TlsNginx } from './nginx.ts'
import { configOf, imageVariables, readEnvFile, readText, readYaml, secretValues } from './support.ts'

/** Stands for the address of the host in the network of compose.yaml. */
const hostAddress = '127.0.0.9'
/** For what would otherwise never arrive. */
const maxWaitMs = 30_000

/** A gateway whose public URL is that of the nginx before it. */
async function startBehindNginx(t: Test, environment: Record<string, string> = {}) {
  const port = await freePort()
  const url = await startComposeNginx(t, [port], hostAddress)
  const sandbox = await startTestSandbox(t, [Number(new URL(url).port)])
  await startGateway(t, { port, sandbox, environment: { PUBLIC_URL: url, TRUST_PROXY: '127.0.0.1', ...environment } })
  return url
}

t.test('behind the nginx of compose.yaml', async t => {
  const url = await startBehindNginx(t)
  const browser = new Browser()

  await t.test('the health routes answer', async t => {
    for (const path of ['/health/live', '/health/ready']) t.equal((await fetch(url + path)).status, 200, path)
  })

  await t.test('a sign-in returns to the public URL', async t => {
    const { url: end, status } = await browser.connect(url, 'productboard')
    t.strictSame([end, status], [`${url}/`, 200])
  })

  await t.test('an upload of a megabyte arrives unchanged', async t => {
    const body = Buffer.alloc(1_000_000, 'grantkeeper ')
    const response = await browser.fetch(`${url}/proxy/productboard/echo`, { method: 'PUT', body })
    t.match(await response.json(), { bodyLength: body.length, bodySha256: createHash('sha256').update(body).digest('hex') })
  })

  await t.test('an event arrives while the stream is open', async t => {
    const signal = AbortSignal.timeout(maxWaitMs)
    const response = await browser.fetch(`${url}/proxy/productboard/events`, { signal })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let events = ''
    while (!events.includes('"sequence":3')) events += (await reader?.read())?.value
    await reader?.cancel()
    t.match(response.headers.get('content-type'), 'text/event-stream')
  })

  await t.test('the limits are those of the gateway, with its own errors', async t => {
    const cookie = browser.sessionPair(url)
    const large = await send(url, '/health/live', { headers: { 'x-large': 'x'.repeat(15_000) } })
    t.equal(large.statusCode, 200, 'headers of 15 kB')
    const tooLarge = await send(url, '/health/live', { headers: { 'x-large': 'x'.repeat(20_000) } })
    t.strictSame([tooLarge.statusCode, tooLarge.headers['grantkeeper-error']], [431, 'header_rejected'])
    const long = await send(url, `/health/live?${'x'.repeat(15_000)}`)
    t.equal(long.statusCode, 200, 'a target of 15 kB')
    const tooLong = await send(url, `/health/live?${'x'.repeat(20_000)}`)
    t.strictSame([tooLong.statusCode, tooLong.headers['grantkeeper-error']], [414, 'path_rejected'])
    const headers = { cookie, 'x-csrf': '1', 'content-length': 33 * 1024 * 1024 }
    const upload = await send(url, '/proxy/productboard/echo', { method: 'PUT', headers })
    t.strictSame([upload.statusCode, upload.headers['grantkeeper-error']], [413, 'body_too_large'])
  })
})

t.test('the gateway counts by the address of the client, which the client cannot choose', async t => {
  const url = await startBehindNginx(t, { SIGN_INS_PER_MINUTE: '1' })
  const signIn = async (localAddress: string, claimed?: string) => {
    const { statusCode } = await send(url, '/auth/productboard', { localAddress, headers: claimed ? { 'x-forwarded-for': claimed } : {} })
    return statusCode
  }
  t.equal(await signIn('127.0.0.1', '203.0.113.1'), 302)
  t.equal(await signIn('127.0.0.1', '203.0.113.2'), 429, 'a client that claims another address is the same client')
  t.equal(await signIn('127.0.0.2'), 302, 'a client at another address is another client')
  t.equal(await signIn(hostAddress, '203.0.113.1'), 302, 'what terminates TLS on this host names the client')
  t.equal(await signIn(hostAddress, '203.0.113.1'), 429)
  t.equal(await signIn(hostAddress, '203.0.113.2'), 302)
})

t.test('nginx stores neither requests nor responses, and keeps its connections', async t => {
  let connections = 0
  const { port, next } = await startUpstream(t)
  next.server.on('connection', () => connections++)
  const url = await startComposeNginx(t, [port], hostAddress)

  const upload = request(url, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  upload.write('first')
  const [incoming, outgoing] = await next.exchange()
  t.equal(`${(await once(incoming, 'data'))[0]}`, 'first', 'a part of a request arrives before its end')
  outgoing.write('part')
  const [response] = (await once(upload, 'response')) as [IncomingMessage]
  t.equal(`${(await once(response, 'data'))[0]}`, 'part', 'a part of a response arrives before its end')
  upload.end()
  outgoing.end()
  await once(response.resume(), 'end')

  for (let i = 0; i < 20; i++) {
    const sent = send(url, '/', { maxHeaderSize: 64 * 1024 })
    const [, outgoing] = await next.exchange()
    outgoing.writeHead(200, { 'x-large': 'x'.repeat(50_000) }).end()
    t.equal((await sent).headers['x-large']?.length, 50_000)
  }
  t.ok(connections <= availableParallelism() + 1, `${connections} connections for 21 requests`)
})

t.test('nginx ends TLS for the gateway, also with HTTP/2, and redirects plain requests', async t => {
  const gatewayPort = await freePort()
  await startGateway(t, { port: gatewayPort, environment: { PROVIDERS: 'productboard' } })
  const host = 'connect.example.com'
  const nginx = await startTlsNginx(t, 'grantkeeper.conf', { host, gatewayPort })
  const { response, body } = await sendTls(nginx, host, '/health/live')
  t.strictSame([response.statusCode, JSON.parse(body)], [200, { status: 'live' }])

  const session = connectHttp2(`https://127.0.0.1:${nginx.port}`, { ca: nginx.certificate, servername: host })
  const stream = session.request({ ':authority': host, ':path': '/health/live' })
  const [headers] = await once(stream, 'response')
  t.equal(headers[':status'], 200)
  stream.resume()
  await once(stream, 'close')
  session.close()

  const plain = await send(`http://localhost:${nginx.plainPort}`, '/connect/productboard?return_to=%2F')
  t.strictSame([plain.statusCode, plain.headers.location], [308, `https://${host}/connect/productboard?return_to=%2F`])
})

t.test('below a path the target stays as the browser sent it', async t => {
  const { port, next } = await startUpstream(t)
  const host = 'app.example.com'
  const nginx = await startTlsNginx(t, 'below-path.conf', { host, gatewayPort: port, frontend: 'the application' })
  for (const target of [
    '/integrations/',
    '/integrations/proxy/productboard/a%2Fb//c%20?q=%2F&r',
    '/integrations/auth/ignition/callback?code=x+y'
  ]) {
    const sent = sendTls(nginx, host, target)
    const [incoming, outgoing] = await next.exchange()
    outgoing.end()
    await sent
    t.equal(incoming.url, target)
    t.equal(incoming.headers['x-forwarded-for'], '127.0.0.1')
  }
  const { response } = await sendTls(nginx, host, '/integrations')
  t.strictSame([response.statusCode, new URL(response.headers.location ?? '').pathname], [301, '/integrations/'], 'the slash is added')
  t.equal((await sendTls(nginx, host, '/')).body, 'the application')
})

t.test('nginx closes idle connections to the gateway before the gateway does', async t => {
  const { keepAliveMs } = configOf({
    ...imageVariables(),
    ...readEnvFile('deploy/compose/grantkeeper.env'),
    SESSION_KEYS: secretValues.session_keys,
    TOKEN_KEYS: secretValues.token_keys,
    DATA_DIR: t.testdir()
  })
  for (const file of ['compose.conf', 'grantkeeper.conf', 'below-path.conf']) {
    const seconds = /upstream grantkeeper \{[^}]*keepalive_timeout (\d+)s;/.exec(readText('deploy/nginx', file))?.[1]
    t.ok(Number(seconds) * 1000 < keepAliveMs, file)
  }
})

t.test('compose.yaml mounts the configuration that is tested here', async t => {
  const { volumes } = readYaml<{ services: { nginx: { volumes: string[] } } }>('compose.yaml').services.nginx
  t.strictSame(volumes, [
    './deploy/nginx/compose.conf:/etc/nginx/nginx.conf:ro',
    './deploy/nginx/grantkeeper-proxy.conf:/etc/nginx/grantkeeper-proxy.conf:ro'
  ])
})

type SendOptions = Pick<RequestOptions, 'method' | 'headers' | 'localAddress' | 'maxHeaderSize'> & {
  readonly headers?: OutgoingHttpHeaders
}

/** One request on a connection of its own; its body is not sent. */
async function send(url: string, path: string, options: SendOptions = {}): Promise<IncomingMessage> {
  const { port } = new URL(url)
  const sent = request({ host: '127.0.0.1', port, path, agent: false, signal: AbortSignal.timeout(maxWaitMs), ...options })
  sent.on('error', () => {})
  if (options.headers?.['content-length'] === undefined) sent.end()
  else sent.flushHeaders()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.on('error', () => {}).resume()
  sent.destroy()
  return response
}

async function sendTls(
  { port, certificate }: TlsNginx,
  servername: string,
  path: string
): Promise<{ response: IncomingMessage; body: string }> {
  const sent = requestTls({ host: '127.0.0.1', port, path, servername, ca: certificate, headers: { host: servername }, agent: false })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { response, body: await text(response) }
}

/** A server whose responses the test writes. */
async function startUpstream(t: Test) {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const exchange = async () =>
    (await once(server, 'request', { signal: AbortSignal.timeout(maxWaitMs) })) as [IncomingMessage, ServerResponse]
  return { port: (server.address() as AddressInfo).port, next: { server, exchange } }
}
