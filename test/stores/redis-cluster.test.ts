import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { openRedisStore } from '../../src/stores/redis.ts'
import { storeContract } from './contract.ts'
import { minute, records } from './records.ts'
import { eventually, startCluster, works } from './topologies.ts'

t.test('a Cluster of three masters', async t => {
  const { url, nodes } = await startCluster(t)
  await t.test('the contract', t =>
    storeContract(t, async () => {
      const [store, other] = [openRedisStore({ url }), openRedisStore({ url })]
      // A first connection takes several steps here; on a busy machine longer than a call waits for it.
      for (const opened of [store, other]) await eventually('it is connected', works(opened))
      return { store, other, elapse: ms => sleep(ms + 2) }
    })
  )

  await t.test('a node that is gone takes its own owners away and no others, until it is back', async t => {
    const store = openRedisStore({ url })
    t.teardown(() => store.close())
    const owners = Array.from({ length: 30 }, (_, i) => `owner ${i}`)
    const outcomes = () => Promise.allSettled(owners.map(owner => store.commit(owner, { put: records({ a: '1' }), ttlMs: minute })))
    const failed = async () => (await outcomes()).filter(({ status }) => status === 'rejected')

    t.same(await failed(), [])
    await nodes[0]?.stop()
    const start = performance.now()
    const gone = await failed()
    t.ok(performance.now() - start < 400, 'at once, not after trying again and again')
    t.ok(gone.length > 0 && gone.length < owners.length, `${gone.length} of ${owners.length}`)
    for (const outcome of gone) t.match(outcome, { reason: { code: 'store_unavailable' } })

    await nodes[0]?.start()
    await eventually('all owners are back', async () => (await failed()).length === 0)
  })

  await t.test('a frozen Cluster is unavailable within a second', async t => {
    const store = openRedisStore({ url })
    t.teardown(() => store.close())
    await store.ping()
    for (const node of nodes) node.freeze()
    const start = performance.now()
    await t.rejects(store.ping(), { code: 'store_unavailable' })
    await t.rejects(store.read('owner', ['a']), { code: 'store_unavailable' })
    t.ok(performance.now() - start < 2000)
    for (const node of nodes) node.thaw()
    await eventually('it works', works(store))
  })
})
