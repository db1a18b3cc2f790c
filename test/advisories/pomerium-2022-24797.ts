// Pomerium, CVE-2022-24797: the endpoints for metrics and profiling were open to every client of the sign-in service. They revealed facts of
// its environment and could be made to work without end.
//
// Here: the common paths of such endpoints, for a client with a session and for one without.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, startConnected } from '../support/connected.ts'

const paths = [
  ...['/metrics', '/metrics/', '/prometheus', '/stats', '/status', '/server-status', '/info', '/version', '/env', '/config', '/configz'],
  ...['/debug', '/debug/pprof/', '/debug/pprof/heap', '/debug/pprof/profile?seconds=60', '/debug/vars', '/debug/config', '/trace'],
  ...['/json', '/json/list', '/heapdump', '/inspector', '/actuator', '/actuator/env', '/admin', '/admin/', '/.env', '/.git/config'],
  ...['/documentation/json', '/docs', '/openapi.json', '/routes', '/health', '/health/', '/health/metrics', '/healthz', '/readyz', '/livez']
]

t.test('CVE-2022-24797: the public port has no endpoints for the operator', async t => {
  const { gateway, browser, provider } = await startConnected(t)
  for (const path of paths) {
    for (const [client, headers] of [
      [browser, {}],
      [new Browser(), { 'x-forwarded-for': '127.0.0.1' }]
    ] as const)
      await assertProblem(t, await client.fetch(gateway.url + path, { headers }), 404, 'not_found')
  }
  t.equal(provider.seen.api.length, 0)
  for (const status of ['live', 'ready']) {
    const response = await fetch(`${gateway.url}/health/${status}`)
    t.same(await response.json(), { status }, 'a health check returns only its status')
    t.notOk(response.headers.has('server') || response.headers.has('x-powered-by'))
  }
})
