import t from 'tap'
import { createRefreshAdmission } from '../../../src/core/oauth/refresh-admission.ts'
import { manualClock, second } from '../support.ts'

/** Pauses that end when the test says so, or whoever began them. */
function turnsOfTest() {
  const clock = manualClock()
  const pauses: Array<() => void> = []
  const pause = (_ms: number, signal: AbortSignal) =>
    new Promise<void>(resolve => {
      pauses.push(resolve)
      signal.addEventListener('abort', () => resolve())
    })
  const turns = createRefreshAdmission(clock, pause)
  const entered: string[] = []
  const enter = (who: string, provider = 'acme') =>
    turns.admit(provider).then(leave => {
      entered.push(who)
      return leave
    })
  return { clock, pauses, entered, enter }
}
const settled = () => new Promise(setImmediate)

t.test('after a quiet time the first goes ahead, and the others when it is back', async t => {
  const { entered, enter } = turnsOfTest()
  const leave = await enter('first')
  const others = [enter('second'), enter('third')]
  await enter('somebody at another provider', 'umbrella')
  await settled()
  t.strictSame(entered, ['first', 'somebody at another provider'])
  leave(false)
  await Promise.all(others)
  t.strictSame(entered.slice(2), ['second', 'third'], 'together')
})

t.test('nobody waits for a first one that is slow for longer than half a second', async t => {
  const { pauses, entered, enter } = turnsOfTest()
  await enter('first')
  const second = enter('second')
  await settled()
  t.strictSame(entered, ['first'])
  pauses[0]?.()
  await second
  t.strictSame(entered, ['first', 'second'])
})

t.test('nor where one was answered well within the last second', async t => {
  const { clock, entered, enter } = turnsOfTest()
  ;(await enter('first'))(true)
  clock.advance(second)
  await Promise.all([enter('second'), enter('third')])
  t.strictSame(entered, ['first', 'second', 'third'])
  clock.advance(1)
  const leave = await enter('fourth')
  void enter('fifth')
  await settled()
  t.strictSame(entered, ['first', 'second', 'third', 'fourth'], 'later it is as in the beginning')
  leave(true)
})
