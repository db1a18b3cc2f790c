import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { startRedis } from '../../support/redis.ts'
import { connected, openAt } from '../connected.ts'
import { bytes, minute, records } from '../records.ts'
import { timed } from '../timed.ts'
import { startProxy } from './tcp-proxy.ts'
import { administer, eventually, works } from './topologies.ts'

/** On a slow machine too a connection comes in that time, and a call that waits although it should not takes longer than any other. */
const patient = { connectionTimeoutMs: 5000 }

/** Every call, all of them at the same time, is rejected as the port says and within its second, for which a slow machine has slack. */
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

/** The cause tells it from a command's own 500 ms, and the time from waiting for a connection. */
const rejectsAllAtOnce = (t: Test, store: Store, cause: RegExp) => rejectsAll(t, store, { cause, limitMs: 800 })

t.test('calls made right after opening are answered', async t => {
  const { url } = await startRedis(t)
  const store = openAt(t, url, patient)
  t.same(await Promise.all(Array.from({ length: 20 }, () => store.read('owner', ['a']))), Array(20).fill([undefined]))
})

t.test('a call made while a lost connection is restored waits for it', async t => {
  const { port } = await startRedis(t)
  const proxy = await startProxy(t, port)
  const store = await connected(t, proxy.url, patient)
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
  const store = await connected(t, proxy.url, patient)
  redis.freeze()
  const calls = rejectsAllAtOnce(t, store, /max retries per request/)
  // By then they are sent.
  await nextTurn()
  proxy.cut()
  await calls
  redis.thaw()
  await eventually('it works', works(store))
})

t.test('a master that has become a replica is left, to find the new master', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const store = await connected(t, proxy.url)
  await administer(redis, say => say('REPLICAOF', '127.0.0.1', 1))
  const again = proxy.connected()
  await t.rejects(store.commit('owner', { put: records({ a: '1' }), ttlMs: minute }), { cause: { message: /READONLY/ } })
  await again
})

t.test('down at the start: rejected at once, and it works when Redis comes', async t => {
  const redis = await startRedis(t)
  await redis.stop()
  const store = openAt(t, redis.url, patient)
  await rejectsAllAtOnce(t, store, /ECONNREFUSED/)
  await rejectsAllAtOnce(t, store, /ECONNREFUSED/)
  await redis.start()
  await eventually('it works', works(store))
})

t.test('killed while in use: rejected at once, and it works when Redis is back', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, redis.url, patient)
  redis.freeze()
  const inFlight = rejectsAllAtOnce(t, store, /max retries per request/)
  await nextTurn()
  await redis.stop()
  await inFlight
  await rejectsAllAtOnce(t, store, /ECONNREFUSED/)
  await redis.start()
  await eventually('it works', works(store))
})

t.test('frozen while in use: rejected within a second, and it works when Redis is back', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, redis.url)
  redis.freeze()
  await rejectsAll(t, store)
  await rejectsAll(t, store)
  redis.thaw()
  await eventually('it works', works(store))
})

t.test('who is cut off tells for how long changes may have gone untold, from the last word of Redis on', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, redis.url)
  await eventually('it is told of changes', async () => store.changes.isReliable())
  const told = Promise.withResolvers<number>()
  store.changes.subscribe((owner, untoldMs = 0) => {
    if (owner === undefined && !store.changes.isReliable()) told.resolve(untoldMs)
  })
  redis.freeze()
  // Two heartbeats go unanswered before it is given up, half a second each.
  const untoldMs = await told.promise
  t.ok(untoldMs >= 1000, `${untoldMs}`)
  redis.thaw()
})

t.test('frozen at the start: rejected within a second, then at once, and it works when Redis is back', async t => {
  const redis = await startRedis(t)
  redis.freeze()
  const store = openAt(t, redis.url)
  await rejectsAll(t, store)
  await rejectsAllAtOnce(t, store, /^(?!.*timed out after)/)
  // Longer than any command waits for its answer, and shorter than a socket.
  await sleep(1000)
  redis.thaw()
  await eventually('it works', works(store))
  await eventually('it is told of changes', async () => store.changes.isReliable())
})

t.test('one silence is waited for once, however many calls fall into it one after the other', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, redis.url)
  redis.freeze()
  const { ms } = await timed(async () => {
    for (let i = 0; i < 3; i++) await t.rejects(store.read('owner', ['a']), { code: 'store_unavailable' })
  })
  t.ok(ms < 1800, `${ms} ms, and not twice or three times 950`)
  redis.thaw()
  await eventually('it works', works(store))
})

t.test('a commit that ran out of time may still happen, and then happens once', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, redis.url)
  await store.commit('owner', { put: records({ a: '1' }), ttlMs: minute })
  redis.freeze()
  await t.rejects(store.commit('owner', { expect: records({ a: '1' }), put: records({ a: '2' }) }), { code: 'store_unavailable' })
  redis.thaw()
  await eventually('it works', works(store))
  t.same(await store.read('owner', ['a']), [bytes('2')], 'Redis had received it')
  t.notOk(
    await store.commit('owner', { expect: records({ a: '1' }), put: records({ a: '3' }) }),
    'so the caller sees it when it tries again'
  )
})

t.test('close is quick whatever Redis does', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, redis.url)
  redis.freeze()
  const { ms } = await timed(() => store.close())
  t.ok(ms < 1500, `${ms} ms`)
})
