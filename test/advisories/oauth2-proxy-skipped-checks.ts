// oauth2-proxy, CVE-2025-54576: the patterns of public paths were matched against the query too, so a query that resembled such a path made
// any path public. CVE-2026-40575: they were matched against the client's own `X-Forwarded-Uri`.
//
// Here: queries and headers that name a public path, on requests without a session or `X-CSRF`, or with a path or method that the definition
// does not forward.
import t, { type Test } from 'tap'
import productboard from '../../providers/productboard.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, type ConnectedGateway, startConnected } from '../support/connected.ts'

const definitions = [{ ...productboard, api: { ...productboard.api, paths: ['/v2'], methods: ['GET' as const] } }]

async function assertRejected(
  t: Test,
  { browser, provider, proxy }: ConnectedGateway,
  query: string,
  headers: Record<string, string> = {}
) {
  await assertProblem(t, await browser.request(`${proxy}/v2/x${query}`, { headers }), 403, 'csrf_rejected')
  await assertProblem(t, await new Browser().fetch(`${proxy}/v2/x${query}`, { headers }), 401, 'connection_required')
  await assertProblem(t, await browser.fetch(`${proxy}/admin${query}`, { headers }), 400, 'path_rejected')
  await assertProblem(t, await browser.fetch(`${proxy}/v2/x${query}`, { headers, method: 'POST' }), 405, 'method_not_allowed')
  t.equal(provider.seen.api.length, 0)
}

t.test('CVE-2025-54576: no query skips the checks of path, method or session', async t => {
  const s = await startConnected(t, { definitions })
  for (const query of ['?/health/live', '?/v2/x', '?path=/v2', '?/../../v2', '?_method=GET&method=GET', '?x-csrf=1&X-CSRF=1&csrf=1'])
    await assertRejected(t, s, query)
  t.equal((await s.browser.fetch(`${s.proxy}/v2/x?next=/admin&_method=GET`)).status, 200)
  t.equal(s.provider.seen.api[0]?.url, '/base/v2/x?next=/admin&_method=GET', 'the query is forwarded unchanged')
})

t.test('CVE-2026-40575: headers that claim another path or method are ignored and stripped', async t => {
  const s = await startConnected(t, { definitions })
  const claims = (uri: string) => ({
    'x-forwarded-uri': uri,
    'x-forwarded-path': uri,
    'x-forwarded-prefix': uri,
    'x-forwarded-method': 'GET',
    'x-original-url': uri,
    'x-original-uri': uri,
    'x-rewrite-url': uri,
    'x-http-method-override': 'GET',
    'x-method-override': 'GET'
  })
  for (const uri of ['/health/live', '/proxy/productboard/v2/x', '/v2/x', '/']) await assertRejected(t, s, '', claims(uri))
  t.equal((await s.browser.fetch(`${s.proxy}/v2/x`, { headers: claims('/admin') })).status, 200)
  const [seen] = s.provider.seen.api
  t.equal(seen?.url, '/base/v2/x')
  for (const name of Object.keys(claims(''))) t.notOk(seen?.headers[name], `${name} is stripped`)
})
