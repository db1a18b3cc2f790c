import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { mock } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Timeout, withTimeout } from '../../../src/core/util/timeout.ts'

/** A process that does nothing else for so long, as one without a core. */
const standStill = (ms: number) => void execFileSync('sleep', [`${ms / 1000}`])

t.test('what comes in time is the answer, and what is too late is an error', async t => {
  t.equal(await withTimeout(1000, Promise.resolve('here')), 'here')
  await t.rejects(withTimeout(1000, Promise.reject(new Error('refused'))), { message: 'refused' })
  let isDue = false
  setTimeout(() => {
    isDue = true
  }, 49)
  await t.rejects(withTimeout(50, new Promise(() => {})), { message: 'no answer within 50 ms' })
  t.ok(isDue, 'not before its time')
})

t.test('an answer that came while this process stood still is in time, also in the last moment', async t => {
  const pipe = join(t.testdir(), 'pipe')
  execFileSync('sh', ['-c', `mkfifo '${pipe}'`])
  const end = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false })
  t.teardown(() => end.destroy())
  const answer = withTimeout(500, once(end, 'data'))
  // As long as the pieces of the limit, so each of these comes right after one; the last piece goes by while all stands still.
  for (let i = 0; i < 4; i++) await sleep(100)
  // After what is here is read, and before the next timers.
  await nextTurn()
  execFileSync('sh', ['-c', `echo answer > '${pipe}'; sleep 0.3`])
  t.equal(String(await answer), 'answer\n')
})

t.test('time in which this process stood still is not held against who is waited for', async t => {
  const late = Promise.withResolvers<string>()
  const answer = withTimeout(500, late.promise)
  standStill(700)
  setTimeout(() => late.resolve('here'), 100)
  t.equal(await answer, 'here')
})

/** Of mocked time, a millisecond at a time: timers that are set meanwhile count from there. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed++) mock.timers.tick(1)
}

t.test('signs of life put it off, and once it is over or ended nobody is called again', t => {
  t.teardown(() => mock.reset())
  mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
  let called = 0
  const limit = new Timeout(1000, () => called++)
  for (let i = 0; i < 10; i++) {
    pass(990)
    t.equal(called, 0)
    limit.refresh()
  }
  pass(999)
  t.equal(called, 0, 'not before its time')
  pass(202)
  t.equal(called, 1)
  pass(10_000)
  t.equal(called, 1)

  const ended = new Timeout(1000, () => called++)
  pass(500)
  ended.refresh()
  ended.clear()
  pass(10_000)
  t.equal(called, 1)
  t.end()
})

t.test('a sign of life in the last moment counts, and so does an end', t => {
  t.teardown(() => mock.reset())
  mock.timers.enable({ apis: ['setTimeout'] })
  const immediates: Array<() => void> = []
  mock.method(globalThis, 'setImmediate', (call: (limit: Timeout) => void, limit: Timeout) => immediates.push(() => call(limit)))
  mock.method(globalThis, 'clearImmediate', () => immediates.splice(0))
  let called = 0
  const limit = new Timeout(1000, () => called++)
  pass(1000)
  limit.refresh()
  immediates.shift()?.()
  t.equal(called, 0)
  pass(1200)
  limit.clear()
  immediates.shift()?.()
  t.equal(called, 0)
  t.end()
})
