import { inspect } from 'node:util'
import t from 'tap'
import { startRedis } from '../../support/redis.ts'
import { storeContract } from '../contract.ts'
import { openConnected, openConnectedPair, openRedisAt } from '../open-redis.ts'
import { bytes, minute, records } from '../records.ts'
import { startProxy } from './tcp-proxy.ts'
import { administer, eventually, eventuallyUnavailable, pingSucceeds, untilReliable } from './topologies.ts'

t.test('the contract', async t => {
  const { url } = await startRedis(t)
  await storeContract(t, t => openConnectedPair(t, url))
})

t.test('scripts that the server does not have are sent again', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, redis.url)
  const commit = () => store.commit('owner', { put: records({ a: '1' }), ttlMs: minute })
  t.ok(await commit())
  await administer(redis, command => command('SCRIPT', 'FLUSH'))
  t.same(await Promise.all(Array.from({ length: 10 }, commit)), Array(10).fill(true))
  const lease = await store.acquire('owner', 'key', minute)
  await administer(redis, command => command('SCRIPT', 'FLUSH'))
  t.ok(await lease?.extend(minute))
  await administer(redis, command => command('SCRIPT', 'FLUSH'))
  await lease?.release()
  await administer(redis, command => command('SCRIPT', 'FLUSH'))
  t.ok(await store.acquire('owner', 'key', minute))
})

t.test('a reconnecting holder keeps its lease, and a dead one loses it', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const holder = await openConnected(t, proxy.url)
  await untilReliable(holder)
  const subscribers = await administer(redis, command => command('CLIENT', 'LIST', 'TYPE', 'pubsub').then(String))
  const other = await openConnected(t, redis.url)
  await untilReliable(other)
  await holder.acquire('owner', 'lease', minute)
  // Compared with this longer TTL, the holder has not extended its lease for a minute.
  const acquire = () => other.acquire('owner', 'lease', 2 * minute, minute)

  const release = proxy.holdConnections()
  await administer(redis, command => command('CLIENT', 'KILL', 'ID', subscribers.match(/\d+/)?.[0] ?? ''))
  await eventually('the holder looks dead', async () => !holder.changes.isReliable())
  const acquired = acquire()
  // Replies come in order: after this one the holder has been checked once.
  await other.ping()
  release()
  t.equal(await acquired, undefined)

  await holder.close()
  t.ok(await acquire())
})

t.test('an owner is one hash, and claims, values and leases are keys beside it', async t => {
  const redis = await startRedis(t)
  const store = await openConnected(t, `${redis.url}/3`)
  await store.commit('owner', { put: records({ a: '1', b: '2' }), ttlMs: minute })
  await store.claim('key', 1234.5)
  await store.setValue('key', bytes('1'), 1234.5)
  await store.acquire('owner', 'name', minute)
  const keys = ['grantkeeper:{key}:claim', 'grantkeeper:{key}:value', 'grantkeeper:{owner}', 'grantkeeper:{owner}:lease:name']
  await administer(redis, async command => {
    await command('SELECT', 3)
    const found = (await command('KEYS', '*')) as string[]
    t.same(found.filter(key => key !== 'grantkeeper:ping').sort(), keys)
    for (const key of keys) t.ok(Number(await command('PTTL', key)) > 0)
  })
})

t.test('a wrong or missing password is the cause, and is not printed', async t => {
  const redis = await startRedis(t, ['--requirepass', 'right'])
  const host = redis.url.replace('redis://', '')
  const wrong = openRedisAt(t, `redis://:mistyped@${host}`)
  const missing = openRedisAt(t, redis.url)
  t.equal(wrong.description, `Redis at redis://${host}/0`)
  const error = await eventuallyUnavailable(/WRONGPASS/, () => wrong.commit('owner', { put: records({ a: 'record' }), ttlMs: minute }))
  t.match(error, { code: 'store_unavailable', cause: { message: `Redis at redis://${host}/0: WRONGPASS` } })
  t.notMatch(inspect(error, { depth: null, showHidden: true }), /mistyped|record|args/)
  await eventuallyUnavailable(/NOAUTH/, () => missing.ping())
  await openConnected(t, `redis://:right@${host}`)
  await openConnected(t, `redis://default:right@${host}`)
})

t.test('the error of an unknown command does not contain its arguments', async t => {
  const redis = await startRedis(t, ['--rename-command', 'SET', 'OTHER'])
  const store = openRedisAt(t, redis.url)
  await eventuallyUnavailable(/unknown command 'set'$/i, () => store.claim('a key of someone', minute))
})

t.test('a ping fails on a Redis that cannot write', async t => {
  const master = await startRedis(t)
  const replica = await startRedis(t, ['--replicaof', '127.0.0.1', `${master.port}`])
  const full = await startRedis(t, ['--maxmemory', '1'])
  const promoted = openRedisAt(t, replica.url)
  const outOfMemory = openRedisAt(t, full.url)
  await eventuallyUnavailable(/OOM/, () => outOfMemory.ping())
  await eventuallyUnavailable(/READONLY/, () => promoted.ping())
  await administer(replica, command => command('REPLICAOF', 'NO', 'ONE'))
  await eventually('the store works', pingSucceeds(promoted))
})
