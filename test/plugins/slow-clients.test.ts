import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { eventually } from '../stores/redis/topologies.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { newKey, startGateway } from '../support/gateway.ts'
import { assertRawError, sendRaw, waitForClose } from '../support/raw.ts'

/** The defaults are 15 s, 60 s, 1 KiB a second and 1 s. */
const clientTimeouts = { headersMs: 150, body: { idleMs: 300, bytesPerSecond: 10_000 }, checkEveryMs: 20 }

/** Signs in at a gateway with the default timeouts: on a busy machine the heads of these requests may be late. */
async function setUp(t: Test) {
  const kept = { DATA_DIR: t.testdir(), SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  const { gateway, provider, browser } = await startConnected(t, { environment: kept })
  await gateway.close()
  const port = Number(new URL(gateway.url).port)
  await startGateway(t, { port, clientTimeouts, environment: { ...provider.environment, ...kept } })
  return { provider, port, cookie: browser.sessionPair(gateway.url) }
}

t.test('SEC-36: an incomplete request head gets 408 and its connection is closed', async t => {
  const { port, provider } = await setUp(t)
  const response = await sendRaw(port, 'GET /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nX-Slow: ')
  t.match(response, /^HTTP\/1\.1 408 /)
  t.match(response, /grantkeeper-error: header_rejected/i)
  t.equal(provider.seen.api.length, 0)
})

t.test('SEC-36: an incomplete body gets 408, and the provider no complete request', async t => {
  const { port, cookie, provider } = await setUp(t)
  for (const [path, framing, begun] of [
    ['/proxy/productboard/x', 'Content-Length: 100', 'abc'],
    ['/proxy/productboard/x', 'Transfer-Encoding: chunked', '3\r\nabc\r\n'],
    // More than is buffered, so that the request is in flight at the provider when its body stops.
    ['/proxy/productboard/x', 'Content-Length: 200000', 'x'.repeat(100_000)],
    ['/proxy/productboard/x', 'Content-Length: 200000', ''],
    ['/connections/productboard', 'Content-Type: application/json\r\nContent-Length: 100', '{']
  ] as const) {
    const response = await sendRaw(port, `POST ${path} HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n${framing}\r\n\r\n${begun}`)
    assertRawError(t, response, 408, 'request_timeout', `${path} ${framing}`)
  }
  t.equal(provider.seen.api.length, 0)
  // Retried, since the head of this request may be late too.
  await eventually('others are served', async () =>
    /^HTTP\/1\.1 200 /.test(await sendRaw(port, `GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`))
  )
})

t.test('SEC-36: a body that arrives byte by byte gets 408', async t => {
  const { port, cookie, provider } = await setUp(t)
  for (const [length, begun] of [
    [200_000, 0],
    [50_000, 0]
  ] as const) {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
    })
    socket.write(
      `POST /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(begun)}`
    )
    const drip = setInterval(() => socket.write('x'), 10)
    await waitForClose(socket)
    clearInterval(drip)
    assertRawError(t, text, 408, 'request_timeout', `${length}`)
  }
  t.equal(provider.seen.api.length, 0)
})

t.test('a steady upload may take long, and a client’s pause is its own', async t => {
  // The provider's timeout is a fifth of what the upload takes.
  const definitions = (await loadProviders()).map(definition => ({ ...definition, api: { ...definition.api, timeoutMs: 1000 } }))
  const { gateway, browser, provider } = await startConnected(t, { definitions })
  const cookie = browser.sessionPair(gateway.url)
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(`POST /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nContent-Length: 200000\r\n\r\n`)
  socket.write('x'.repeat(70_000))
  // Other requests with the same timeout show that it has passed twice while nothing arrived.
  provider.onHead = q => q.url === '/base/silent'
  for (let i = 0; i < 2; i++)
    await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/productboard/silent`), 504, 'provider_timeout')
  socket.write('x'.repeat(130_000))
  const [response] = await once(socket, 'data')
  t.match(String(response), /^HTTP\/1\.1 200 /)
  t.equal(provider.seen.api.at(-1)?.body.length, 200_000)
})

t.test('a client that pauses while it reads does not run into the provider’s timeout', async t => {
  const definitions = (await loadProviders()).map(definition => ({ ...definition, api: { ...definition.api, timeoutMs: 1000 } }))
  const { gateway, browser, provider } = await startConnected(t, { definitions })
  const bytes = 20_000_000
  provider.api = (_, r) => r.end(Buffer.alloc(bytes))
  const cookie = browser.sessionPair(gateway.url)
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(`GET /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nConnection: close\r\nCookie: ${cookie}\r\n\r\n`)
  await once(socket, 'readable')
  provider.onHead = q => q.url === '/base/silent'
  for (let i = 0; i < 2; i++)
    await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/productboard/silent`), 504, 'provider_timeout')
  let size = 0
  socket.on('data', chunk => {
    size += chunk.length
  })
  await waitForClose(socket)
  t.ok(size > bytes, `all of it: ${size}`)
})

t.test('SEC-36: a request head that arrives byte by byte ends the connection', async t => {
  const { port, provider } = await setUp(t)
  const socket = connect(port, '127.0.0.1')
  const drip = setInterval(() => socket.write('x'), 10)
  socket.write('GET /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-Drip: ')
  await waitForClose(socket.resume())
  clearInterval(drip)
  t.equal(provider.seen.api.length, 0)
})

t.test('SEC-36: a client that does not read its response is disconnected, and its request aborted', async t => {
  // Also the timeout for connecting to the provider, which a busy machine needs more of than the test does.
  const definitions = (await loadProviders()).map(definition => ({
    ...definition,
    api: { ...definition.api, timeoutMs: 2000, idleTimeoutMs: { download: 2000 } }
  }))
  const { gateway, provider, browser } = await startConnected(t, { definitions })
  const ended = Promise.withResolvers<void>()
  provider.api = (_, r) => {
    const more = () => {
      while (r.write(Buffer.alloc(65_536)));
    }
    r.on('drain', more).on('close', ended.resolve)
    more()
  }
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.pause().on('error', () => {})
  const cookie = browser.sessionPair(gateway.url)
  socket.write(`GET /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n\r\n`)
  await ended.promise
  t.pass('the provider sees the end of it')
})

t.test('SEC-36: a request above the session’s limit is 429, and passes when another has ended', async t => {
  const definitions = (await loadProviders()).map(definition => ({
    ...definition,
    api: { ...definition.api, maxConcurrentRequestsPerSession: 2 }
  }))
  const { provider, browser, proxy } = await startConnected(t, { definitions })
  const pending: Array<() => void> = []
  const twoHeld = Promise.withResolvers<void>()
  provider.api = (_, r) => {
    if (pending.push(() => json(r, 200, {})) === 2) twoHeld.resolve()
  }
  const underWay = [browser.fetch(`${proxy}/1`), browser.fetch(`${proxy}/2`)]
  await twoHeld.promise
  const refused = await assertProblem(t, await browser.fetch(`${proxy}/3`), 429, 'rate_limited')
  t.match(refused, { provider: 'productboard', retryAfter: 1 })
  for (const respond of pending) respond()
  for (const call of underWay) t.equal((await (await call).json()) && (await call).status, 200)
  provider.api = (_, r) => json(r, 200, {})
  t.equal((await browser.fetch(`${proxy}/4`)).status, 200)
  t.equal(provider.seen.api.length, 3)
})

t.test('SEC-36: a head larger than the definition allows is 431', async t => {
  const definitions = (await loadProviders()).map(definition => ({ ...definition, api: { ...definition.api, maxHeaderBytes: 2_000 } }))
  const { provider, browser, proxy } = await startConnected(t, { definitions })
  const refused = await assertProblem(
    t,
    await browser.fetch(`${proxy}/x`, { headers: { 'x-long': 'a'.repeat(2_000) } }),
    431,
    'header_rejected'
  )
  t.match(refused, { provider: 'productboard', detail: /2000 bytes/ })
  t.equal((await browser.fetch(`${proxy}/x`, { headers: { 'x-long': 'a'.repeat(1_000) } })).status, 200)
  t.equal(provider.seen.api.length, 1)
})
