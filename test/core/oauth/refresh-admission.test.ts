import t from 'tap'
import { createRefreshAdmission } from '../../../src/core/oauth/refresh-admission.ts'
import { manualClock, second } from '../support.ts'

/** Pauses end when the test says so or when their signal is aborted. */
function openAdmission() {
  const clock = manualClock()
  const pauses: Array<() => void> = []
  const pause = (_ms: number, signal: AbortSignal) =>
    new Promise<void>(resolve => {
      pauses.push(resolve)
      signal.addEventListener('abort', () => resolve())
    })
  const admission = createRefreshAdmission(clock, pause)
  const admitted: string[] = []
  const admit = (refresh: string, provider = 'acme') =>
    admission.admit(provider).then(finish => {
      admitted.push(refresh)
      return finish
    })
  return { clock, pauses, admitted, admit }
}
const settled = () => new Promise(setImmediate)

t.test('after a quiet time the others wait for the outcome of the first refresh', async t => {
  const { admitted, admit } = openAdmission()
  const finish = await admit('first')
  const others = [admit('second'), admit('third')]
  await admit('at another provider', 'umbrella')
  await settled()
  t.strictSame(admitted, ['first', 'at another provider'])
  finish(false)
  await Promise.all(others)
  t.strictSame(admitted.slice(2), ['second', 'third'], 'both at once')
})

t.test('the others wait for half a second at most', async t => {
  const { pauses, admitted, admit } = openAdmission()
  await admit('first')
  const second = admit('second')
  await settled()
  t.strictSame(admitted, ['first'])
  pauses[0]?.()
  await second
  t.strictSame(admitted, ['first', 'second'])
})

t.test('within a second of a success all are admitted at once', async t => {
  const { clock, admitted, admit } = openAdmission()
  ;(await admit('first'))(true)
  clock.advance(second)
  await Promise.all([admit('second'), admit('third')])
  t.strictSame(admitted, ['first', 'second', 'third'])
  clock.advance(1)
  const finish = await admit('fourth')
  void admit('fifth')
  await settled()
  t.strictSame(admitted, ['first', 'second', 'third', 'fourth'], 'after that second the first one goes ahead again')
  finish(true)
})
