import t, { type Test } from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import { connected, openAt } from '../connected.ts'
import { minute, records } from '../records.ts'
import { administer, eventually, replicated, startCluster, works } from './topologies.ts'

async function startPair(t: Test): Promise<{ master: RedisServer; replica: RedisServer }> {
  const [master, replica] = await Promise.all([startRedis(t, ['--repl-diskless-sync-delay', '0']), startRedis(t)])
  await administer(replica, say => say('REPLICAOF', '127.0.0.1', master.port))
  await replicated(master)
  return { master, replica }
}

/** A busy machine may take longer for one round trip than a sign-out waits: what counts is that it is confirmed, and true when it is. */
const confirmed = (store: Store, owner: string): Promise<void> =>
  eventually('the write is confirmed', () =>
    store.confirmReplicated(owner).then(
      () => true,
      () => false
    )
  )

const unconfirmed = { code: 'store_unavailable', retryAfter: 1, message: /only one server of the store has it/ }

t.test('without a replica a write is confirmed by the server that has it', async t => {
  const { url } = await startRedis(t)
  await confirmed(await connected(t, url), 'owner')
})

t.test('a write is confirmed once a replica has it', async t => {
  const { master, replica } = await startPair(t)
  const store = await connected(t, master.url)
  const copy = () => administer(replica, say => say('EXISTS', 'grantkeeper:{owner}'))
  for (let round = 0; round < 10; round++) {
    await store.commit('owner', { put: records({ a: '1' }), ttlMs: minute })
    await confirmed(store, 'owner')
    t.equal(await copy(), 1)
    await store.deleteOwner('owner')
    await Promise.all(['owner', 'another', 'owner'].map(owner => confirmed(store, owner)))
    t.equal(await copy(), 0)
  }
})

t.test('a replica that does not follow confirms nothing, nor does one that is gone for the moment, and others do not wait', async t => {
  const { master, replica } = await startPair(t)
  const store = await connected(t, master.url)
  await confirmed(store, 'owner')
  replica.freeze()
  const waiting = Promise.allSettled([
    store.confirmReplicated('owner'),
    store.confirmReplicated('owner'),
    store.confirmReplicated('another')
  ])
  await store.ping()
  for (const outcome of await waiting) t.match(outcome, { status: 'rejected', reason: unconfirmed })
  replica.thaw()
  await confirmed(store, 'owner')
  await replica.stop()
  await t.rejects(store.confirmReplicated('owner'), unconfirmed)
  t.ok(await store.commit('owner', { put: records({ a: '1' }), ttlMs: minute }), 'what is no erasure goes on')
})

t.test('a replica that takes over has no replica of its own to wait for', async t => {
  const { master, replica } = await startPair(t)
  const store = openAt(t, replica.url)
  await administer(replica, say => say('REPLICAOF', 'NO', 'ONE'))
  await master.stop()
  await eventually('it works', works(store))
  await confirmed(store, 'owner')
})

t.test('a user who may not wait goes on without', async t => {
  const { master, replica } = await startPair(t)
  for (const right of ['-wait', '-info']) {
    await administer(master, say => say('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', right))
    const store = await connected(t, master.url.replace('redis://', 'redis://limited:secret@'))
    replica.freeze()
    await confirmed(store, 'owner')
    replica.thaw()
  }
})

t.test('in a Cluster it is the replica of the owner’s own master that counts', async t => {
  const { url, nodes } = await startCluster(t, { replicas: 1, nodeTimeoutMs: 30_000 })
  const store = await connected(t, url)
  const owners = [...Array(12).keys()].map(i => `owner-${i}`)
  const outcomes = async () => (await Promise.allSettled(owners.map(store.confirmReplicated))).map(({ status }) => status)
  // A first connection to each master may take a busy machine longer than a sign-out waits.
  await eventually('every master is followed', async () => (await outcomes()).every(status => status === 'fulfilled'))
  nodes[3]?.freeze()
  t.same(new Set(await outcomes()), new Set(['fulfilled', 'rejected']))
  nodes[3]?.thaw()
})
