import t from 'tap'
import { Semaphore } from '../../src/upstream/semaphore.ts'

/** Entrants by name, who note that they went. */
function enteringInto(lane: Semaphore, went: string[], onGo: (leave: () => void) => void = () => {}) {
  return (name: string) => {
    const leave = () => lane.release(entrant)
    const entrant = {
      onAcquired: () => {
        went.push(name)
        onGo(leave)
      }
    }
    lane.acquire(entrant)
    return leave
  }
}

t.test('so many onAcquired at once, and each that leaves lets in the one that has waited longest', async t => {
  const went: string[] = []
  const [a, b] = ['a', 'b', 'c', 'd'].map(enteringInto(new Semaphore(2), went))
  t.strictSame(went, ['a', 'b'])
  b?.()
  t.strictSame(went, ['a', 'b', 'c'])
  a?.()
  t.strictSame(went, ['a', 'b', 'c', 'd'])
})

t.test('who leaves while waiting is not let in, and makes no room', async t => {
  const went: string[] = []
  const [a, b] = ['a', 'b', 'c'].map(enteringInto(new Semaphore(1), went))
  b?.()
  t.strictSame(went, ['a'])
  a?.()
  t.strictSame(went, ['a', 'c'])
})

t.test('who ends while being let in makes room for the next, and for whoever comes', async t => {
  const went: string[] = []
  const lane = new Semaphore(1)
  const leaveFirst = enteringInto(lane, [])('first')
  for (const name of ['a', 'b', 'c']) enteringInto(lane, went, leave => leave())(name)
  leaveFirst()
  t.strictSame(went, ['a', 'b', 'c'])
  enteringInto(lane, went)('d')
  t.strictSame(went, ['a', 'b', 'c', 'd'])
})

t.test('however many wait, and leave as soon as they are let in, each has its turn', async t => {
  const went: string[] = []
  const lane = new Semaphore(1)
  const leaveFirst = enteringInto(lane, [])('first')
  const many = Array.from({ length: 20_000 }, (_, i) => String(i))
  for (const name of many) enteringInto(lane, went, leave => leave())(name)
  leaveFirst()
  t.strictSame(went, many)
})
