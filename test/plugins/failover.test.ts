import t from 'tap'
import { administer, eventually, untilReplicated } from '../stores/redis/topologies.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { newKey, startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'
import { startRedis } from '../support/redis.ts'

t.test('SEC-20: a sign-out or disconnect is confirmed only once a failover cannot undo it', async t => {
  const [master, replica] = await Promise.all([startRedis(t, ['--repl-diskless-sync-delay', '0']), startRedis(t)])
  await administer(replica, command => command('REPLICAOF', '127.0.0.1', master.port))
  await untilReplicated(master)
  const environment = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  const s = await startConnected(t, { environment: { ...environment, REDIS_URL: master.url } })
  t.equal((await pasteKey(s.gateway, s.browser, 'productboard', 'key')).status, 201)
  await untilReplicated(master)
  const [copy, client] = [s.browser.copy(), s.browser.copy()]

  replica.freeze()
  const response = await client.fetch(`${s.gateway.url}/logout`, { method: 'POST' })
  await assertProblem(t, response, 503, 'store_unavailable')
  t.same(response.headers.getSetCookie(), [], 'the browser keeps its cookies for a retry')
  t.equal((await copy.fetch(`${s.proxy}/x`)).status, 401, 'the session has ended on the master')
  await assertProblem(t, await client.fetch(`${s.gateway.url}/logout`, { method: 'POST' }), 503, 'store_unavailable')
  await assertProblem(t, await client.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' }), 503, 'store_unavailable')

  replica.thaw()
  await untilReplicated(master)
  // On a busy machine the replica may confirm too late for one sign-out, so the client retries after a 503.
  const signOut = async () => (await client.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status
  await eventually('the sign-out is confirmed', async () => (await signOut()) === 204)
  await master.stop()
  await administer(replica, command => command('REPLICAOF', 'NO', 'ONE'))
  const gateway = await startGateway(t, {
    clock: s.clock,
    environment: { ...s.provider.environment, ...environment, REDIS_URL: replica.url }
  })
  t.equal((await copy.fetch(`${gateway.url}/proxy/productboard/x`)).status, 401)
})
