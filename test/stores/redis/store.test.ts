import { inspect } from 'node:util'
import t from 'tap'
import { startRedis } from '../../support/redis.ts'
import { connected, connectedPair, openAt } from '../connected.ts'
import { storeContract } from '../contract.ts'
import { bytes, minute, records } from '../records.ts'
import { startProxy } from './tcp-proxy.ts'
import { administer, eventually, unavailable, works } from './topologies.ts'

t.test('the contract', async t => {
  const { url } = await startRedis(t)
  await storeContract(t, t => connectedPair(t, url))
})

t.test('scripts that the server has lost are sent again', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, redis.url)
  const commit = () => store.commit('owner', { put: records({ a: '1' }), ttlMs: minute })
  t.ok(await commit())
  await administer(redis, say => say('SCRIPT', 'FLUSH'))
  t.same(await Promise.all(Array.from({ length: 10 }, commit)), Array(10).fill(true))
  const hold = await store.acquire('owner', 'key', minute)
  await administer(redis, say => say('SCRIPT', 'FLUSH'))
  t.ok(await hold?.extend(minute))
  await administer(redis, say => say('SCRIPT', 'FLUSH'))
  await hold?.release()
  await administer(redis, say => say('SCRIPT', 'FLUSH'))
  t.ok(await store.acquire('owner', 'key', minute))
})

t.test('a holder whose connection is made anew keeps its lease, and one that is gone does not', async t => {
  const redis = await startRedis(t)
  const proxy = await startProxy(t, redis.port)
  const holder = await connected(t, proxy.url)
  await eventually('it shows that it lives', async () => holder.changes.isReliable())
  const signsOfLife = await administer(redis, say => say('CLIENT', 'LIST', 'TYPE', 'pubsub').then(String))
  const other = await connected(t, redis.url)
  await eventually('so does the other', async () => other.changes.isReliable())
  await holder.acquire('owner', 'lease', minute)
  // By a longer lease the holder has said nothing for a minute.
  const take = () => other.acquire('owner', 'lease', 2 * minute, minute)

  const openDoor = proxy.closeDoor()
  await administer(redis, say => say('CLIENT', 'KILL', 'ID', signsOfLife.match(/\d+/)?.[0] ?? ''))
  await eventually('it looks dead', async () => !holder.changes.isReliable())
  const taken = take()
  // One connection answers in turn: by then it has been looked at once.
  await other.ping()
  openDoor()
  t.equal(await taken, undefined)

  await holder.close()
  t.ok(await take())
})

t.test('an owner is one hash with an end, claims, leases and what is kept stand beside it in their slots', async t => {
  const redis = await startRedis(t)
  const store = await connected(t, `${redis.url}/3`)
  await store.commit('owner', { put: records({ a: '1', b: '2' }), ttlMs: minute })
  await store.claim('key', 1234.5)
  await store.setValue('key', bytes('1'), 1234.5)
  await store.acquire('owner', 'name', minute)
  const keys = ['grantkeeper:{key}:claim', 'grantkeeper:{key}:value', 'grantkeeper:{owner}', 'grantkeeper:{owner}:lease:name']
  await administer(redis, async say => {
    await say('SELECT', 3)
    const found = (await say('KEYS', '*')) as string[]
    t.same(found.filter(key => key !== 'grantkeeper:ping').sort(), keys)
    for (const key of keys) t.ok(Number(await say('PTTL', key)) > 0)
  })
})

t.test('a wrong or missing password is said in the cause, and no password anywhere', async t => {
  const redis = await startRedis(t, ['--requirepass', 'right'])
  const address = redis.url.replace('redis://', '')
  const wrong = openAt(t, `redis://:mistyped@${address}`)
  const missing = openAt(t, redis.url)
  t.equal(wrong.description, `Redis at redis://${address}/0`)
  const error = await unavailable(/WRONGPASS/, () => wrong.commit('owner', { put: records({ a: 'record' }), ttlMs: minute }))
  t.match(error, { code: 'store_unavailable', cause: { message: `Redis at redis://${address}/0: WRONGPASS` } })
  t.notMatch(inspect(error, { depth: null, showHidden: true }), /mistyped|record|args/)
  await unavailable(/NOAUTH/, () => missing.ping())
  await connected(t, `redis://:right@${address}`)
  await connected(t, `redis://default:right@${address}`)
})

t.test('what Redis answers to an unknown command does not bring its arguments into the log', async t => {
  const redis = await startRedis(t, ['--rename-command', 'SET', 'OTHER'])
  const store = openAt(t, redis.url)
  await unavailable(/unknown command 'set'$/i, () => store.claim('a key of someone', minute))
})

t.test('a Redis that cannot write is not healthy', async t => {
  const master = await startRedis(t)
  const replica = await startRedis(t, ['--replicaof', '127.0.0.1', `${master.port}`])
  const full = await startRedis(t, ['--maxmemory', '1'])
  const promoted = openAt(t, replica.url)
  const crowded = openAt(t, full.url)
  await unavailable(/OOM/, () => crowded.ping())
  await unavailable(/READONLY/, () => promoted.ping())
  await administer(replica, say => say('REPLICAOF', 'NO', 'ONE'))
  await eventually('it works', works(promoted))
})
