import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { openRedisStore } from '../../src/stores/redis.ts'
import { startRedis } from '../support/redis.ts'
import { startProxy } from './proxy.ts'
import { bytes, minute, records } from './records.ts'
import { administer, eventually, works } from './topologies.ts'

/** It takes about a millisecond; a call that waits for a connection takes 400 ms and one that waits for an answer 500 ms. */
const atOnceMs = 300

function openAt(t: Test, url: string): Store {
  const store = openRedisStore({ url })
  t.teardown(() => store.close())
  return store
}

/** Every call, all of them at the same time, is rejected as the port says and within its second. */
async function rejectsAll(t: Test, store: Store, limitMs = 1000): Promise<void> {
  const start = performance.now()
  const outcomes = await Promise.allSettled([
    store.read('owner', ['a']),
    store.readAll('owner'),
    store.commit('owner', { put: records({ a: '1' }), ttlMs: minute }),
    store.erase('owner'),
    store.claim('key', minute),
    store.acquire('owner', 'key', minute),
    store.ping()
  ])
  const tookMs = performance.now() - start
  t.ok(tookMs < limitMs, `within ${limitMs} ms: ${Math.round(tookMs)}`)
  for (const outcome of outcomes) {
    t.match(outcome, { status: 'rejected', reason: { code: 'store_unavailable', status: 503, retryAfter: 1 } })
  }
}

t.test('calls made right after opening are answered', async t => {
  const { url } = await startRedis(t)
  const store = openAt(t, url)
  t.same(await Promise.all(Array.from({ length: 20 }, () => store.read('owner', ['a']))), Array(20).fill([undefined]))
})

t.test('a call made while a lost connection is restored waits for it', async t => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  const store = openAt(t, proxy.url)
  await store.ping()
  const openDoor = proxy.closeDoor()
  proxy.cut()
  await proxy.connected()
  const call = store.read('owner', ['a'])
  openDoor()
  t.same(await call, [undefined])
})

t.test('what is under way when the connection breaks is rejected at once', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const store = openAt(t, proxy.url)
  await store.ping()
  redis.freeze()
  const calls = rejectsAll(t, store, atOnceMs)
  proxy.cut()
  await calls
  redis.thaw()
  await eventually('it works', works(store))
})

t.test('a master that has become a replica is left, to find the new master', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const store = openAt(t, proxy.url)
  await store.ping()
  await administer(redis, say => say('REPLICAOF', '127.0.0.1', 1))
  const again = proxy.connected()
  await t.rejects(store.commit('owner', { put: records({ a: '1' }), ttlMs: minute }), { cause: { message: /READONLY/ } })
  await again
})

t.test('down at the start: rejected at once, and it works when Redis comes', async t => {
  const redis = await startRedis(t)
  await redis.stop()
  const store = openAt(t, redis.url)
  await rejectsAll(t, store, atOnceMs)
  await rejectsAll(t, store, atOnceMs)
  await redis.start()
  await eventually('it works', works(store), 1500)
})

t.test('killed while in use: rejected at once, and it works when Redis is back', async t => {
  const redis = await startRedis(t)
  const store = openAt(t, redis.url)
  await store.ping()
  redis.freeze()
  const inFlight = rejectsAll(t, store, atOnceMs)
  await redis.stop()
  await inFlight
  await rejectsAll(t, store)
  await redis.start()
  await eventually('it works', works(store), 1500)
})

t.test('frozen while in use: rejected within a second, and it works when Redis is back', async t => {
  const redis = await startRedis(t)
  const store = openAt(t, redis.url)
  await store.ping()
  redis.freeze()
  await rejectsAll(t, store)
  await rejectsAll(t, store)
  redis.thaw()
  await eventually('it works', works(store), 1500)
})

t.test('frozen at the start: rejected within a second, then at once, and it works when Redis is back', async t => {
  const redis = await startRedis(t)
  redis.freeze()
  const store = openAt(t, redis.url)
  await rejectsAll(t, store)
  await rejectsAll(t, store, atOnceMs)
  // Longer than any command waits for its answer, and shorter than a socket.
  await sleep(1000)
  redis.thaw()
  await eventually('it works', works(store), 3000)
  await eventually('it is told of changes', async () => store.watch.isComplete(), 3000)
})

t.test('one silence is waited for once, however many calls fall into it one after the other', async t => {
  const redis = await startRedis(t)
  const store = openAt(t, redis.url)
  await store.ping()
  redis.freeze()
  const start = performance.now()
  for (let i = 0; i < 3; i++) await t.rejects(store.read('owner', ['a']), { code: 'store_unavailable' })
  const tookMs = performance.now() - start
  t.ok(tookMs < 1600, `${Math.round(tookMs)} ms`)
  redis.thaw()
  await eventually('it works', works(store), 3000)
})

t.test('a commit that ran out of time may still happen, and then happens once', async t => {
  const redis = await startRedis(t)
  const store = openAt(t, redis.url)
  await store.commit('owner', { put: records({ a: '1' }), ttlMs: minute })
  redis.freeze()
  await t.rejects(store.commit('owner', { expect: records({ a: '1' }), put: records({ a: '2' }) }), { code: 'store_unavailable' })
  redis.thaw()
  await eventually('it works', works(store), 1500)
  t.same(await store.read('owner', ['a']), [bytes('2')], 'Redis had received it')
  t.notOk(
    await store.commit('owner', { expect: records({ a: '1' }), put: records({ a: '3' }) }),
    'so the caller sees it when it tries again'
  )
})

t.test('close is quick whatever Redis does', async t => {
  const redis = await startRedis(t)
  const store = openRedisStore({ url: redis.url })
  await store.ping()
  redis.freeze()
  const start = performance.now()
  await store.close()
  t.ok(performance.now() - start < 1000)
})
