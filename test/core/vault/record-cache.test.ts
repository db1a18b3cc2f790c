import t from 'tap'
import { GatewayError } from '../../../src/core/errors.ts'
import { createRecordCache, type RecordCacheLimits } from '../../../src/core/vault/record-cache.ts'
import { manualClock, second } from '../support.ts'

const storeUnavailable = () => new GatewayError('store_unavailable', 'down', { retryAfter: 1 })

/** A cache over a fake store with one record an owner, whose responses and change feed the test controls. */
function createCache(limits: Partial<RecordCacheLimits> = {}) {
  const clock = manualClock()
  const subscribers: Array<(owner?: string, unreportedMs?: number) => void> = []
  const store = {
    isReliable: true,
    loads: 0,
    value: 'one' as string | undefined,
    load: async (): Promise<Array<string | undefined>> => [store.value],
    reportChange(owner?: string, unreportedMs?: number) {
      for (const subscriber of subscribers) subscriber(owner, unreportedMs)
    },
    goDown() {
      store.isReliable = false
      store.load = () => Promise.reject(storeUnavailable())
    }
  }
  const cache = createRecordCache<string>(
    { isReliable: () => store.isReliable, subscribe: onChange => void subscribers.push(onChange), waitForChange: async () => {} },
    clock,
    { maxOwners: 3, maxAgeMs: 10 * second, graceMs: 30 * second, ...limits }
  )
  const read = async (owner = 'owner') => {
    const [value] = await cache.read(owner, ['field'], () => {
      store.loads++
      return store.load()
    })
    return value
  }
  return { store, cache, clock, read }
}

t.test('a cached record is served without a load until its owner changes', async t => {
  const { store, read } = createCache()
  t.equal(await read(), 'one')
  t.equal(await read(), 'one')
  t.equal(store.loads, 1)
  store.value = 'two'
  store.reportChange('another')
  t.equal(await read(), 'one', 'another owner changed')
  store.reportChange('owner')
  t.equal(await read(), 'two')
  t.equal(store.loads, 2)
})

t.test('a write by this process evicts the record', async t => {
  const { store, cache, read } = createCache()
  await read()
  store.value = 'two'
  cache.evict('owner')
  t.equal(await read(), 'two')
})

t.test('the absence of a record is cached', async t => {
  const { store, read } = createCache()
  store.value = undefined
  t.equal(await read(), undefined)
  t.equal(await read(), undefined)
  t.equal(store.loads, 1)
})

t.test('a field that is not cached is loaded and added to the cached ones', async t => {
  const { store, cache } = createCache()
  const load = async () => {
    store.loads++
    return ['a', 'b']
  }
  t.same(await cache.read('owner', ['one', 'two'], load), ['a', 'b'])
  t.same(await cache.read('owner', ['two'], load), ['b'])
  t.equal(store.loads, 1)
  await cache.read('owner', ['one', 'three'], load)
  t.same(await cache.read('owner', ['two', 'three'], load), ['b', 'b'])
  t.equal(store.loads, 2)
})

t.test('a record is loaded again at its maximum age, without a reported change', async t => {
  const { store, clock, read } = createCache()
  await read()
  clock.advance(10 * second - 1)
  await read()
  t.equal(store.loads, 1)
  clock.advance(1)
  await read()
  t.equal(store.loads, 2)
})

t.test('a record that was loaded again is cached for another maximum age', async t => {
  const { store, clock, read } = createCache()
  for (let round = 1; round <= 3; round++) {
    for (let i = 0; i < 5; i++) await read()
    t.equal(store.loads, round)
    clock.advance(10 * second)
  }
})

t.test('a load is not cached when a change is reported during it', async t => {
  for (const owner of ['owner', undefined]) {
    const { store, read } = createCache()
    const response = Promise.withResolvers<string[]>()
    store.load = () => response.promise
    const reading = read()
    store.reportChange(owner)
    response.resolve(['old'])
    t.equal(await reading, 'old', 'for the reader from before the change')
    store.load = async () => ['new']
    t.equal(await read(), 'new')
    t.equal(await read(), 'new')
    t.equal(store.loads, 2)
  }
})

t.test('a record that was loaded while the change feed was unreliable is loaded again', async t => {
  const { store, read } = createCache()
  store.isReliable = false
  await read()
  store.value = 'two'
  t.equal(await read(), 'two')
  store.isReliable = true
  store.value = 'three'
  t.equal(await read(), 'three', 'also once the feed is reliable')
  t.equal(await read(), 'three')
  t.equal(store.loads, 3)
})

t.test('all records are loaded again when changes may have been missed', async t => {
  const { store, read } = createCache()
  await read()
  store.value = 'two'
  store.reportChange()
  t.equal(await read(), 'two')
})

t.test('SEC-41: a stale record is served during an outage for the grace time only', async t => {
  const { store, clock, read } = createCache()
  await read()
  clock.advance(5 * second)
  store.goDown()
  store.reportChange()
  clock.advance(30 * second - 1)
  t.equal(await read(), 'one', 'counted from when it was last known to be current')
  clock.advance(1)
  await t.rejects(read(), { code: 'store_unavailable' })
  await t.rejects(read('another'), { code: 'store_unavailable' }, 'never cached')
})

t.test('SEC-41, SEC-20: the grace time counts from the first unreported change', async t => {
  const { store, clock, read } = createCache()
  await read()
  clock.advance(5 * second)
  store.goDown()
  store.reportChange(undefined, 1_500)
  clock.advance(28.5 * second - 1)
  t.equal(await read(), 'one')
  clock.advance(1)
  await t.rejects(read(), { code: 'store_unavailable' })
})

t.test('SEC-41: the grace time of a record begins no earlier than its load', async t => {
  const { store, clock, read } = createCache()
  clock.advance(5 * second)
  await read()
  store.goDown()
  store.reportChange(undefined, 20 * second)
  clock.advance(30 * second - 1)
  t.equal(await read(), 'one')
})

t.test('SEC-41: a silent store is not waited for beyond the grace time', async t => {
  const { store, clock, read } = createCache({ graceMs: 5 })
  await read()
  store.isReliable = false
  store.load = () => new Promise(() => {})
  store.reportChange()
  clock.advance(4)
  t.equal(await read(), 'one')
})

t.test('SEC-41: a record that is known to have changed is never served stale', async t => {
  const { store, read } = createCache()
  await read()
  store.reportChange('owner')
  store.goDown()
  await t.rejects(read(), { code: 'store_unavailable' })
})

t.test('SEC-41: without a grace time no stale record is served', async t => {
  const { store, read } = createCache({ graceMs: 0 })
  await read()
  store.goDown()
  store.reportChange()
  await t.rejects(read(), { code: 'store_unavailable' })
})

t.test('a stale record is served when the store is silent', async t => {
  const { store, read } = createCache()
  await read()
  store.isReliable = false
  store.reportChange()
  const response = Promise.withResolvers<string[]>()
  store.load = () => response.promise
  t.equal(await read(), 'one')
  response.reject(storeUnavailable())
})

t.test('any other error of a load is thrown, stale record or not', async t => {
  const { store, read } = createCache()
  await read()
  store.isReliable = false
  store.load = () => Promise.reject(new TypeError('a bug'))
  store.reportChange()
  await t.rejects(read(), TypeError)
})

t.test('beyond the maximum of owners the least recently used is evicted', async t => {
  const { store, read } = createCache()
  for (const owner of ['a', 'b', 'c', 'a', 'd']) await read(owner)
  t.equal(store.loads, 4)
  for (const owner of ['a', 'c', 'd']) await read(owner)
  t.equal(store.loads, 4)
  await read('b')
  t.equal(store.loads, 5)
})
