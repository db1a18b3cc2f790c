import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { respondToMalformed } from '../../plugins/hooks/malformed-requests.ts'
import { loadProviders } from '../../src/config/load-providers.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { sendRaw, sendRawRequest, waitForClose } from '../support/raw.ts'

// test/hostile/framing.ts has all forms of ambiguous framing.

t.test('SEC-32: nothing after a refused request on its connection reaches the provider', async t => {
  const { gateway, provider, browser, proxy } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  const lines = `Host: x\r\nX-CSRF: 1\r\nCookie: ${browser.sessionPair(gateway.url)}\r\n`
  // Open connections in the pool would make forwarding fast.
  await Promise.all(Array.from({ length: 10 }, () => browser.fetch(`${proxy}/warm`)))
  const earlier = provider.seen.api.length
  const refused = `POST /proxy/productboard/x HTTP/1.1\r\n${lines}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`
  const next = `GET /proxy/productboard/last HTTP/1.1\r\n${lines}\r\n`
  for (let i = 0; i < 20; i++) t.match(await sendRaw(port, refused + next), /^HTTP\/1\.1 400 [\s\S]*connection: close/i)
  t.equal(provider.seen.api.length, earlier)
})

t.test('an OPTIONS request that is no preflight gets an empty 204', async t => {
  const { gateway } = await startConnected(t)
  for (const path of ['/', '/proxy/productboard/x']) {
    const response = await new Browser().request(gateway.url + path, { method: 'OPTIONS' })
    t.equal(response.status, 204)
    t.equal(await response.text(), '')
  }
})

t.test('a malformed request gets a problem document and is logged only by id', async t => {
  const { gateway } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  for (const [status, sent] of [
    [400, 'GET / HTTP/1.1\r\nHost: x\r\nline-canary\r\n\r\n'],
    [417, 'GET / HTTP/1.1\r\nHost: x\r\nExpect: line-canary\r\n\r\n'],
    [431, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'line-canary'.repeat(9000)}\r\n\r\n`]
  ] as const) {
    const response = await sendRaw(port, sent)
    const problem = JSON.parse(response.slice(response.indexOf('\r\n\r\n')))
    t.match(problem, { type: 'urn:grantkeeper:problem:header_rejected', title: /./, status, detail: /./, code: 'header_rejected' })
    t.equal(gateway.logs.filter(line => JSON.parse(line).requestId === problem.requestId).length, 1, `${status}`)
  }
  t.notMatch(gateway.logs.join(''), 'line-canary')
})

/** All statuses in their order, including interim responses. */
const statusesIn = (received: string) => [...received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))

/** A gateway with a body limit of 200,000 bytes, and a client that sends the head first and the body after a 100 (Continue). */
async function startExpecting(t: Test) {
  const definitions = (await loadProviders()).map(definition => ({ ...definition, api: { ...definition.api, maxBodyBytes: 200_000 } }))
  const { gateway, provider, browser } = await startConnected(t, { definitions })
  const send = async (start: string, { lines = [], body = 'hello' }: { lines?: string[]; body?: string } = {}) => {
    const length = lines.some(line => /^(content-length|transfer-encoding):/i.test(line)) ? [] : [`Content-Length: ${body.length}`]
    const headers = ['Expect: 100-continue', 'Connection: keep-alive', ...length, ...lines]
    const cookie = lines.some(line => /^cookie:/i.test(line)) ? '' : `Cookie: ${browser.sessionPair(gateway.url)}\r\n`
    const csrf = lines.some(line => /^x-csrf:/i.test(line)) ? '' : 'X-CSRF: 1\r\n'
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    socket.setEncoding('latin1')
    let received = ''
    let sentBody = false
    socket.write(`${start} HTTP/1.1\r\nHost: x\r\n${cookie}${csrf}${headers.join('\r\n')}\r\n\r\n`)
    socket.on('data', chunk => {
      received += chunk
      if (!sentBody && /^HTTP\/1\.1 100 /.test(received)) {
        sentBody = true
        socket.write(body)
      }
      // After an accepted request the gateway keeps the connection open.
      if (sentBody && /\r\n\r\n[\s\S]*\r\n\r\n/.test(received)) socket.end()
    })
    await waitForClose(socket)
    return { received, sentBody, statuses: statusesIn(received) }
  }
  return { provider, send }
}

t.test('Expect: 100-continue gets a 100 when the body is wanted', async t => {
  const { provider, send } = await startExpecting(t)
  for (const [kind, body] of [
    ['small', 'hello'],
    ['buffered', 'x'.repeat(64 * 1024)],
    ['streamed', 'x'.repeat(150_000)]
  ] as const) {
    const { statuses, received } = await send('POST /proxy/productboard/x', { body })
    t.strictSame(statuses, [100, 200], kind)
    t.notMatch(received, /^connection: close/im, kind)
    t.equal(provider.seen.api.at(-1)?.body.toString(), body, kind)
  }
  const chunked = await send('POST /proxy/productboard/x', { lines: ['Transfer-Encoding: chunked'], body: '5\r\nhello\r\n0\r\n\r\n' })
  t.strictSame(chunked.statuses, [100, 200])
  const key = await send('POST /connections/productboard', { lines: ['Content-Type: application/json'], body: '{"apiKey":"a b"}' })
  t.strictSame(key.statuses, [100, 400])
})

t.test('Expect: 100-continue gets the error at once when the head is refused', async t => {
  const { provider, send } = await startExpecting(t)
  for (const [status, start, lines] of [
    [403, 'POST /proxy/productboard/x', ['X-CSRF: 0']],
    [403, 'POST /proxy/productboard/x', ['Origin: https://evil.example']],
    [404, 'POST /proxy/nobody/x', []],
    [400, 'POST /proxy/productboard/%2e%2e', []],
    [400, 'POST /proxy/productboard/x', ['X-HTTP-Method-Override: DELETE']],
    [400, 'POST /proxy/productboard/x', ['X-Odd: a\x7f']],
    [401, 'POST /proxy/productboard/x', ['Cookie: none']],
    [405, 'PUT /connections', []],
    [404, 'POST /nothing', []],
    [413, 'POST /proxy/productboard/x', ['Content-Length: 200001']],
    [413, 'POST /connections/productboard', ['Content-Type: application/json', 'Content-Length: 20000']],
    [400, 'POST /connections/productboard', ['Content-Type: nonsense']],
    [414, `POST /proxy/productboard/${'a'.repeat(20_000)}`, []],
    [431, 'POST /proxy/productboard/x', [`X-Long: ${'a'.repeat(20_000)}`]]
  ] as const) {
    const { statuses, sentBody, received } = await send(start, { lines: [...lines] })
    t.strictSame(statuses, [status], `${start.slice(0, 60)} ${lines.join().slice(0, 40)}`)
    t.notOk(sentBody)
    t.match(received, /^connection: close/im, 'the client may send the body all the same')
  }
  t.equal(provider.seen.api.length, 0)
})

t.test('Expect: 100-continue is ignored on a request without a body', async t => {
  const { gateway, browser } = await startConnected(t)
  const headers = ['Expect: 100-continue', 'Content-Length: 0']
  t.strictSame(statusesIn(await sendRawRequest({ gateway, browser }, 'POST /proxy/productboard/x', { headers })), [200])
  t.strictSame(
    statusesIn(await sendRawRequest({ gateway, browser }, 'GET /proxy/productboard/x', { headers: ['Expect: 100-continue'] })),
    [200]
  )
})

const origin = 'https://app.example.com'
const long = 'a'.repeat(20_000)

t.test('an oversized URL or header gets 414 or 431, readable on an allowed origin', async t => {
  const { gateway, provider, browser, proxy } = await startConnected(t, { environment: { ALLOWED_ORIGINS: origin } })
  for (const [kind, path, headers, status, code, detail] of [
    ['a path', `/${long}`, {}, 414, 'path_rejected', /URL is too long/],
    ['a query', `?q=${long}`, {}, 414, 'path_rejected', /URL is too long/],
    ['a header', '/x', { 'x-long': long }, 431, 'header_rejected', /headers are larger/],
    [
      'many headers',
      '/x',
      Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`x${i}`, 'y'.repeat(20)])),
      431,
      'header_rejected',
      /headers/
    ]
  ] as const) {
    for (const url of [proxy + path, `${gateway.url}/nothing${path}`]) {
      const response = await browser.fetch(url, { headers: { origin, ...headers } })
      t.equal(response.headers.get('access-control-allow-origin'), origin, kind)
      t.match(response.headers.get('access-control-expose-headers'), /grantkeeper-error/i)
      t.match(await assertProblem(t, response, status, code), { detail })
    }
  }
  t.equal(provider.seen.api.length, 0)
  t.equal((await browser.fetch(`${proxy}/${'a'.repeat(16_000)}`)).status, 200, 'a long URL within the limit is forwarded')
})

t.test('the error for an oversized URL has CORS headers for allowed origins only', async t => {
  const { provider, browser, proxy } = await startConnected(t, { environment: { ALLOWED_ORIGINS: origin } })
  const response = await browser.fetch(`${proxy}/${long}`, { headers: { origin: 'https://evil.example' } })
  t.equal(response.headers.get('access-control-allow-origin'), null)
  t.equal(provider.seen.api.length, 0)
})

t.test('the preflight of an oversized URL succeeds', async t => {
  const { provider, browser, proxy } = await startConnected(t, { environment: { ALLOWED_ORIGINS: origin } })
  const headers = { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-csrf' }
  t.equal((await browser.request(`${proxy}/${long}`, { method: 'OPTIONS', headers })).status, 204)
  t.equal(provider.seen.api.length, 0)
})

t.test('a head beyond the parser’s limit gets 414 or 431 and is closed', async t => {
  const { gateway } = await startConnected(t)
  const tooLong = 'a'.repeat(100_000)
  for (const request of [`GET /${tooLong} HTTP/1.1\r\nHost: x\r\n\r\n`, `GET /x HTTP/1.1\r\nHost: x\r\nX-Long: ${tooLong}\r\n\r\n`])
    t.match(await sendRaw(Number(new URL(gateway.url).port), request), /^HTTP\/1\.1 4(14|31) [\s\S]*connection: close/i)
})

const veryLong = 'a'.repeat(50_000)

/** The response to a head beyond the parser's limit whose last packet is this one, and what is logged. */
async function overflow(packet: string | undefined) {
  const lines: unknown[] = []
  const app = {
    log: { info: (line: unknown) => lines.push(line) },
    nextId: () => 'id-1',
    allowedOrigins: new Set([origin])
  } as unknown as Parameters<typeof respondToMalformed>[2]
  const socket = new PassThrough()
  const error = Object.assign(new Error('overflow'), { code: 'HPE_HEADER_OVERFLOW', rawPacket: packet && Buffer.from(packet, 'latin1') })
  respondToMalformed(error, socket as unknown as Socket, app)
  return { response: await text(socket), lines }
}

const headWith = (value: string, name = 'Origin') => `GET /x HTTP/1.1\r\nHost: x\r\n${name}: ${value}\r\nX-Long: ${veryLong}`

t.test('a packet with an endless request line gets a 414', async t => {
  const { response, lines } = await overflow(`GET /${veryLong}`)
  t.match(response, /^HTTP\/1\.1 414 URI Too Long\r\n[\s\S]*grantkeeper-error: path_rejected\r\n[\s\S]*too long/i)
  t.match(lines[0], { requestId: 'id-1', status: 414, code: 'path_rejected', reason: 'HPE_HEADER_OVERFLOW' })
})

t.test('a packet that names an allowed origin gets a 431 with CORS headers', async t => {
  for (const packet of [headWith(origin), headWith(origin, 'origin')])
    t.match((await overflow(packet)).response, /^HTTP\/1\.1 431 [\s\S]*access-control-allow-origin: https:\/\/app\.example\.com\r\n/i)
})

t.test('a packet that names no allowed origin gets a 431 without CORS headers', async t => {
  const packets = [headWith('https://evil.example'), headWith(`${origin}.evil.example`), headWith(origin, 'X-Origin'), veryLong, undefined]
  for (const packet of packets) {
    const { response } = await overflow(packet)
    t.match(response, /^HTTP\/1\.1 431 /)
    t.notMatch(response, /access-control-/i)
  }
})

t.test('errors for undecodable paths and odd framing are readable on an allowed origin', async t => {
  const { gateway, browser } = await startConnected(t, { environment: { ALLOWED_ORIGINS: origin } })
  for (const path of ['/%zz', `/connections/${'x'.repeat(300)}/refresh`]) {
    const response = await browser.fetch(gateway.url + path, { headers: { origin }, method: path.includes('refresh') ? 'POST' : 'GET' })
    t.ok(response.status >= 400)
    t.equal(response.headers.get('access-control-allow-origin'), origin, path.slice(0, 20))
  }
  const headers = [`Origin: ${origin}`, 'Host: y']
  t.match(
    await sendRawRequest({ gateway, browser }, 'GET /proxy/productboard/x', { headers }),
    /^HTTP\/1.1 400 [\s\S]*access-control-allow-origin: https:\/\/app/i
  )
})
