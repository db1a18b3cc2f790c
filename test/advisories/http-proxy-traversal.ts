// @fastify/http-proxy: three ways out of the prefix to which a client is limited.
// CVE-2026-85124: dot segments after backslashes, with which the upstream's URL was resolved.
// CVE-2026-16117: a percent-encoded prefix matches the route and is not rewritten, so the upstream gets the whole path.
// CVE-2026-15631: dot segments in an upgrade request, whose path was not checked.
//
// Here: the same attacks on the API's base path, `/base`, and on a definition that forwards only `/v2`.
import t from 'tap'
import productboard from '../../providers/productboard.ts'
import { startConnected } from '../support/connected.ts'
import { assertRawError, sendRawRequest } from '../support/raw.ts'

const definitions = [{ ...productboard, api: { ...productboard.api, paths: ['/v2'] } }]

t.test('CVE-2026-85124: dot segments after backslashes do not leave the base', async t => {
  const s = await startConnected(t, { definitions })
  const climbs = [
    '\\..\\..\\admin',
    '\\..\\..\\/admin',
    '/..\\..\\admin',
    '/%5c..%5c..%5cadmin',
    '/..%5C..%5Cadmin',
    '/%255c..%255cadmin',
    '/..\\'
  ]
  for (const climb of climbs) {
    for (const path of [climb, `/v2${climb}`, `/v2/a${climb}`]) {
      const response = await sendRawRequest(s, `GET /proxy/productboard${path}`)
      if (path.startsWith('/')) assertRawError(t, response, 400, 'path_rejected', path)
      else t.match(response, /^HTTP\/1.1 40[04] /, path)
    }
  }
  t.equal(s.provider.seen.api.length, 0)
  t.match(await sendRawRequest(s, 'GET /proxy/productboard/v2/a..b/...?c=\\..\\'), /^HTTP\/1.1 200 /)
  t.equal(s.provider.seen.api[0]?.url, '/base/v2/a..b/...?c=\\..\\', 'dots in a name and backslashes in a query are forwarded')
})

t.test('CVE-2026-16117: an encoded prefix is the same prefix or none, and is never forwarded', async t => {
  const s = await startConnected(t, { definitions })
  const { api } = s.provider.seen
  for (const prefix of ['/%70roxy/productboard', '/proxy/%70roductboard', '/%70%72%6f%78%79/product%62oard']) {
    for (const path of ['/admin', '/v2/%2e%2e/admin', '/v2%2F..%2Fadmin', '/v%32/../admin'])
      assertRawError(t, await sendRawRequest(s, `GET ${prefix}${path}`), 400, 'path_rejected', prefix + path)
    t.equal(api.length, 0)
    t.match(await sendRawRequest(s, `GET ${prefix}/v2/notes`), /^HTTP\/1.1 200 /)
    t.equal(api.pop()?.url, '/base/v2/notes')
  }
  for (const target of [
    '/proxy%2Fproductboard/v2/x',
    '//proxy/productboard/v2/x',
    '/%2fproxy/productboard/v2/x',
    '/proxy/productboard%2Fv2/x'
  ])
    t.match(await sendRawRequest(s, `GET ${target}`), /^HTTP\/1.1 404 /, target)
  t.equal(api.length, 0)
})

t.test('CVE-2026-15631: an upgrade request is guarded like any other, and upgrades nothing', async t => {
  const s = await startConnected(t, { definitions })
  const { api } = s.provider.seen
  const websocket = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  for (const connection of ['Upgrade, close', 'close']) {
    const headers = [`Connection: ${connection}`, ...websocket]
    for (const path of ['/../admin', '/v2/../../admin', '/v2/%2e%2e/admin', '/v2/..%2fadmin', '/v2/.%2e/admin', '/v2/..;/admin'])
      assertRawError(t, await sendRawRequest(s, `GET /proxy/productboard${path}`, { headers }), 400, 'path_rejected', path)
    t.equal(api.length, 0)
    t.match(await sendRawRequest(s, 'GET /proxy/productboard/v2/x', { headers }), /^HTTP\/1.1 200 /)
    const seen = api.pop()
    t.match(seen, { url: '/base/v2/x', headers: { authorization: /^Bearer / } })
    for (const name of ['upgrade', 'sec-websocket-key', 'sec-websocket-version']) t.notOk(seen?.headers[name], name)
  }
})
