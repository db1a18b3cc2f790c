import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { openRedisStore } from '../../src/stores/redis.ts'
import { storeContract } from './contract.ts'
import { bytes, minute, records } from './records.ts'
import { eventually, replicated, startSentinel, works } from './topologies.ts'

t.test('a Sentinel set', async t => {
  const { url, master, sentinel } = await startSentinel(t)
  await t.test('the contract', t =>
    storeContract(t, async () => {
      const [store, other] = [openRedisStore({ url }), openRedisStore({ url })]
      // A first connection takes several steps here; on a busy machine longer than a call waits for it.
      for (const opened of [store, other]) await eventually('it is connected', works(opened))
      return { store, other, elapse: ms => sleep(ms + 2) }
    })
  )

  await t.test('the replica takes over and the store follows, even when the sentinel is gone afterwards', async t => {
    const store = openRedisStore({ url })
    t.teardown(() => store.close())
    await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
    await replicated(master)
    await master.stop()
    await t.rejects(store.ping(), { code: 'store_unavailable' })
    await eventually('the store works', works(store))
    t.same(await store.read('owner', ['a']), [bytes('record')])
    await sentinel.stop()
    t.same(await store.read('owner', ['a']), [bytes('record')])
  })

  await t.test('without a sentinel the store is unavailable, and works when one comes', async t => {
    const store = openRedisStore({ url })
    t.teardown(() => store.close())
    await t.rejects(store.ping(), { code: 'store_unavailable', cause: { message: /All sentinels are unreachable/ } })
    await sentinel.start()
    await eventually('the store works', works(store))
  })
})
