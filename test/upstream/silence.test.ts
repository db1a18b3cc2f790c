import { mock } from 'node:test'
import t from 'tap'
import { Silence } from '../../src/upstream/silence.ts'

t.test('a silence is told of once, so long after the last that was heard, and never once it does not count any more', async t => {
  let nowMs = 0
  t.teardown(() => mock.reset())
  mock.timers.enable({ apis: ['setTimeout'] })
  mock.method(performance, 'now', () => nowMs)
  const pass = (ms: number) => {
    nowMs += ms
    mock.timers.tick(ms)
  }
  let told = 0
  const silence = new Silence(1_000, () => told++)
  pass(900)
  silence.heard()
  pass(900)
  silence.heard()
  pass(990)
  t.equal(told, 0)
  pass(20)
  t.equal(told, 1)
  pass(10_000)
  t.equal(told, 1)

  const stopped = new Silence(1_000, () => told++)
  pass(500)
  stopped.heard()
  pass(600)
  stopped.stop()
  pass(10_000)
  t.equal(told, 1)
})
