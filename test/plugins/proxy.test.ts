import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'
import { sendRaw, sendRawRequest } from '../support/raw.ts'

t.test('a request is forwarded byte for byte, with the credential and without cookies or origin', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  const headers = {
    authorization: 'Bearer mine',
    'x-forwarded-for': '1.2.3.4',
    forwarded: 'for=1.2.3.4',
    'proxy-authorization': 'Basic x',
    x_forwarded_for: '1.2.3.4',
    'x-version': '1',
    'if-none-match': '"a"',
    origin: new URL(proxy).origin
  }
  const response = await browser.fetch(`${proxy}/v2/a%2Fb/..foo/%20x;p=1?q=a%2f..%2fb&&z=%zz+`, { headers })
  t.equal(response.status, 200)
  const [seen] = provider.seen.api
  t.equal(seen?.url, '/base/v2/a%2Fb/..foo/%20x;p=1?q=a%2f..%2fb&&z=%zz+')
  t.match(seen?.headers.authorization, /^Bearer access-\d+$/)
  t.match(seen?.headers, { 'x-version': '1', 'if-none-match': '"a"', host: new URL(provider.origin).host })
  for (const name of [
    'cookie',
    'x-forwarded-for',
    'forwarded',
    'proxy-authorization',
    'x_forwarded_for',
    'x-csrf',
    'origin',
    'sec-fetch-mode'
  ]) {
    t.notOk(seen?.headers[name], `${name} stops here`)
  }
})

t.test('every forwarded method arrives unchanged, with its body', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const body = method === 'GET' || method === 'HEAD' ? null : randomBytes(1000)
    const response = await browser.fetch(`${proxy}/x`, { method, body, headers: { 'content-type': 'application/octet-stream' } })
    t.equal(response.status, 200, method)
    const seen = provider.seen.api.at(-1)
    t.equal(seen?.method, method)
    t.ok(seen?.body.equals(body ?? Buffer.alloc(0)), `${method} body`)
  }
})

t.test('SEC-33: other methods are 405 with an Allow header', async t => {
  const { provider, browser, gateway, proxy } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  const cookie = browser.sessionPair(gateway.url)
  for (const method of ['TRACE', 'PROPFIND', 'QUERY']) {
    const response = await sendRaw(
      port,
      `${method} /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
    )
    t.match(response, /^HTTP\/1.1 405 /, method)
    t.match(response, /grantkeeper-error: method_not_allowed/i)
  }
  const put = await browser.fetch(`${gateway.url}/connections`, { method: 'PUT' })
  await assertProblem(t, put, 405, 'method_not_allowed')
  t.match(put.headers.get('allow'), /GET/)
  t.match(await sendRaw(port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n'), /^(HTTP\/1.1 4|$)/)
  t.equal(provider.seen.api.length, 0)
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
})

t.test('SEC-33: an upgrade is forwarded as a plain request', async t => {
  const { provider, browser, gateway } = await startConnected(t)
  const cookie = browser.sessionPair(gateway.url)
  const head = `GET /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`
  t.match(await sendRaw(Number(new URL(gateway.url).port), head), /^HTTP\/1.1 200 /)
  t.notOk(provider.seen.api[0]?.headers.upgrade)
  t.not(provider.seen.api[0]?.headers.connection, 'Upgrade')
})

t.test('SEC-16: a key in the URL is in no response header, and stands alone', async t => {
  const provider = await startFakeProvider(t, 'OUTGROW')
  provider.api = ({ url = '' }, r) =>
    r
      .setHeader('link', `<${url}?page=2>; rel="next"`)
      .setHeader('x-request-url', encodeURIComponent(url))
      .setHeader('x-page', '1')
      .setHeader('content-type', 'application/json')
      .end('{"success":true}')
  const gateway = await startGateway(t, { environment: { OUTGROW_API_URL: `${provider.origin}/base` } })
  const browser = new Browser()
  t.equal((await pasteKey(gateway, browser, 'outgrow', 'a/key+of=mine')).status, 201)
  const response = await browser.fetch(`${gateway.url}/proxy/outgrow/get_cal/x`, { headers: { 'Api-Key': 'another' } })
  t.equal(provider.seen.api.at(-1)?.url, '/base/get_cal/a%2Fkey%2Bof%3Dmine/x')
  t.notOk(provider.seen.api.at(-1)?.headers['api-key'])
  t.equal(response.headers.get('x-page'), '1')
  t.notMatch([...response.headers.values()].map(value => decodeURIComponent(decodeURIComponent(value))).join('\n'), 'a/key+of=mine')
})

t.test('a bad request has an error code of the contract, and is not forwarded', async t => {
  const { provider, browser, gateway, proxy } = await startConnected(t)
  await assertProblem(t, await browser.request(`${proxy}/x`), 403, 'csrf_rejected')
  await assertProblem(t, await browser.fetch(`${proxy}/x`, { headers: { 'x-csrf': '2' } }), 403, 'csrf_rejected')
  await assertProblem(t, await browser.fetch(`${proxy}/x`, { headers: { origin: 'https://evil.example' } }), 403, 'csrf_rejected')
  await assertProblem(t, await browser.fetch(`${proxy}/x`, { headers: { origin: 'null' } }), 403, 'csrf_rejected')
  await assertProblem(t, await browser.fetch(`${proxy}/x`, { headers: { 'sec-fetch-site': 'cross-site' } }), 403, 'csrf_rejected')
  await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/outgrow/x`), 404, 'provider_unknown')
  await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/__proto__/x`), 404, 'provider_unknown')
  await assertProblem(t, await browser.fetch(`${gateway.url}/proxy/${'x'.repeat(200)}/x`), 404, 'provider_unknown')
  await assertProblem(t, await browser.fetch(`${gateway.url}/nothing`), 404, 'not_found')
  await assertProblem(t, await browser.fetch(`${proxy}/a%5c..%5cb`), 400, 'path_rejected')
  await assertProblem(t, await browser.fetch(`${proxy}/%zz`), 400, 'path_rejected')
  const required = await assertProblem(t, await new Browser().fetch(`${proxy}/x`), 401, 'connection_required')
  t.match(required, { provider: 'productboard', connectUrl: `${gateway.url}/connect/productboard` })
  t.equal(provider.seen.api.length, 0)
})

t.test('SEC-28: dot segments, backslashes and absolute targets never leave the API’s base', async t => {
  const { provider, browser, gateway } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  const cookie = browser.sessionPair(gateway.url)
  const send = (target: string) =>
    sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`)
  for (const path of [
    '/../admin',
    '/a/../../admin',
    '/a\\..\\b',
    '/..;/x',
    '/%2e%2e/x',
    '/%252e%252e/x',
    '//evil.example/x',
    '/a#b',
    '/\x01',
    '/%00',
    '/%c0%ae%c0%ae/x'
  ]) {
    t.match(await send(`/proxy/productboard${path}`), /^HTTP\/1.1 400 /, JSON.stringify(path))
  }
  for (const target of ['http://evil.example/proxy/productboard/x', '/proxy/productboard/../ignition/x', '/proxy/../connections']) {
    t.match(await send(target), /^HTTP\/1.1 4/, target)
  }
  t.equal(provider.seen.api.length, 0)
  t.match(await send('/proxy/%70roductboard/ok'), /^HTTP\/1.1 200 /, 'an encoded provider name is the same provider')
  t.equal(provider.seen.api[0]?.url, '/base/ok')
})

t.test('SEC-32: ambiguous framing is refused and not forwarded', async t => {
  const { provider, browser, gateway } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  const cookie = `Cookie: ${browser.sessionPair(gateway.url)}\r\nX-CSRF: 1\r\n`
  const start = `POST /proxy/productboard/x HTTP/1.1\r\nHost: x\r\n${cookie}`
  const hostile = [
    `${start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${start}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
    `${start}Content-Length: 5, 6\r\n\r\nhello!`,
    `${start}Content-Length: +5\r\n\r\nhello`,
    `${start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `${start}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    `${start}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${start.replaceAll('\r\n', '\n')}Content-Length: 0\n\n`,
    `${start}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    `${start}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`,
    `${start}X: a\r\n b\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `${start}Bad Name: x\r\n\r\n`,
    `${start}X: a\x00b\r\n\r\n`
  ]
  for (const bytes of hostile) {
    const response = await sendRaw(port, bytes)
    t.match(response, /^HTTP\/1.1 400 /, JSON.stringify(bytes.slice(start.length, start.length + 60)))
    t.match(response, /grantkeeper-error: header_rejected/i)
  }
  const overflow = await sendRaw(port, `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)
  t.match(overflow, /^HTTP\/1.1 431 /)
  t.equal(provider.seen.api.length, 0)
})

t.test('SEC-30, SEC-31: response headers that would act on the gateway’s origin are stripped', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  provider.api = (_, r) =>
    void r
      .writeHead(
        200,
        [
          ['Set-Cookie', `${sessionCookie(proxy)}=stolen; Path=/`],
          ['Set-Cookie', 'b=2'],
          ['Clear-Site-Data', '"*"'],
          ['Access-Control-Allow-Origin', '*'],
          ['Strict-Transport-Security', 'max-age=0'],
          ['Alt-Svc', 'h3=":1"'],
          ['Refresh', '0;url=//evil'],
          ['WWW-Authenticate', 'Basic'],
          ['Service-Worker-Allowed', '/'],
          ['Grantkeeper-Error', 'x'],
          ['X-RateLimit-Remaining', '7'],
          ['Content-Type', 'text/html'],
          ['Content-Security-Policy', 'default-src *'],
          ['Cache-Control', 'public, max-age=60'],
          ['ETag', '"e"'],
          ['Vary', 'Accept']
        ].flat()
      )
      .end('<script>alert(1)</script>')
  const response = await browser.fetch(`${proxy}/x`)
  t.equal(await response.text(), '<script>alert(1)</script>')
  const headers = Object.fromEntries(response.headers)
  for (const name of [
    'set-cookie',
    'clear-site-data',
    'access-control-allow-origin',
    'strict-transport-security',
    'alt-svc',
    'refresh',
    'www-authenticate',
    'service-worker-allowed',
    'grantkeeper-error'
  ]) {
    t.notOk(headers[name], `${name} stops here`)
  }
  t.match(headers, {
    'x-ratelimit-remaining': '7',
    'content-type': 'text/html',
    etag: '"e"',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private, max-age=60',
    vary: 'Accept, Authorization, Grantkeeper-Connection, Grantkeeper-User, Cookie, Origin, X-CSRF'
  })
})

t.test('a Location within the API becomes a /proxy path', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  const cases = [
    [`${provider.origin}/base/v2/notes/1?x=1`, '/proxy/productboard/v2/notes/1?x=1'],
    ['/base/v2/notes/1', '/proxy/productboard/v2/notes/1'],
    ['1', '/proxy/productboard/v2/1'],
    ['/base', '/proxy/productboard'],
    [`${provider.origin}/base?x=1`, '/proxy/productboard?x=1'],
    ['/elsewhere', `${provider.origin}/elsewhere`],
    ['https://files.example/a', 'https://files.example/a'],
    ['javascript:alert(1)', null]
  ] as const
  for (const [location, shown] of cases) {
    provider.api = (_, r) => void r.writeHead(302, { location }).end()
    const response = await browser.fetch(`${proxy}/v2/notes`, { redirect: 'manual' })
    t.equal(response.status, 302)
    t.equal(response.headers.get('location'), shown)
  }
})

t.test('the provider’s own errors pass without the gateway’s error header', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  for (const status of [400, 403, 404, 409, 418, 422, 429, 500, 503]) {
    provider.api = (_, r) => json(r, status, { own: true }, { 'retry-after': '7' })
    const response = await browser.fetch(`${proxy}/x`)
    t.equal(response.status, status)
    t.same(await response.json(), { own: true })
    t.notOk(response.headers.has('grantkeeper-error'))
    t.equal(response.headers.get('retry-after'), '7')
  }
})

t.test('on a 401 the token is renewed once and the same request sent again', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  provider.api = (seen, r) =>
    seen.headers.authorization === 'Bearer fresh'
      ? json(r, 200, { ok: true })
      : json(r, 401, { secret: 'first response' }, { 'x-first': '1' })
  provider.token = (_, r) => json(r, 200, tokens({ access_token: 'fresh' }))
  const body = randomBytes(64 * 1024)
  const response = await browser.fetch(`${proxy}/v2/x?y=1`, { method: 'POST', body, headers: { 'content-type': 'a/b' } })
  t.equal(response.status, 200)
  t.notOk(response.headers.has('x-first'), 'nothing of the first response reaches the client')
  const [first, second] = provider.seen.api
  t.equal(provider.seen.api.length, 2)
  t.equal(first?.url, second?.url)
  t.ok(first?.body.equals(body) && second?.body.equals(body))
  t.match(new URLSearchParams(provider.seen.token[1]?.body.toString()).get('grant_type'), 'refresh_token')
  t.equal(provider.seen.token.length, 2)
})

t.test('a second 401 is passed on', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  provider.api = (_, r) => json(r, 401, { own: 'no' })
  const response = await browser.fetch(`${proxy}/x`)
  t.equal(response.status, 401)
  t.same(await response.json(), { own: 'no' })
  t.notOk(response.headers.has('grantkeeper-error'))
  t.equal(provider.seen.api.length, 2)
  t.equal(provider.seen.token.length, 2)
})

t.test('a path that always returns 401 costs one refresh, and other paths still renew', async t => {
  const { provider, browser, clock, proxy } = await startConnected(t)
  let good = ''
  provider.token = (_, r) => {
    good = `good-${provider.seen.token.length}`
    json(r, 200, tokens({ access_token: good }))
  }
  provider.api = (seen, r) => json(r, seen.url !== '/base/never' && seen.headers.authorization === `Bearer ${good}` ? 200 : 401, {})
  for (let i = 0; i < 5; i++) t.equal((await browser.fetch(`${proxy}/never`)).status, 401)
  t.equal(provider.seen.token.length, 2, 'the sign-in’s and one refresh')
  good = 'revoked early'
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
  t.equal(provider.seen.token.length, 3)
  clock.advance(60_000)
  await browser.fetch(`${proxy}/never`)
  t.equal(provider.seen.token.length, 4, 'after a minute it is tried again')
})

t.test('a body too large to buffer is not sent twice: the client gets retry_request', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  provider.api = (seen, r) =>
    seen.headers.authorization === 'Bearer fresh' ? json(r, 200, { length: seen.body.length }) : json(r, 401, {})
  provider.token = (_, r) => json(r, 200, tokens({ access_token: 'fresh' }))
  const send = () => browser.fetch(`${proxy}/x`, { method: 'POST', body: Buffer.alloc(64 * 1024 + 1) })
  const first = await send()
  await assertProblem(t, first, 503, 'retry_request')
  t.ok(first.headers.has('retry-after'))
  t.same(await (await send()).json(), { length: 64 * 1024 + 1 })
})

t.test('a token within a minute of its expiry is renewed before the request', async t => {
  const { provider, browser, clock, proxy } = await startConnected(t)
  await browser.fetch(`${proxy}/x`)
  t.equal(provider.seen.token.length, 1)
  clock.advance(3600_000 - 60_000)
  await Promise.all(Array.from({ length: 20 }, () => browser.fetch(`${proxy}/x`)))
  t.equal(provider.seen.token.length, 2)
  t.equal(new Set(provider.seen.api.slice(1).map(s => s.headers.authorization)).size, 1, 'no request had the old token')
  t.equal(provider.seen.api.length, 21)
})

t.test('SEC-13 in one process: fifty concurrent 401s cause one renewal, and every request succeeds', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  provider.api = (seen, r) => (seen.headers.authorization === 'Bearer fresh' ? json(r, 200, {}) : json(r, 401, {}))
  provider.token = (_, r) => json(r, 200, tokens({ access_token: 'fresh' }))
  const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await browser.fetch(`${proxy}/x`)).status))
  t.same(new Set(statuses), new Set([200]))
  t.equal(provider.seen.token.length, 2)
})

t.test('SEC-14: a grant that the provider has revoked makes the connection reconnect_required, without a loop', async t => {
  const { provider, browser, gateway, proxy } = await startConnected(t)
  provider.api = (_, r) => json(r, 401, {})
  provider.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
  for (let i = 0; i < 3; i++) {
    const said = await assertProblem(t, await browser.fetch(`${proxy}/x`), 401, 'reconnect_required')
    t.equal(said.connectUrl, `${gateway.url}/connect/productboard`)
  }
  t.equal(provider.seen.token.length, 2, 'the sign-in’s and one refresh')
  t.equal(provider.seen.api.length, 1)
  provider.token = (_, r) => json(r, 200, tokens())
  provider.api = (_, r) => json(r, 200, {})
  await signIn(gateway, browser)
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200, 'connecting again fixes it')
})

t.test('SEC-14: a transient error of the token endpoint ends nothing and causes a backoff', async t => {
  const { provider, browser, clock, proxy } = await startConnected(t)
  provider.api = (seen, r) => (seen.headers.authorization === 'Bearer fresh' ? json(r, 200, {}) : json(r, 401, {}))
  provider.token = (_, r) => void r.writeHead(503).end()
  const first = await browser.fetch(`${proxy}/x`)
  const said = await assertProblem(t, first, 502, 'provider_unavailable')
  t.equal(said.retryAfter, 1)
  t.equal(first.headers.get('retry-after'), '1')
  for (let i = 0; i < 5; i++) await assertProblem(t, await browser.fetch(`${proxy}/x`), 502, 'provider_unavailable')
  t.equal(provider.seen.token.length, 2, 'one try, and then a backoff')
  clock.advance(1000)
  provider.token = (_, r) => json(r, 200, tokens({ access_token: 'fresh' }))
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
})

t.test('a response streams: its first bytes arrive before its last are sent', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  let finish: (() => void) | undefined
  provider.api = (_, r) => {
    r.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    finish = () => r.end('data: 2\n\n')
  }
  const response = await browser.fetch(`${proxy}/events`)
  const reader = response.body?.getReader()
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'data: 1\n\n')
  finish?.()
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'data: 2\n\n')
  t.ok((await reader?.read())?.done)
})

t.test('the head of a response reaches the client before its body', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  const begun = Promise.withResolvers<ServerResponse>()
  provider.api = (_, r) => {
    r.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    begun.resolve(r)
  }
  const response = await browser.fetch(`${proxy}/events`)
  t.equal(response.status, 200)
  ;(await begun.promise).end()
  t.equal(await response.text(), '')
})

t.test('an upload is streamed with its length, or in chunks without one', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  const body = randomBytes(5 * 1024 * 1024)
  t.equal((await browser.fetch(`${proxy}/x`, { method: 'PUT', body })).status, 200)
  const sized = provider.seen.api.at(-1)
  t.equal(sized?.headers['content-length'], String(body.length))
  t.ok(sized?.body.equals(body))

  const stream = new ReadableStream({
    start(c) {
      for (let i = 0; i < 20; i++) c.enqueue(body.subarray(i * 10_000, (i + 1) * 10_000))
      c.close()
    }
  })
  t.equal((await browser.fetch(`${proxy}/x`, { method: 'PUT', body: stream, duplex: 'half' } as RequestInit)).status, 200)
  const chunked = provider.seen.api.at(-1)
  t.equal(chunked?.headers['transfer-encoding'], 'chunked')
  t.ok(chunked?.body.equals(body.subarray(0, 200_000)))
})

t.test('SEC-36: a body above the limit is refused, with a declared length or in chunks', async t => {
  const { provider, browser, gateway, proxy } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  const cookie = browser.sessionPair(gateway.url)
  const declared = await sendRaw(
    port,
    `POST /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nContent-Length: 99999999999\r\n\r\nabc`
  )
  t.match(declared, /^HTTP\/1.1 413 /)
  t.match(declared, /grantkeeper-error: body_too_large/i)

  const chunk = Buffer.alloc(1024 * 1024)
  let sent = 0
  const endless = new ReadableStream({
    pull(c) {
      sent++
      c.enqueue(chunk)
      if (sent > 40) c.close()
    }
  })
  await assertProblem(
    t,
    await browser.fetch(`${proxy}/x`, { method: 'POST', body: endless, duplex: 'half' } as RequestInit),
    413,
    'body_too_large'
  )
  t.equal(provider.seen.api.length, 0, 'no complete request arrived')
})

t.test('a provider error is 502 before the head, and aborts the response after', async t => {
  const { provider, browser, gateway, proxy } = await startConnected(t)
  provider.api = (_, r) => void r.destroy()
  const said = await assertProblem(t, await browser.fetch(`${proxy}/x`), 502, 'provider_unavailable')
  t.equal(said.provider, 'productboard')

  provider.api = (_, r) => void r.socket?.end('this is no HTTP\r\n\r\n')
  await assertProblem(t, await browser.fetch(`${proxy}/x`), 502, 'provider_unavailable')

  provider.api = (_, r) => {
    r.writeHead(200, { 'content-length': '1000' })
    r.write('short', () => r.destroy())
  }
  await t.rejects(
    browser.fetch(`${proxy}/x`).then(r => r.text()),
    'the client sees a truncated response'
  )
  t.match(gateway.logs.join(''), /response aborted/)
  provider.api = (_, r) => json(r, 200, {})
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
})

t.test('a disconnected client aborts the request to the provider', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  const started = Promise.withResolvers<ServerResponse>()
  provider.api = (_, r) => {
    r.writeHead(200).write('x')
    started.resolve(r)
  }
  const leaving = new AbortController()
  const response = await browser.fetch(`${proxy}/x`, { signal: leaving.signal })
  const upstream = await started.promise
  leaving.abort()
  await once(upstream, 'close')
  t.notOk(upstream.writableFinished)
  t.rejects(response.text())

  const silent = Promise.withResolvers<ServerResponse>()
  provider.api = (_, r) => silent.resolve(r)
  const waiting = new AbortController()
  const call = browser.fetch(`${proxy}/x`, { signal: waiting.signal })
  const open = await silent.promise
  waiting.abort()
  await t.rejects(call)
  await once(open, 'close')
  t.pass('before the head as well')
})

t.test('SEC-35: odd headers never cost a pooled connection', async t => {
  const { provider, browser, gateway } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  const cookie = browser.sessionPair(gateway.url)
  const odd = [
    'Connection: keep-alive, x',
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Trailer: X',
    'Upgrade: h2c',
    'Expect: 100-continue',
    'Proxy-Connection: close',
    'X: \xe9',
    'X-\x7f: y',
    'X: a\tb',
    'HTTP2-Settings: x',
    'Content-Length: 0'
  ]
  for (let i = 0; i < 1000; i += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, j) =>
        sendRaw(
          port,
          `GET /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n${odd[(i + j) % odd.length]}\r\nConnection: close\r\n\r\n`
        )
      )
    )
  }
  let open = 0
  const all = Promise.withResolvers<void>()
  const responses: ServerResponse[] = []
  provider.api = (_, r) => {
    responses.push(r)
    if (++open === 100) all.resolve()
  }
  const calls = Array.from({ length: 100 }, () => browser.fetch(`${gateway.url}/proxy/productboard/x`))
  await all.promise
  for (const r of responses) json(r, 200, {})
  t.same(new Set((await Promise.all(calls)).map(r => r.status)), new Set([200]))
})

t.test('a frontend on an allowed origin can read the response and all of its headers', async t => {
  const { provider, browser, proxy } = await startConnected(t, { environment: { ALLOWED_ORIGINS: 'https://app.example.com' } })
  const origin = 'https://app.example.com'
  provider.api = (_, r) => json(r, 200, {}, { 'x-ratelimit-remaining': '3' })
  const response = await browser.fetch(`${proxy}/x`, { headers: { origin } })
  t.match(Object.fromEntries(response.headers), {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': /x-ratelimit-remaining/
  })
  const refusal = await browser.request(`${proxy}/x`, { headers: { origin } })
  t.equal(refusal.headers.get('access-control-allow-origin'), origin, 'an error is readable too')

  const preflight = (from: string) =>
    fetch(`${proxy}/x`, {
      method: 'OPTIONS',
      headers: { origin: from, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'x-csrf, x-version' }
    })
  const yes = await preflight(origin)
  t.equal(yes.status, 204)
  t.match(Object.fromEntries(yes.headers), {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': /DELETE/,
    'access-control-allow-headers': 'x-csrf, x-version'
  })
  for (const from of ['https://evil.example', 'null', 'https://app.example.com.evil.example', 'http://app.example.com']) {
    const no = await preflight(from)
    t.equal(no.status, 403, from)
    for (const [name] of no.headers) t.notMatch(name, /^access-control-allow-(origin|methods|headers)/)
  }
})

t.test('SEC-36: a small limit holds for a body in chunks too', async t => {
  const definitions = (await loadProviders()).map(definition => ({ ...definition, api: { ...definition.api, maxBodyBytes: 1000 } }))
  const { provider, browser, proxy } = await startConnected(t, { definitions })
  const inChunks = (bytes: number) => {
    const body = new ReadableStream({
      start(c) {
        c.enqueue(Buffer.alloc(bytes))
        c.close()
      }
    })
    return browser.fetch(`${proxy}/x`, { method: 'POST', body, duplex: 'half' } as RequestInit)
  }
  t.equal((await inChunks(1000)).status, 200)
  await assertProblem(t, await inChunks(1001), 413, 'body_too_large')
  t.equal(provider.seen.api.length, 1)
})

t.test('a file name in any encoding passes byte for byte, with the file’s length', async t => {
  const { provider, browser, gateway } = await startConnected(t)
  const cookie = browser.sessionPair(gateway.url)
  for (const name of ['日.pdf', 'Ü.pdf', 'plain.pdf']) {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Disposition: attachment; filename="${name}"\r\nConnection: close\r\n\r\nabc`
    provider.api = (_, r) => void r.socket?.end(head)
    const response = await sendRaw(
      Number(new URL(gateway.url).port),
      `GET /proxy/productboard/x HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
    )
    t.match(response, /^HTTP\/1.1 200 /, name)
    t.ok(Buffer.from(response, 'latin1').includes(`filename="${name}"`), name)
    t.match(response, /content-length: 3\r\n/i)
    t.match(response, /abc$/)
  }
})

t.test('RFC 9110 §8.6: a response that cannot have a body has no Content-Length', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  provider.api = (_, r) => void r.socket?.end('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-Its: own\r\n\r\n')
  const response = await browser.fetch(`${proxy}/x`)
  t.equal(response.status, 204)
  t.equal(response.headers.get('content-length'), null)
  t.equal(response.headers.get('x-its'), 'own')
})

t.test('the API’s base can be requested, with or without query, body and slash', async t => {
  const { gateway, provider, browser, proxy } = await startConnected(t)
  for (const [below, url] of [
    ['', '/base'],
    ['?q', '/base?q'],
    ['?q=a/b%2F&c', '/base?q=a/b%2F&c'],
    ['?', '/base?'],
    ['/', '/base/'],
    ['/?q', '/base/?q']
  ] as const) {
    // Raw, because fetch omits an empty query.
    t.equal((await sendRawRequest({ gateway, browser }, `GET ${new URL(proxy).pathname}${below}`)).split(' ')[1], '200', below)
    t.equal(provider.seen.api.at(-1)?.url, url)
  }
  const body = '{"query":"{ me }"}'
  t.equal((await browser.fetch(proxy, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status, 200)
  t.match(provider.seen.api.at(-1), { method: 'POST', url: '/base', headers: { 'content-type': 'application/json' } })
  t.equal(provider.seen.api.at(-1)?.body.toString(), body)
  await assertProblem(t, await browser.request(proxy), 403, 'csrf_rejected')
  await assertProblem(t, await new Browser().fetch(`${proxy}?q`), 401, 'connection_required')
  await assertProblem(t, await browser.fetch(proxy.replace('productboard', 'nobody')), 404, 'provider_unknown')
  t.equal(provider.seen.api.length, 7)
})

t.test('a malformed Content-Type is forwarded unchanged, with a body and without', async t => {
  const { gateway, provider, browser, proxy } = await startConnected(t)
  const types = [
    'json',
    'text',
    '',
    'undefined',
    'application/json, application/json',
    '/',
    ';',
    'a/b;;;',
    'text/',
    '"',
    'caf\xe9',
    'application/json;a="',
    ' , '
  ]
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'GET']) {
    for (const type of types) {
      for (const body of method === 'GET' ? [''] : ['', '{"a":1}']) {
        const lines = [`Content-Type: ${type}`, ...(method === 'GET' ? [] : [`Content-Length: ${body.length}`])]
        const response = await sendRawRequest({ gateway, browser }, `${method} /proxy/productboard/x`, { headers: lines, body: body })
        t.match(response, /^HTTP\/1.1 200 /, `${method} ${JSON.stringify(type)} ${body}`)
        const seen = provider.seen.api.at(-1)
        t.equal(seen?.rawHeaders[seen.rawHeaders.indexOf('Content-Type') + 1], type.trim(), JSON.stringify(type))
        t.equal(seen?.body.toString(), body)
      }
    }
  }
  const response = await sendRawRequest({ gateway, browser }, 'POST /proxy/productboard/x', {
    headers: ['Content-Type: a/b', 'Content-Type: c/d', 'Content-Length: 2'],
    body: 'hi'
  })
  t.match(response, /^HTTP\/1.1 200 /)
  t.match(provider.seen.api.at(-1)?.rawHeaders.join(), 'Content-Type,a/b,Content-Type,c/d')
  t.equal((await browser.fetch(`${proxy}/x`, { method: 'POST', body: Buffer.from('no type') })).status, 200)
  t.notOk(provider.seen.api.at(-1)?.headers['content-type'], 'none is added')
})

t.test('a request without a User-Agent gets the gateway’s', async t => {
  const { gateway, provider, browser } = await startConnected(t)
  for (const [lines, agent] of [
    [[], 'grantkeeper'],
    [['User-Agent:'], 'grantkeeper'],
    [['User-Agent: curl/8'], 'curl/8'],
    [['user-agent: mine'], 'mine']
  ] as const) {
    t.match(await sendRawRequest({ gateway, browser }, 'GET /proxy/productboard/x', { headers: [...lines] }), /^HTTP\/1.1 200 /)
    t.equal(provider.seen.api.at(-1)?.headers['user-agent'], agent)
  }
})

t.test('SEC-29: a method override is refused, unless it repeats the method', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  const ask = (method: string, name: string, value: string) => browser.fetch(`${proxy}/x`, { method, headers: { [name]: value } })
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'x_http_method_override']) {
    for (const [method, value] of [
      ['POST', 'DELETE'],
      ['POST', 'patch'],
      ['POST', 'MERGE'],
      ['GET', 'DELETE'],
      ['POST', '']
    ] as const)
      t.match(await assertProblem(t, await ask(method, name, value), 400, 'header_rejected'), { detail: new RegExp(name, 'i') })
  }
  t.equal(provider.seen.api.length, 0)
  t.equal((await ask('POST', 'X-HTTP-Method-Override', 'post')).status, 200)
  t.notOk(provider.seen.api[0]?.headers['x-http-method-override'])
})

t.test('a definition may allow method overrides, to forwarded methods only', async t => {
  const definitions = (await loadProviders()).map(definition => ({
    ...definition,
    api: { ...definition.api, methodOverride: true, methods: ['GET', 'POST', 'PATCH'] as const }
  }))
  const { provider, browser, proxy } = await startConnected(t, { definitions })
  const ask = (value: string) => browser.fetch(`${proxy}/x`, { method: 'POST', body: 'x', headers: { 'X-HTTP-Method-Override': value } })
  t.equal((await ask('PATCH')).status, 200)
  t.match(provider.seen.api[0], { method: 'POST', headers: { 'x-http-method-override': 'PATCH' } })
  const refused = await ask('DELETE')
  await assertProblem(t, refused, 405, 'method_not_allowed')
  t.equal(refused.headers.get('allow'), 'GET, POST, PATCH')
  t.equal(provider.seen.api.length, 1)
})
