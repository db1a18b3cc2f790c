// @fastify/reply-from, CVE-2026-16158: the key of its URL cache was the destination and the path without a separator, so two upstreams could
// share an entry, and a request for one went to the other.
//
// Here: two providers whose base URL and path join to the same text, and two users who send requests to both at once.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

t.test('CVE-2026-16158: requests with the same joined path reach their own provider with their own credential', async t => {
  const [short, long] = [await startFakeProvider(t), await startFakeProvider(t, 'IGNITION')]
  const bases = { PRODUCTBOARD_API_URL: `${short.origin}/a`, IGNITION_API_URL: `${long.origin}/a/b` }
  const gateway = await startGateway(t, { environment: { ...short.environment, ...long.environment, ...bases } })
  const browsers = [new Browser(), new Browser()]
  for (const browser of browsers) for (const name of ['productboard', 'ignition']) await signIn(gateway, browser, name)
  const seenTokens = new Set<string>()
  for (const { seen } of [short, long]) t.equal(seen.token.length, 2)

  const paths = ['productboard/b/x?a=b', 'ignition/x?a=b', 'ignition/x?a=b', 'productboard/b/x?a=b']
  for (let round = 0; round < 3; round++) {
    const requests = browsers.flatMap(browser => paths.map(path => browser.fetch(`${gateway.url}/proxy/${path}`)))
    t.same(new Set((await Promise.all(requests)).map(({ status }) => status)), new Set([200]))
  }
  for (const { seen } of [short, long]) {
    t.equal(seen.api.length, 12, 'each provider gets its own requests')
    t.same(new Set(seen.api.map(({ url }) => url)), new Set(['/a/b/x?a=b']))
    const tokens = new Set(seen.api.map(({ headers }) => headers.authorization ?? ''))
    t.equal(tokens.size, 2, 'one token a user')
    for (const token of tokens) {
      t.notOk(seenTokens.has(token), 'the other provider never sees it')
      seenTokens.add(token)
    }
  }
})
