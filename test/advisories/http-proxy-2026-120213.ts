// @fastify/http-proxy, CVE-2026-120213: a parameter of the prefix was decoded into the upstream's path, so `%2f`, `%23` and `%3f` became a
// slash, a fragment and a query, which added segments and cut off the rest of the path.
//
// Here: `/proxy/:provider/…` and other routes have a parameter too. Its decoded value is looked up as a whole and becomes part of no URL.
import t from 'tap'
import { startConnected } from '../support/connected.ts'
import { assertRawError, sendRawRequest } from '../support/raw.ts'

const names = [
  'productboard%2Fadmin',
  'productboard%2Fadmin%3F',
  'productboard%2Fadmin%23',
  'productboard%3Fx=',
  'productboard%23',
  'productboard%2F..%2F..',
  '%2e%2e%2fproductboard',
  '%2Fproductboard',
  'productboard%00',
  'productboard%20',
  'PRODUCTBOARD',
  ''
]

t.test('CVE-2026-120213: a provider name that decodes to more than a name is unknown', async t => {
  const s = await startConnected(t)
  const tokenRequests = s.provider.seen.token.length
  for (const name of names) {
    for (const rest of ['/', '/x', '/x/y?z=1'])
      assertRawError(t, await sendRawRequest(s, `GET /proxy/${name}${rest}`), 404, 'provider_unknown', name + rest)
    assertRawError(t, await sendRawRequest(s, `POST /connections/${name}/refresh`), 404, 'provider_unknown', name)
    if (name !== '') assertRawError(t, await sendRawRequest(s, `DELETE /connections/${name}`), 404, 'provider_unknown', name)
    if (name !== '') assertRawError(t, await sendRawRequest(s, `GET /auth/${name}`), 404, 'provider_unknown', name)
  }
  const { api, token, revoke } = s.provider.seen
  t.same([api.length, token.length, revoke.length], [0, tokenRequests, 0])

  t.match(await sendRawRequest(s, 'GET /proxy/product%62oard/a%2Fb/c?d'), /^HTTP\/1.1 200 /, 'an encoded name is decoded')
  t.equal(api[0]?.url, '/base/a%2Fb/c?d', 'the path after it is forwarded unchanged')
})
