// @fastify/reply-from, CVE-2026-16158: the key of its URL cache was the destination and the path put together without anything
// between them, so two upstreams could share an entry, and a call for one went to the other.
//
// Here: two providers whose bases and paths put together are the same text, and two persons who call both at once.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

t.test('CVE-2026-16158: calls whose base and path read the same go each to its own provider, with its own credential', async t => {
  const [short, long] = [await startFakeProvider(t), await startFakeProvider(t, 'IGNITION')]
  const bases = { PRODUCTBOARD_API_URL: `${short.origin}/a`, IGNITION_API_URL: `${long.origin}/a/b` }
  const gateway = await startGateway(t, { environment: { ...short.environment, ...long.environment, ...bases } })
  const persons = [new Browser(), new Browser()]
  for (const person of persons) for (const name of ['productboard', 'ignition']) await signIn(gateway, person, name)
  const granted = new Set<string>()
  for (const { seen } of [short, long]) t.equal(seen.token.length, 2)

  const paths = ['productboard/b/x?a=b', 'ignition/x?a=b', 'ignition/x?a=b', 'productboard/b/x?a=b']
  for (let round = 0; round < 3; round++) {
    const calls = persons.flatMap(person => paths.map(path => person.fetch(`${gateway.url}/proxy/${path}`)))
    t.same(new Set((await Promise.all(calls)).map(({ status }) => status)), new Set([200]))
  }
  for (const { seen } of [short, long]) {
    t.equal(seen.api.length, 12, 'each provider got its own calls')
    t.same(new Set(seen.api.map(({ url }) => url)), new Set(['/a/b/x?a=b']))
    const tokens = new Set(seen.api.map(({ headers }) => headers.authorization ?? ''))
    t.equal(tokens.size, 2, 'one token a person')
    for (const token of tokens) {
      t.notOk(granted.has(token), 'which the other provider never saw')
      granted.add(token)
    }
  }
})
