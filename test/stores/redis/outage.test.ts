import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { startRedis } from '../../support/redis.ts'
import { openConnected, openRedisAt } from '../open-redis.ts'
import { bytes, minute, records } from '../records.ts'
import { timed } from '../timed.ts'
import { startProxy } from './tcp-proxy.ts'
import { administer, eventually, pingSucceeds, untilReliable } from './topologies.ts'

/** Enough for a connection on a slow machine; a call that waits for it by mistake takes longer than any limit here. */
const slowConnection = { connectionTimeoutMs: 5000 }

/** Makes all calls at once and checks that each is rejected as the port says, within its second and some slack for a slow machine. */
async function rejectsAll(t: Test, store: Store, { cause = /./, limitMs = 1500 } = {}): Promise<void> {
  const { value: outcomes, ms } = await timed(() =>
    Promise.allSettled([
      store.read('owner', ['a']),
      store.readAll('owner'),
      store.commit('owner', { put: records({ a: '1' }), ttlMs: minute }),
      store.deleteOwner('owner'),
      store.claim('key', minute),
      store.acquire('owner', 'key', minute),
      store.ping()
    ])
  )
  t.ok(ms < limitMs, `within ${limitMs} ms: ${ms}`)
  for (const outcome of outcomes) {
    t.match(outcome, { status: 'rejected', reason: { code: 'store_unavailable', status: 503, retryAfter: 1, cause: { message: cause } } })
  }
}

/** The cause excludes a command's own timeout of 500 ms, and the limit excludes waiting for a connection. */
const rejectsAllAtOnce = (t: Test, store: Store, cause: RegExp) => rejectsAll(t, store, { cause, limitMs: 800 })

t.test('calls made right after opening succeed', async t => {
  const { url } = await startRedis(t)
  const store = openRedisAt(t, url, slowConnection)
  t.same(await Promise.all(Array.from({ length: 20 }, () => store.read('owner', ['a']))), Array(20).fill([undefined]))
})

t.test('a call made while a lost connection is restored waits for it', async t => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  const store = await openConnected(t, proxy.url, slowConnection)
  const release = proxy.holdConnections()
  proxy.breakConnections()
  await proxy.nextConnection()
  const call = store.read('owner', ['a'])
  release()
  t.same(await call, [undefined])
})

t.test('calls in flight when the connection breaks are rejected at once', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const store = await openConnected(t, proxy.url, slowConnection)
  redis.freeze()
  const calls = rejectsAllAtOnce(t, store, /max retries per request/)
  // Now the commands have been sent.
  await nextTurn()
  proxy.breakConnections()
  await calls
  redis.thaw()
  await eventually('the store works', pingSucceeds(store))
})

t.test('a READONLY reply makes the store reconnect', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const store = await openConnected(t, proxy.url)
  await administer(redis, command => command('REPLICAOF', '127.0.0.1', 1))
  const reconnected = proxy.nextConnection()
  await t.rejects(store.commit('owner', { put: records({ a: '1' }), ttlMs: minute }), { cause: { message: /READONLY/ } })
  await reconnected
})

t.test('down at startup: calls are rejected at once until Redis is up', async t => {
  const redis = await startRedis(t)
  await redis.stop()
  const store = openRedisAt(t, redis.url, slowConnection)
  await rejectsAllAtOnce(t, store, /ECONNREFUSED/)
  await rejectsAllAtOnce(t, store, /ECONNREFUSED/)
  await redis.start()
  await eventually('the store works', pingSucceeds(store))
})

t.test('killed while in use: calls are rejected at once until Redis is back', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, redis.url, slowConnection)
  redis.freeze()
  const inFlight = rejectsAllAtOnce(t, store, /max retries per request/)
  await nextTurn()
  await redis.stop()
  await inFlight
  await rejectsAllAtOnce(t, store, /ECONNREFUSED/)
  await redis.start()
  await eventually('the store works', pingSucceeds(store))
})

t.test('frozen while in use: calls are rejected within a second', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, redis.url)
  redis.freeze()
  await rejectsAll(t, store)
  await rejectsAll(t, store)
  redis.thaw()
  await eventually('the store works', pingSucceeds(store))
})

t.test('a lost connection reports the time since the last reply of Redis', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, redis.url)
  await untilReliable(store)
  const reported = Promise.withResolvers<number>()
  store.changes.subscribe((owner, unreportedMs = 0) => {
    if (owner === undefined && !store.changes.isReliable()) reported.resolve(unreportedMs)
  })
  redis.freeze()
  // The connection is closed after two missed heartbeats of half a second each.
  const unreportedMs = await reported.promise
  t.ok(unreportedMs >= 1000, `${unreportedMs}`)
  redis.thaw()
})

t.test('frozen at startup: calls are rejected within a second, later calls at once', async t => {
  const redis = await startRedis(t)
  redis.freeze()
  const store = openRedisAt(t, redis.url)
  await rejectsAll(t, store)
  await rejectsAllAtOnce(t, store, /^(?!.*timed out after)/)
  // Longer than the timeout of a command, and shorter than that of a socket.
  await sleep(1000)
  redis.thaw()
  await eventually('the store works', pingSucceeds(store))
  await untilReliable(store)
})

t.test('calls in a row share the deadline of one outage', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, redis.url)
  redis.freeze()
  const { ms } = await timed(async () => {
    for (let i = 0; i < 3; i++) await t.rejects(store.read('owner', ['a']), { code: 'store_unavailable' })
  })
  t.ok(ms < 1800, `${ms} ms, not two or three times 950`)
  redis.thaw()
  await eventually('the store works', pingSucceeds(store))
})

t.test('a commit that timed out may still be executed, once', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, redis.url)
  await store.commit('owner', { put: records({ a: '1' }), ttlMs: minute })
  redis.freeze()
  await t.rejects(store.commit('owner', { expect: records({ a: '1' }), put: records({ a: '2' }) }), { code: 'store_unavailable' })
  redis.thaw()
  await eventually('the store works', pingSucceeds(store))
  t.same(await store.read('owner', ['a']), [bytes('2')], 'Redis had received it')
  t.notOk(
    await store.commit('owner', { expect: records({ a: '1' }), put: records({ a: '3' }) }),
    'so a retry by the caller fails its expectation'
  )
})

t.test('close is fast while Redis is frozen', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, redis.url)
  redis.freeze()
  const { ms } = await timed(() => store.close())
  t.ok(ms < 1500, `${ms} ms`)
})
