import t, { type Test } from 'tap'
import { GatewayError } from '../../../src/core/errors.ts'
import { createRecordCache, type RecordCacheLimits } from '../../../src/core/vault/record-cache.ts'
import { handClock, second } from '../support.ts'

const down = () => new GatewayError('store_unavailable', 'down', { retryAfter: 1 })

/** A store of one record an owner that tells of changes, or does not, as the test says. */
function begin(_t: Test, limits: Partial<RecordCacheLimits> = {}) {
  const clock = handClock()
  const listeners: Array<(owner?: string, untoldMs?: number) => void> = []
  const world = {
    complete: true,
    asked: 0,
    value: 'one' as string | undefined,
    /** What the store does when it is asked. */
    answer: async (): Promise<Array<string | undefined>> => [world.value],
    tell: (owner?: string, untoldMs?: number) => {
      for (const listener of listeners) listener(owner, untoldMs)
    }
  }
  const memory = createRecordCache<string>(
    { isReliable: () => world.complete, subscribe: listener => void listeners.push(listener), waitForChange: async () => {} },
    clock,
    { maxOwners: 3, maxAgeMs: 10 * second, graceMs: 30 * second, ...limits }
  )
  const read = async (owner = 'owner') => {
    const [value] = await memory.read(owner, ['field'], () => {
      world.asked++
      return world.answer()
    })
    return value
  }
  return { world, memory, clock, read }
}

t.test('what is held is served without asking, until a change is told', async t => {
  const { world, read } = begin(t)
  t.equal(await read(), 'one')
  t.equal(await read(), 'one')
  t.equal(world.asked, 1)
  world.value = 'two'
  world.tell('another')
  t.equal(await read(), 'one', 'the change was another’s')
  world.tell('owner')
  t.equal(await read(), 'two')
  t.equal(world.asked, 2)
})

t.test('what was asked for again when its time was over is held for as long again', async t => {
  const { world, clock, read } = begin(t)
  for (let round = 1; round <= 3; round++) {
    for (let call = 0; call < 5; call++) await read()
    t.equal(world.asked, round)
    clock.advance(10 * second)
  }
})

t.test('that there is no record is held too', async t => {
  const { world, read } = begin(t)
  world.value = undefined
  t.equal(await read(), undefined)
  t.equal(await read(), undefined)
  t.equal(world.asked, 1)
})

t.test('a field that is not held is asked for, and joins what is', async t => {
  const { world, memory } = begin(t)
  const load = async () => {
    world.asked++
    return ['a', 'b']
  }
  t.same(await memory.read('owner', ['one', 'two'], load), ['a', 'b'])
  t.same(await memory.read('owner', ['two'], load), ['b'])
  t.equal(world.asked, 1)
  await memory.read('owner', ['one', 'three'], load)
  t.same(await memory.read('owner', ['two', 'three'], load), ['b', 'b'])
  t.equal(world.asked, 2)
})

t.test('after the time limit it is asked for again, though no change was told', async t => {
  const { world, clock, read } = begin(t)
  await read()
  clock.advance(10 * second - 1)
  await read()
  t.equal(world.asked, 1)
  clock.advance(1)
  await read()
  t.equal(world.asked, 2)
})

t.test('a change that is told while the store is being asked outruns the answer', async t => {
  for (const owner of ['owner', undefined]) {
    const { world, read } = begin(t)
    const answer = Promise.withResolvers<string[]>()
    world.answer = () => answer.promise
    const reading = read()
    world.tell(owner)
    answer.resolve(['old'])
    t.equal(await reading, 'old', 'for who asked before the change')
    world.answer = async () => ['new']
    t.equal(await read(), 'new')
    t.equal(await read(), 'new')
    t.equal(world.asked, 2)
  }
})

t.test('what was read while changes were not told is not trusted', async t => {
  const { world, read } = begin(t)
  world.complete = false
  await read()
  world.value = 'two'
  t.equal(await read(), 'two')
  world.complete = true
  world.value = 'three'
  t.equal(await read(), 'three', 'nor later')
  t.equal(await read(), 'three')
  t.equal(world.asked, 3)
})

t.test('when changes may have been missed, everything is asked for again', async t => {
  const { world, read } = begin(t)
  await read()
  world.value = 'two'
  world.tell()
  t.equal(await read(), 'two')
})

t.test('SEC-41: while the store is down a held record serves for the grace time, and then no longer', async t => {
  const { world, clock, read } = begin(t)
  await read()
  clock.advance(5 * second)
  world.complete = false
  world.answer = () => Promise.reject(down())
  world.tell()
  clock.advance(30 * second - 1)
  t.equal(await read(), 'one', 'counted from when it was last known to be true')
  clock.advance(1)
  await t.rejects(read(), { code: 'store_unavailable' })
  await t.rejects(read('another'), { code: 'store_unavailable' }, 'what was never held does not serve')
})

t.test('SEC-41, SEC-20: an instance that finds out late that it is cut off serves no longer for that', async t => {
  const { world, clock, read } = begin(t)
  await read()
  clock.advance(5 * second)
  world.complete = false
  world.answer = () => Promise.reject(down())
  world.tell(undefined, 1_500)
  clock.advance(28.5 * second - 1)
  t.equal(await read(), 'one')
  clock.advance(1)
  await t.rejects(read(), { code: 'store_unavailable' })
})

t.test('SEC-41: a record that was read after the last word serves for the grace time from its reading', async t => {
  const { world, clock, read } = begin(t)
  clock.advance(5 * second)
  await read()
  world.complete = false
  world.answer = () => Promise.reject(down())
  world.tell(undefined, 20 * second)
  clock.advance(30 * second - 1)
  t.equal(await read(), 'one')
})

t.test('SEC-41: a store that is silent is not waited for beyond the grace time', async t => {
  const { world, clock, read } = begin(t, { graceMs: 5 })
  await read()
  world.complete = false
  world.answer = () => new Promise(() => {})
  world.tell()
  clock.advance(4)
  t.equal(await read(), 'one')
})

t.test('SEC-41: a record that is known to have changed does not serve while the store is down', async t => {
  const { world, read } = begin(t)
  await read()
  world.tell('owner')
  world.complete = false
  world.answer = () => Promise.reject(down())
  await t.rejects(read(), { code: 'store_unavailable' })
})

t.test('SEC-41: without a grace time nothing serves while the store is down', async t => {
  const { world, read } = begin(t, { graceMs: 0 })
  await read()
  world.complete = false
  world.answer = () => Promise.reject(down())
  world.tell()
  await t.rejects(read(), { code: 'store_unavailable' })
})

t.test('a store that says nothing is not waited for by who can be served', async t => {
  const { world, read } = begin(t)
  await read()
  world.complete = false
  world.tell()
  const never = Promise.withResolvers<string[]>()
  world.answer = () => never.promise
  t.equal(await read(), 'one')
  never.reject(down())
})

t.test('another fault than the store’s is not covered up', async t => {
  const { world, read } = begin(t)
  await read()
  world.complete = false
  world.answer = () => Promise.reject(new TypeError('a slip of the program'))
  world.tell()
  await t.rejects(read(), TypeError)
})

t.test('when there are too many owners, who was used longest ago goes', async t => {
  const { world, read } = begin(t)
  for (const owner of ['a', 'b', 'c', 'a', 'd']) await read(owner)
  t.equal(world.asked, 4)
  for (const owner of ['a', 'c', 'd']) await read(owner)
  t.equal(world.asked, 4)
  await read('b')
  t.equal(world.asked, 5)
})
