// Pomerium, CVE-2022-24797: the handlers for metrics and profiling answered anybody who could reach the sign-in service, with facts of
// its environment and with work that could be asked for without end.
//
// Here: the usual addresses of such handlers, for a stranger, for a person with a session and for another site.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { connected, problem } from '../support/connected.ts'

const addresses = [
  ...['/metrics', '/metrics/', '/prometheus', '/stats', '/status', '/server-status', '/info', '/version', '/env', '/config', '/configz'],
  ...['/debug', '/debug/pprof/', '/debug/pprof/heap', '/debug/pprof/profile?seconds=60', '/debug/vars', '/debug/config', '/trace'],
  ...['/json', '/json/list', '/heapdump', '/inspector', '/actuator', '/actuator/env', '/admin', '/admin/', '/.env', '/.git/config'],
  ...['/documentation/json', '/docs', '/openapi.json', '/routes', '/health', '/health/', '/health/metrics', '/healthz', '/readyz', '/livez']
]

t.test('CVE-2022-24797: nothing that is for the operator answers on the public port', async t => {
  const { gateway, browser, provider } = await connected(t)
  for (const path of addresses) {
    for (const [who, headers] of [
      [browser, {}],
      [new Browser(), { 'x-forwarded-for': '127.0.0.1' }]
    ] as const)
      await problem(t, await who.fetch(gateway.url + path, { headers }), 404, 'not_found')
  }
  t.equal(provider.seen.api.length, 0)
  for (const status of ['live', 'ready']) {
    const response = await fetch(`${gateway.url}/health/${status}`)
    t.same(await response.json(), { status }, 'health says one word')
    t.notOk(response.headers.has('server') || response.headers.has('x-powered-by'))
  }
})
