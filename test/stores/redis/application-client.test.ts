import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { openRedisStore } from '../../../src/stores/redis/store.ts'
import { parseRedisUrl } from '../../../src/stores/redis/target.ts'
import { startRedis } from '../../support/redis.ts'
import { type StorePair, storeContract } from '../contract.ts'
import { bytes, minute, records } from '../records.ts'
import { eventually, startCluster, startSentinel, succeeds } from './topologies.ts'

/** An application may have set all of this for its own keys. */
const awkward = {
  keyPrefix: 'app:',
  stringNumbers: true,
  replyMapping: 'resp3',
  enableAutoPipelining: true,
  maxRetriesPerRequest: null,
  lazyConnect: true
} as const

async function openPair(t: Test, client: Redis | Cluster): Promise<StorePair> {
  const [store, other] = [openRedisStore({ target: client }), openRedisStore({ target: client })]
  for (const opened of [store, other]) {
    t.teardown(() => opened.close())
    // In a Cluster the first command to a node opens its connection.
    const owners = Array.from({ length: 30 }, (_, i) => `owner ${i}`)
    await eventually('every node is connected', () => succeeds(Promise.all(owners.map(owner => opened.read(owner, ['a'])))))
  }
  return { store, other, elapse: ms => sleep(ms + 2), ttlMs: 2000 }
}

t.test('with the client of an application, a single Redis keeps the contract', async t => {
  const { port } = await startRedis(t)
  const client = new Redis(port, '127.0.0.1', awkward)
  t.teardown(() => client.disconnect())
  await storeContract(t, t => openPair(t, client))
})

/** What needs the right node: a write, its report to the other store, a lease. */
async function worksAsOne(t: Test, { store, other }: StorePair): Promise<void> {
  await eventually('changes are reported', async () => store.changes.isReliable() && other.changes.isReliable())
  for (const owner of ['owner 1', 'owner 2', 'owner 3']) {
    const changed = Promise.withResolvers<void>()
    other.changes.subscribe(name => {
      if (name === undefined || name === owner) changed.resolve()
    })
    t.equal(await store.commit(owner, { put: records({ a: 'record' }), ttlMs: minute }), true)
    await changed.promise
    t.same(await other.read(owner, ['a']), [bytes('record')])
    const lease = await store.acquire(owner, 'renewal', minute)
    t.ok(lease)
    t.equal(await other.acquire(owner, 'renewal', minute), undefined)
    await lease?.release()
  }
}

t.test('with the client of an application, a Sentinel set works as with its URL', async t => {
  const { url } = await startSentinel(t, { downAfterMs: 30_000 })
  const { hosts, master } = parseRedisUrl(url)
  const client = new Redis({ ...awkward, sentinels: [...hosts], name: master ?? '', role: 'slave' })
  t.teardown(() => client.disconnect())
  await worksAsOne(t, await openPair(t, client))
})

t.test('with the client of an application, a Cluster works as with its URL', async t => {
  const { url } = await startCluster(t)
  const client = new Cluster([...parseRedisUrl(url).hosts], {
    keyPrefix: 'app:',
    scaleReads: 'slave',
    redisOptions: { stringNumbers: true }
  })
  t.teardown(() => client.disconnect())
  await storeContract(t, t => openPair(t, client))
})

t.test('the client of the application stays as it was, and open', async t => {
  const { port } = await startRedis(t)
  const client = new Redis(port, '127.0.0.1', { keyPrefix: 'app:' })
  t.teardown(() => client.disconnect())
  const store = openRedisStore({ target: client })
  await eventually('it is connected', () => succeeds(store.ping()))
  await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
  t.equal(await client.keys('app:*').then(keys => keys.length), 0, 'our keys have our prefix')
  t.same(await store.read('owner', ['a']), [bytes('record')])
  await store.close()
  t.equal(client.status, 'ready')
  t.equal(await client.set('theirs', '1'), 'OK')
  t.equal('grantkeeperCommit' in client, false)
})
