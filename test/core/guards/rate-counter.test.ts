import t, { type Test } from 'tap'
import { createRateCounter } from '../../../src/core/guards/rate-counter.ts'
import { openStore } from '../../../src/stores/open-store.ts'
import { TestClock } from '../../support/gateway.ts'

const minuteMs = 60_000

async function setUp(t: Test, maxRemembered: number) {
  const clock = new TestClock()
  const store = await openStore({ dataDir: t.testdir(), clock })
  t.teardown(() => store.close())
  const asked: string[] = []
  const told = {
    increment: (key: string, windowMs: number) => {
      asked.push(key)
      return store.increment(key, windowMs)
    }
  }
  const count = createRateCounter(told, clock, maxRemembered)
  return { clock, asked, count: (key: string) => count(key, minuteMs, 1) }
}

t.test('SEC-36: who has had his share is answered without the store until the minute is over', async t => {
  const { clock, asked, count } = await setUp(t, 10)
  t.same(await count('a'), { current: 1, endsInMs: minuteMs })
  clock.advance(10_000)
  t.same(await count('a'), { current: 2, endsInMs: 50_000 })
  clock.advance(10_000)
  t.same(await count('a'), { current: 2, endsInMs: 40_000 })
  t.same(asked, ['a', 'a'])
  clock.advance(40_000)
  t.same(await count('a'), { current: 1, endsInMs: minuteMs })
})

t.test('SEC-36: of more keys than are remembered the newest are, however many came before', async t => {
  const { asked, count } = await setUp(t, 2)
  for (const key of ['a', 'b', 'c']) {
    await count(key)
    await count(key)
  }
  asked.length = 0
  for (const key of ['c', 'b', 'a']) t.equal((await count(key)).current, key === 'a' ? 3 : 2)
  t.same(asked, ['a'])
})
