import t from 'tap'
import { Browser } from '../support/browser.ts'
import { connected } from '../support/connected.ts'
import { raw } from '../support/raw.ts'

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
    [431, `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'line-canary'.repeat(3000)}\r\n\r\n`]
  ] as const) {
    const answer = await raw(port, sent)
    const problem = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))
    t.match(problem, { type: 'urn:latchkey:problem:header_rejected', title: /./, status, detail: /./, code: 'header_rejected' })
    t.equal(gateway.logs.filter(line => JSON.parse(line).requestId === problem.requestId).length, 1, `${status}`)
  }
  t.notMatch(gateway.logs.join(''), 'line-canary')
})
