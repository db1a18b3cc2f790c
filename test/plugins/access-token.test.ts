import t from 'tap'
import { assertProblem } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { startUserGateway } from '../support/users.ts'

t.test('SEC-58: a service key that may is handed the access token', async t => {
  const { backendFor, connect, provider } = await startUserGateway(t)
  provider.token = (_seen, response) => json(response, 200, tokens({ access_token: 'access-canary' }))
  await connect('ada')
  const response = await backendFor('ada', 'reader').send('POST', '/connections/productboard/token')
  t.equal(response.status, 200)
  t.match(await response.json(), { accessToken: 'access-canary', tokenType: 'Bearer', expiresAt: /Z$/ })
  t.equal(response.headers.get('cache-control'), 'no-store')
  await assertProblem(t, await backendFor('eve', 'reader').send('POST', '/connections/productboard/token'), 401, 'connection_required')
})

t.test('SEC-58: nobody else is handed an access token', async t => {
  const { as, backendFor, connect, gateway } = await startUserGateway(t)
  await connect('ada')
  for (const client of [as('ada'), backendFor('ada', 'plain')])
    await assertProblem(t, await client.send('POST', '/connections/productboard/token'), 403, 'not_allowed')
  const withoutBearer = await fetch(`${gateway.url}/connections/productboard/token`, { method: 'POST', headers: { 'x-csrf': '1' } })
  await assertProblem(t, withoutBearer, 403, 'not_allowed')
})

t.test('a token that is handed out is good for five minutes more', async t => {
  const { backendFor, connect, provider, clock } = await startUserGateway(t)
  await connect('ada')
  const read = async () =>
    ((await (await backendFor('ada', 'reader').send('POST', '/connections/productboard/token')).json()) as { accessToken: string })
      .accessToken
  const first = await read()
  clock.advance(54 * 60_000)
  t.equal(await read(), first)
  clock.advance(2 * 60_000)
  t.not(await read(), first)
  t.equal(provider.seen.token.length, 2)
})

t.test('a token that still works is handed out while it cannot be renewed', async t => {
  const { backendFor, connect, provider, clock } = await startUserGateway(t)
  await connect('ada')
  provider.token = (_seen, response) => json(response, 503, {})
  clock.advance(56 * 60_000)
  t.equal((await backendFor('ada', 'reader').send('POST', '/connections/productboard/token')).status, 200)
  clock.advance(5 * 60_000)
  await assertProblem(t, await backendFor('ada', 'reader').send('POST', '/connections/productboard/token'), 502, 'provider_unavailable')
})
