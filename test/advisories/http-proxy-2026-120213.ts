// @fastify/http-proxy, CVE-2026-120213: a parameter of the prefix was put into the upstream's path decoded, so `%2f`, `%23` and `%3f`
// in it became a slash, a fragment and a query: other segments above, and the rest of the path cut off.
//
// Here: the prefix has a parameter too, `/proxy/:provider/…`, and so have the routes beside it. What it decodes to is looked up as a
// whole and becomes part of no address.
import t from 'tap'
import { connected } from '../support/connected.ts'
import { rawCall, refusedRaw } from '../support/raw.ts'

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

t.test('CVE-2026-120213: a provider’s name that decodes into more than a name is no provider’s', async t => {
  const s = await connected(t)
  const granted = s.provider.seen.token.length
  for (const name of names) {
    for (const rest of ['/', '/x', '/x/y?z=1'])
      refusedRaw(t, await rawCall(s, `GET /proxy/${name}${rest}`), 404, 'provider_unknown', name + rest)
    refusedRaw(t, await rawCall(s, `POST /connections/${name}/refresh`), 404, 'provider_unknown', name)
    if (name !== '') refusedRaw(t, await rawCall(s, `DELETE /connections/${name}`), 404, 'provider_unknown', name)
    if (name !== '') refusedRaw(t, await rawCall(s, `GET /auth/${name}`), 404, 'provider_unknown', name)
  }
  const { api, token, revoke } = s.provider.seen
  t.same([api.length, token.length, revoke.length], [0, granted, 0])

  t.match(await rawCall(s, 'GET /proxy/product%62oard/a%2Fb/c?d'), /^HTTP\/1.1 200 /, 'a name is a name, however it is spelled')
  t.equal(api[0]?.url, '/base/a%2Fb/c?d', 'and what follows it goes up as it came')
})
