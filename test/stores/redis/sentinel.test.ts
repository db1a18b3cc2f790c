import t from 'tap'
import { storeContract } from '../contract.ts'
import { openConnected, openConnectedPair, openRedisAt } from '../open-redis.ts'
import { bytes, minute, records } from '../records.ts'
import { eventually, eventuallyUnavailable, pingSucceeds, startSentinel, untilReplicated } from './topologies.ts'

t.test('a Sentinel set', async t => {
  const { url, master, sentinel, downAfter } = await startSentinel(t, { downAfterMs: 30_000 })
  await t.test('the contract', t => storeContract(t, t => openConnectedPair(t, url)))

  await t.test('the store follows a failover, and then works without the sentinel', async t => {
    const store = await openConnected(t, url)
    await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
    await untilReplicated(master)
    await master.stop()
    await t.rejects(store.ping(), { code: 'store_unavailable' })
    // Not earlier: the store might find the new master at once. Sentinel does not promote a replica disconnected for ten times this long.
    await downAfter(1000)
    await eventually('the store works', pingSucceeds(store))
    t.same(await store.read('owner', ['a']), [bytes('record')])
    await sentinel.stop()
    t.same(await store.read('owner', ['a']), [bytes('record')])
  })

  await t.test('without a sentinel the store is unavailable until one is up', async t => {
    const store = openRedisAt(t, url)
    await eventuallyUnavailable(/All sentinels are unreachable/, () => store.ping())
    await sentinel.start()
    await eventually('the store works', pingSucceeds(store))
  })
})
