import t from 'tap'
import { createLane } from '../../src/upstream/lane.ts'

/** Notes who goes, and gives what ends them. */
function entering(width: number) {
  const lane = createLane(width)
  const went: string[] = []
  return { went, enter: (name: string) => lane.enter(() => void went.push(name)) }
}

t.test('so many go at once, and each that leaves lets in the one that has waited longest', async t => {
  const { went, enter } = entering(2)
  const [a, b] = ['a', 'b', 'c', 'd'].map(enter)
  t.strictSame(went, ['a', 'b'])
  b?.()
  t.strictSame(went, ['a', 'b', 'c'])
  b?.()
  t.strictSame(went, ['a', 'b', 'c'], 'leaving twice makes no room')
  a?.()
  t.strictSame(went, ['a', 'b', 'c', 'd'])
})

t.test('who leaves while waiting is not let in, and makes no room', async t => {
  const { went, enter } = entering(1)
  const [a, b] = ['a', 'b', 'c'].map(enter)
  b?.()
  t.strictSame(went, ['a'])
  a?.()
  t.strictSame(went, ['a', 'c'])
})

t.test('who ends while being let in makes room at once', async t => {
  const lane = createLane(1)
  const went: number[] = []
  const first = lane.enter(() => {})
  for (let i = 0; i < 3; i++) {
    const leave = lane.enter(() => {
      went.push(i)
      queueMicrotask(() => leave())
    })
  }
  first()
  await Promise.resolve()
    .then(() => {})
    .then(() => {})
  t.strictSame(went, [0, 1, 2])
})
