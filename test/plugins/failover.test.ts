import t from 'tap'
import { administer, eventually, untilReplicated } from '../stores/redis/topologies.ts'
import { connected, problem } from '../support/connected.ts'
import { newKey, startGateway } from '../support/gateway.ts'
import { pasteKey } from '../support/paste-key.ts'
import { startRedis } from '../support/redis.ts'

t.test('SEC-20: nobody is told of a sign-out or a disconnect that a failover would undo', async t => {
  const [master, replica] = await Promise.all([startRedis(t, ['--repl-diskless-sync-delay', '0']), startRedis(t)])
  await administer(replica, say => say('REPLICAOF', '127.0.0.1', master.port))
  await untilReplicated(master)
  const environment = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  const s = await connected(t, { environment: { ...environment, REDIS_URL: master.url } })
  t.equal((await pasteKey(s.gateway, s.browser, 'productboard', 'key')).status, 201)
  await untilReplicated(master)
  const [copy, leaving] = [s.browser.copy(), s.browser.copy()]

  replica.freeze()
  const refused = await leaving.fetch(`${s.gateway.url}/logout`, { method: 'POST' })
  await problem(t, refused, 503, 'store_unavailable')
  t.same(refused.headers.getSetCookie(), [], 'the browser keeps what it needs to try again')
  t.equal((await copy.fetch(`${s.proxy}/x`)).status, 401, 'here it is ended all the same')
  await problem(t, await leaving.fetch(`${s.gateway.url}/logout`, { method: 'POST' }), 503, 'store_unavailable')
  await problem(t, await leaving.fetch(`${s.gateway.url}/connections/productboard`, { method: 'DELETE' }), 503, 'store_unavailable')

  replica.thaw()
  await untilReplicated(master)
  // A busy machine may take longer for one round trip than a sign-out waits; whoever is told 503 tries again.
  const signOut = async () => (await leaving.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status
  await eventually('the sign-out is confirmed', async () => (await signOut()) === 204)
  await master.stop()
  await administer(replica, say => say('REPLICAOF', 'NO', 'ONE'))
  const after = await startGateway(t, {
    clock: s.clock,
    environment: { ...s.provider.environment, ...environment, REDIS_URL: replica.url }
  })
  t.equal((await copy.fetch(`${after.url}/proxy/productboard/x`)).status, 401)
})
