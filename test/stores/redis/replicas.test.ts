import t, { type Test } from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import { openConnected, openRedisAt } from '../open-redis.ts'
import { minute, records } from '../records.ts'
import { administer, eventually, pingSucceeds, startCluster, succeeds, untilReplicated } from './topologies.ts'

async function startPair(t: Test): Promise<{ master: RedisServer; replica: RedisServer }> {
  const [master, replica] = await Promise.all([startRedis(t, ['--repl-diskless-sync-delay', '0']), startRedis(t)])
  await administer(replica, command => command('REPLICAOF', '127.0.0.1', master.port))
  await untilReplicated(master)
  return { master, replica }
}

/** Retries: on a busy machine a round trip may take longer than a confirmation waits. */
const untilConfirmed = (store: Store, owner: string): Promise<void> =>
  eventually('the write is confirmed', () => succeeds(store.confirmReplicated(owner)))

const unconfirmed = { code: 'store_unavailable', retryAfter: 1, message: /only one server of the store has it/ }

t.test('without a replica a write is confirmed at once', async t => {
  const { url } = await startRedis(t)
  await untilConfirmed(await openConnected(t, url), 'owner')
})

t.test('a write is confirmed once a replica has it', async t => {
  const { master, replica } = await startPair(t)
  const store = await openConnected(t, master.url)
  const copy = () => administer(replica, command => command('EXISTS', 'grantkeeper:{owner}'))
  for (let round = 0; round < 10; round++) {
    await store.commit('owner', { put: records({ a: '1' }), ttlMs: minute })
    await untilConfirmed(store, 'owner')
    t.equal(await copy(), 1)
    await store.deleteOwner('owner')
    await Promise.all(['owner', 'another', 'owner'].map(owner => untilConfirmed(store, owner)))
    t.equal(await copy(), 0)
  }
})

t.test('a frozen or stopped replica confirms nothing, and other calls do not wait', async t => {
  const { master, replica } = await startPair(t)
  const store = await openConnected(t, master.url)
  await untilConfirmed(store, 'owner')
  replica.freeze()
  const waiting = Promise.allSettled([
    store.confirmReplicated('owner'),
    store.confirmReplicated('owner'),
    store.confirmReplicated('another')
  ])
  await store.ping()
  for (const outcome of await waiting) t.match(outcome, { status: 'rejected', reason: unconfirmed })
  replica.thaw()
  await untilConfirmed(store, 'owner')
  await replica.stop()
  await t.rejects(store.confirmReplicated('owner'), unconfirmed)
  t.ok(await store.commit('owner', { put: records({ a: '1' }), ttlMs: minute }), 'other writes need no confirmation')
})

t.test('a promoted replica has no replica to wait for', async t => {
  const { master, replica } = await startPair(t)
  const store = openRedisAt(t, replica.url)
  await administer(replica, command => command('REPLICAOF', 'NO', 'ONE'))
  await master.stop()
  await eventually('the store works', pingSucceeds(store))
  await untilConfirmed(store, 'owner')
})

t.test('a user without the right to WAIT or INFO does not wait', async t => {
  const { master, replica } = await startPair(t)
  for (const right of ['-wait', '-info']) {
    await administer(master, command => command('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', right))
    const store = await openConnected(t, master.url.replace('redis://', 'redis://limited:secret@'))
    replica.freeze()
    await untilConfirmed(store, 'owner')
    replica.thaw()
  }
})

t.test('in a Cluster the replica of the owner’s own master confirms', async t => {
  const { url, nodes } = await startCluster(t, { replicas: 1, nodeTimeoutMs: 30_000 })
  const store = await openConnected(t, url)
  const owners = [...Array(12).keys()].map(i => `owner-${i}`)
  const outcomes = async () => (await Promise.allSettled(owners.map(store.confirmReplicated))).map(({ status }) => status)
  // On a busy machine the first connection to a master may take longer than a confirmation waits.
  await eventually('every master has a replica', async () => (await outcomes()).every(status => status === 'fulfilled'))
  nodes[3]?.freeze()
  t.same(new Set(await outcomes()), new Set(['fulfilled', 'rejected']))
  nodes[3]?.thaw()
})
