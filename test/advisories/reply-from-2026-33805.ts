// @fastify/reply-from, CVE-2026-33805: the headers that a client names in `Connection` were stripped after the proxy had added its own, so a
// client could remove headers on which the upstream relies.
//
// Here: a client's `Connection` names the credential, the definition's header, the length and the host; a provider's names the headers that
// make a body harmless.
import t from 'tap'
import productboard from '../../providers/productboard.ts'
import { startConnected } from '../support/connected.ts'
import { sendRawRequest } from '../support/raw.ts'

const definitions = [{ ...productboard, api: { ...productboard.api, headers: { 'x-version': '2' } } }]

t.test('CVE-2026-33805: a client’s Connection strips only its own headers', async t => {
  const s = await startConnected(t, { definitions })
  const names = 'Authorization, X-Version, x_version, Content-Length, Host, X-Mine'
  for (const connection of [[`Connection: close, ${names}`], ['Connection: close', `Connection: ${names}`]]) {
    const headers = [...connection, 'X-Mine: 1', 'X-Other: 1', 'Content-Length: 5']
    t.match(await sendRawRequest(s, 'POST /proxy/productboard/x', { headers, body: 'hello' }), /^HTTP\/1.1 200 /)
    const seen = s.provider.seen.api.at(-1)
    t.match(seen?.headers, {
      authorization: /^Bearer access-\d+$/,
      'x-version': '2',
      host: new URL(s.provider.origin).host,
      'content-length': '5',
      'x-other': '1'
    })
    t.notOk(seen?.headers['x-mine'], 'a hop-by-hop header is stripped')
    t.equal(seen?.body.toString(), 'hello')
  }
})

t.test('CVE-2026-33805: a provider’s Connection does not strip the gateway’s headers', async t => {
  const { provider, browser, proxy } = await startConnected(t)
  const connection = 'content-security-policy, x-content-type-options, cache-control, vary, x-hop'
  provider.api = (_, r) => void r.writeHead(200, { connection, 'x-hop': '1', 'x-other': '1' }).end('<script>')
  const response = await browser.fetch(`${proxy}/x`)
  t.match(Object.fromEntries(response.headers), {
    'content-security-policy': /sandbox/,
    'x-content-type-options': 'nosniff',
    'cache-control': /private/,
    vary: /Cookie/,
    'x-other': '1'
  })
  t.notOk(response.headers.has('x-hop'))
})
