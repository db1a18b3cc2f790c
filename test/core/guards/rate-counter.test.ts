import t, { type Test } from 'tap'
import { createRateCounter } from '../../../src/core/guards/rate-counter.ts'
import { openStore } from '../../../src/stores/open-store.ts'
import { TestClock } from '../../support/gateway.ts'

const minuteMs = 60_000

async function setUp(t: Test, maxCachedKeys: number) {
  const clock = new TestClock()
  const store = await openStore({ dataDir: t.testdir(), clock })
  t.teardown(() => store.close())
  const counted: string[] = []
  const observedStore = {
    increment: (key: string, windowMs: number) => {
      counted.push(key)
      return store.increment(key, windowMs)
    }
  }
  const count = createRateCounter(observedStore, clock, maxCachedKeys)
  return { clock, counted, count: (key: string) => count(key, minuteMs, 1) }
}

t.test('SEC-36: a key over its limit skips the store until its window ends', async t => {
  const { clock, counted, count } = await setUp(t, 10)
  t.same(await count('a'), { current: 1, endsInMs: minuteMs })
  clock.advance(10_000)
  t.same(await count('a'), { current: 2, endsInMs: 50_000 })
  clock.advance(10_000)
  t.same(await count('a'), { current: 2, endsInMs: 40_000 })
  t.same(counted, ['a', 'a'])
  clock.advance(40_000)
  t.same(await count('a'), { current: 1, endsInMs: minuteMs })
})

t.test('SEC-36: the cache of keys over their limit evicts the oldest', async t => {
  const { counted, count } = await setUp(t, 2)
  for (const key of ['a', 'b', 'c']) {
    await count(key)
    await count(key)
  }
  counted.length = 0
  for (const key of ['c', 'b', 'a']) t.equal((await count(key)).current, key === 'a' ? 3 : 2)
  t.same(counted, ['a'])
})
