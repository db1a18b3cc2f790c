import t from 'tap'
import { connected, connectedPair, openAt } from '../connected.ts'
import { storeContract } from '../contract.ts'
import { bytes, minute, records } from '../records.ts'
import { eventually, replicated, startSentinel, unavailable, works } from './topologies.ts'

t.test('a Sentinel set', async t => {
  const { url, master, sentinel, downAfter } = await startSentinel(t, { downAfterMs: 30_000 })
  await t.test('the contract', t => storeContract(t, t => connectedPair(t, url)))

  await t.test('the replica takes over and the store follows, even when the sentinel is gone afterwards', async t => {
    const store = await connected(t, url)
    await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
    await replicated(master)
    await master.stop()
    await t.rejects(store.ping(), { code: 'store_unavailable' })
    // Not before: the store might find the new master at once. A replica that was without its master for ten times as long is not chosen.
    await downAfter(1000)
    await eventually('the store works', works(store))
    t.same(await store.read('owner', ['a']), [bytes('record')])
    await sentinel.stop()
    t.same(await store.read('owner', ['a']), [bytes('record')])
  })

  await t.test('without a sentinel the store is unavailable, and works when one comes', async t => {
    const store = openAt(t, url)
    await unavailable(/All sentinels are unreachable/, () => store.ping())
    await sentinel.start()
    await eventually('the store works', works(store))
  })
})
