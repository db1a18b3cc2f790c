// undici, CVE-2026-1525: two `Content-Length` headers whose names differ in case were both sent, so the next server could use either.
// CVE-2026-1527: a line break in the value of `Upgrade` was written unchanged, and the text after it became headers or another request.
//
// Here: the client's lengths beside the gateway's own, and line breaks in every value that is forwarded.
import t from 'tap'
import { assertConnectError, assertProblem, signIn, startConnected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { pasteKey } from '../support/paste-key.ts'
import { assertRawError, sendRawRequest } from '../support/raw.ts'

t.test('CVE-2026-1525: exactly one length is forwarded; duplicates are rejected and look-alikes stripped', async t => {
  const s = await startConnected(t)
  const { api } = s.provider.seen
  const start = 'POST /proxy/productboard/x'
  for (const [first, second] of [
    [5, 5],
    [5, 6],
    [0, 5],
    [6, 5]
  ]) {
    const headers = [`Content-Length: ${first}`, `content-length: ${second}`]
    assertRawError(t, await sendRawRequest(s, start, { headers, body: 'hello!' }), 400, 'header_rejected', headers.join())
  }
  t.equal(api.length, 0)

  // A longer body is streamed, where other code writes the length.
  for (const body of ['hello', 'x'.repeat(100_000)]) {
    for (const connection of ['close', 'close, content-length']) {
      const lengths = [`cONTENT-lENGTH: ${body.length}`, 'Content_Length: 3', 'content_length: 0']
      t.match(await sendRawRequest(s, start, { headers: [...lengths, `Connection: ${connection}`], body }), /^HTTP\/1.1 200 /)
      const seen = api.at(-1)
      const sent = seen?.rawHeaders.filter((_, i, all) => i % 2 === 1 && /^content.length$/i.test(all[i - 1] ?? ''))
      t.same(sent, [String(body.length)])
      t.equal(seen?.body.toString(), body)
    }
  }
})

t.test('CVE-2026-1527: a line break in a value never becomes a header or a request', async t => {
  const s = await startConnected(t)
  const { api } = s.provider.seen
  const injected = ['X-Injected: 1', 'GET /injected HTTP/1.1']
  for (const name of ['Upgrade', 'X-Custom', 'Content-Type', 'Accept']) {
    for (const line of injected) {
      for (const value of [`websocket\r${line}`, `websocket\n${line}`, `websocket\r\n ${line}`, `websocket\0${line}`])
        assertRawError(
          t,
          await sendRawRequest(s, 'GET /proxy/productboard/x', { headers: [`${name}: ${value}`] }),
          400,
          'header_rejected',
          JSON.stringify(value)
        )
    }
  }
  for (const path of ['/a%0d%0aX-Injected:%201', '/a%0aX-Injected:%201', '/a%250d%250aX-Injected:%201'])
    assertRawError(t, await sendRawRequest(s, `GET /proxy/productboard${path}`), 400, 'path_rejected', path)
  await assertProblem(t, await pasteKey(s.gateway, s.browser, 'productboard', 'a\r\nX-Injected: 1'), 400, 'api_key_malformed')
  s.provider.token = (_, r) => json(r, 200, tokens({ access_token: 'a\r\nX-Injected: 1' }))
  assertConnectError(t, await signIn(s.gateway, s.browser), 'provider_unavailable')
  t.equal(api.length, 0)

  t.match(
    await sendRawRequest(s, 'GET /proxy/productboard/x?a=%0d%0aX-Injected:%201', { headers: ['X-Custom: a%0d%0aX-Injected: 1'] }),
    /^HTTP\/1.1 200 /
  )
  t.notOk(api[0]?.headers['x-injected'], 'encoded line breaks stay encoded')
  t.equal(api[0]?.url, '/base/x?a=%0d%0aX-Injected:%201')
})
