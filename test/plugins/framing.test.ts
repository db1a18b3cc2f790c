import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { respondToMalformed } from '../../plugins/hooks/malformed-requests.ts'
import { loadProviders } from '../../src/config/load-providers.ts'
import { Browser } from '../support/browser.ts'
import { connected, problem } from '../support/connected.ts'
import { closed, raw, rawCall } from '../support/raw.ts'

// Each shape of it is in test/hostile/framing.ts.

t.test('SEC-32: nothing that follows a refused request on its connection goes up, however warm the pool is', async t => {
  const { gateway, provider, browser, proxy } = await connected(t)
  const port = Number(new URL(gateway.url).port)
  const lines = `Host: x\r\nX-CSRF: 1\r\nCookie: ${browser.sessionPair(gateway.url)}\r\n`
  await Promise.all(Array.from({ length: 10 }, () => browser.fetch(`${proxy}/warm`)))
  const before = provider.seen.api.length
  const refused = `POST /proxy/productboard/x HTTP/1.1\r\n${lines}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`
  const next = `GET /proxy/productboard/last HTTP/1.1\r\n${lines}\r\n`
  for (let i = 0; i < 20; i++) t.match(await raw(port, refused + next), /^HTTP\/1\.1 400 [\s\S]*connection: close/i)
  t.equal(provider.seen.api.length, before)
})

t.test('an OPTIONS that is no preflight is answered without a word', async t => {
  const { gateway } = await connected(t)
  for (const path of ['/', '/proxy/productboard/x']) {
    const answer = await new Browser().request(gateway.url + path, { method: 'OPTIONS' })
    t.equal(answer.status, 204)
    t.equal(await answer.text(), '')
  }
})

t.test('what is no request is answered with a problem whose id the log has, and with nothing of what was sent', async t => {
  const { gateway } = await connected(t)
  const port = Number(new URL(gateway.url).port)
  for (const [status, sent] of [
    [400, 'GET / HTTP/1.1\r\nHost: x\r\nline-canary\r\n\r\n'],
    [417, 'GET / HTTP/1.1\r\nHost: x\r\nExpect: line-canary\r\n\r\n'],
    [431, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'line-canary'.repeat(9000)}\r\n\r\n`]
  ] as const) {
    const answer = await raw(port, sent)
    const problem = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))
    t.match(problem, { type: 'urn:grantkeeper:problem:header_rejected', title: /./, status, detail: /./, code: 'header_rejected' })
    t.equal(gateway.logs.filter(line => JSON.parse(line).requestId === problem.requestId).length, 1, `${status}`)
  }
  t.notMatch(gateway.logs.join(''), 'line-canary')
})

/** Statuses in the order in which they came, interim ones too. */
const statusesIn = (answer: string) => [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))

t.test('a client that asks before it sends is told to go on when its body is wanted, and else has its answer at once', async t => {
  const definitions = (await loadProviders()).map(definition => ({ ...definition, api: { ...definition.api, maxBodyBytes: 200_000 } }))
  const { gateway, provider, browser } = await connected(t, { definitions })
  const ask = async (start: string, { lines = [], body = 'hello' }: { lines?: string[]; body?: string } = {}) => {
    const length = lines.some(line => /^(content-length|transfer-encoding):/i.test(line)) ? [] : [`Content-Length: ${body.length}`]
    const headers = ['Expect: 100-continue', 'Connection: keep-alive', ...length, ...lines]
    const cookie = lines.some(line => /^cookie:/i.test(line)) ? '' : `Cookie: ${browser.sessionPair(gateway.url)}\r\n`
    const guard = lines.some(line => /^x-csrf:/i.test(line)) ? '' : 'X-CSRF: 1\r\n'
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    socket.setEncoding('latin1')
    let received = ''
    let sent = false
    socket.write(`${start} HTTP/1.1\r\nHost: x\r\n${cookie}${guard}${headers.join('\r\n')}\r\n\r\n`)
    socket.on('data', chunk => {
      received += chunk
      if (!sent && /^HTTP\/1\.1 100 /.test(received)) {
        sent = true
        socket.write(body)
      }
      // What was accepted leaves its connection open.
      if (sent && /\r\n\r\n[\s\S]*\r\n\r\n/.test(received)) socket.end()
    })
    await closed(socket)
    return { received, sent, statuses: statusesIn(received) }
  }

  for (const [what, body] of [
    ['small', 'hello'],
    ['kept', 'x'.repeat(64 * 1024)],
    ['streamed', 'x'.repeat(150_000)]
  ] as const) {
    const { statuses, received } = await ask('POST /proxy/productboard/x', { body })
    t.strictSame(statuses, [100, 200], what)
    t.notMatch(received, /^connection: close/im, what)
    t.equal(provider.seen.api.at(-1)?.body.toString(), body, what)
  }
  const chunked = await ask('POST /proxy/productboard/x', { lines: ['Transfer-Encoding: chunked'], body: '5\r\nhello\r\n0\r\n\r\n' })
  t.strictSame(chunked.statuses, [100, 200])
  const key = await ask('POST /connections/productboard', { lines: ['Content-Type: application/json'], body: '{"apiKey":"a b"}' })
  t.strictSame(key.statuses, [100, 400])

  const seen = provider.seen.api.length
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
    const { statuses, sent, received } = await ask(start, { lines: [...lines] })
    t.strictSame(statuses, [status], `${start.slice(0, 60)} ${lines.join().slice(0, 40)}`)
    t.notOk(sent)
    t.match(received, /^connection: close/im, 'nobody knows whether the body comes')
  }
  t.equal(provider.seen.api.length, seen)
})

t.test('an expectation of a request without a body is none', async t => {
  const { gateway, browser } = await connected(t)
  const headers = ['Expect: 100-continue', 'Content-Length: 0']
  t.strictSame(statusesIn(await rawCall({ gateway, browser }, 'POST /proxy/productboard/x', { headers })), [200])
  t.strictSame(statusesIn(await rawCall({ gateway, browser }, 'GET /proxy/productboard/x', { headers: ['Expect: 100-continue'] })), [200])
})

t.test('what is too large is named, and a page on an allowed origin can read it; its connection serves on', async t => {
  const origin = 'https://app.example.com'
  const { gateway, provider, browser, proxy } = await connected(t, { environment: { ALLOWED_ORIGINS: origin } })
  const long = 'a'.repeat(20_000)
  for (const [what, path, headers, status, code, detail] of [
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
      const answer = await browser.fetch(url, { headers: { origin, ...headers } })
      t.equal(answer.headers.get('access-control-allow-origin'), origin, what)
      t.match(answer.headers.get('access-control-expose-headers'), /grantkeeper-error/i)
      t.match(await problem(t, answer, status, code), { detail })
    }
  }
  const stranger = await browser.fetch(`${proxy}/${long}`, { headers: { origin: 'https://evil.example' } })
  t.equal(stranger.headers.get('access-control-allow-origin'), null)
  const preflight = { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-csrf' }
  t.equal((await browser.request(`${proxy}/${long}`, { method: 'OPTIONS', headers: preflight })).status, 204, 'a preflight goes before')
  t.equal(provider.seen.api.length, 0)
  t.equal((await browser.fetch(`${proxy}/${'a'.repeat(16_000)}`)).status, 200)
})

t.test('what is larger than is read at all ends its connection with a refusal', async t => {
  const { gateway } = await connected(t)
  const long = 'a'.repeat(100_000)
  for (const request of [`GET /${long} HTTP/1.1\r\nHost: x\r\n\r\n`, `GET /x HTTP/1.1\r\nHost: x\r\nX-Long: ${long}\r\n\r\n`])
    t.match(await raw(Number(new URL(gateway.url).port), request), /^HTTP\/1\.1 4(14|31) [\s\S]*connection: close/i)
})

t.test('of what is larger than is read at all, its first packet says what it was and whose, and any other nothing', async t => {
  const origin = 'https://app.example.com'
  const lines: unknown[] = []
  const app = {
    log: { info: (line: unknown) => lines.push(line) },
    nextId: () => 'id-1',
    allowedOrigins: new Set([origin])
  } as unknown as Parameters<typeof respondToMalformed>[2]
  const refusalOf = async (packet: string | undefined) => {
    const socket = new PassThrough()
    const error = Object.assign(new Error('overflow'), { code: 'HPE_HEADER_OVERFLOW', rawPacket: packet && Buffer.from(packet, 'latin1') })
    respondToMalformed(error, socket as unknown as Socket, app)
    return text(socket)
  }
  const long = 'a'.repeat(50_000)
  const head = (from: string, name = 'Origin') => `GET /x HTTP/1.1\r\nHost: x\r\n${name}: ${from}\r\nX-Long: ${long}`
  t.match(await refusalOf(`GET /${long}`), /^HTTP\/1\.1 414 URI Too Long\r\n[\s\S]*grantkeeper-error: path_rejected\r\n[\s\S]*too long/i)
  for (const packet of [head(origin), head(origin, 'origin')])
    t.match(await refusalOf(packet), /^HTTP\/1\.1 431 [\s\S]*access-control-allow-origin: https:\/\/app\.example\.com\r\n/i)
  for (const packet of [head('https://evil.example'), head(`${origin}.evil.example`), head(origin, 'X-Origin'), long, undefined])
    t.notMatch(await refusalOf(packet), /access-control-|^HTTP\/1\.1 414/i)
  t.match(lines[0], { requestId: 'id-1', status: 414, code: 'path_rejected', reason: 'HPE_HEADER_OVERFLOW' })
})

t.test('a refusal of what cannot be decoded, or is framed in an odd way, can be read on an allowed origin too', async t => {
  const origin = 'https://app.example.com'
  const { gateway, browser } = await connected(t, { environment: { ALLOWED_ORIGINS: origin } })
  for (const path of ['/%zz', `/connections/${'x'.repeat(300)}/refresh`]) {
    const answer = await browser.fetch(gateway.url + path, { headers: { origin }, method: path.includes('refresh') ? 'POST' : 'GET' })
    t.ok(answer.status >= 400)
    t.equal(answer.headers.get('access-control-allow-origin'), origin, path.slice(0, 20))
  }
  const headers = [`Origin: ${origin}`, 'Host: y']
  t.match(
    await rawCall({ gateway, browser }, 'GET /proxy/productboard/x', { headers }),
    /^HTTP\/1.1 400 [\s\S]*access-control-allow-origin: https:\/\/app/i
  )
})
