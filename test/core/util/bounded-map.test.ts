import t from 'tap'
import { BoundedMap } from '../../../src/core/util/bounded-map.ts'

const filled = (order: 'fifo' | 'lru', maxEntries: number) => {
  const map = new BoundedMap<string, number>({ maxEntries, order })
  for (let i = 0; i < maxEntries; i++) map.set(`key ${i}`, i)
  return map
}

t.test('a further entry evicts the oldest', async t => {
  for (const order of ['fifo', 'lru'] as const) {
    const map = filled(order, 3)
    map.set('further', 3)
    t.strictSame([...map.values()], [1, 2, 3], order)
    t.equal(map.get('key 0'), undefined)
    t.equal(map.size, 3)
  }
})

t.test('an entry that is set again is the newest, and evicts no other', async t => {
  for (const order of ['fifo', 'lru'] as const) {
    const map = filled(order, 3)
    map.set('key 0', 7)
    t.strictSame([...map.values()], [1, 2, 7], order)
    map.set('further', 3)
    t.strictSame([...map.values()], [2, 7, 3], order)
  }
})

t.test('fifo: a get changes nothing', async t => {
  const map = filled('fifo', 3)
  t.equal(map.get('key 0'), 0)
  map.set('further', 3)
  t.equal(map.get('key 0'), undefined)
})

t.test('lru: an old entry that is read survives those that are not', async t => {
  const map = filled('lru', 10)
  for (let i = 0; i < 100; i++) {
    t.equal(map.get('key 0'), 0)
    map.set(`further ${i}`, i)
  }
  t.equal(map.size, 10)
  t.equal(map.get('key 1'), undefined)
})

t.test('undefined is a key and a value', async t => {
  const map = new BoundedMap<undefined | string, undefined | number>({ maxEntries: 1, order: 'fifo' })
  map.set(undefined, 1)
  map.set('a', undefined)
  t.strictSame([...map.values()], [undefined])
})

t.test('entries can be evicted by key, one or all', async t => {
  const map = filled('lru', 3)
  map.evict('key 1')
  map.evict('unknown')
  t.strictSame([...map.values()], [0, 2])
  map.clear()
  t.equal(map.size, 0)
  t.equal(map.get('key 0'), undefined)
})
