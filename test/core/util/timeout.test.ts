import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { mock } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Timeout, TimeoutError, withTimeout } from '../../../src/core/util/timeout.ts'

/** Blocks the event loop, as a machine without a free core does. */
const block = (ms: number) => void execFileSync('sleep', [`${ms / 1000}`])

t.test('work in time settles as it is, late work is an error', async t => {
  t.equal(await withTimeout(1000, Promise.resolve('value')), 'value')
  await t.rejects(withTimeout(1000, Promise.reject(new Error('refused'))), { message: 'refused' })
  let isDue = false
  setTimeout(() => {
    isDue = true
  }, 49)
  await t.rejects(withTimeout(50, new Promise(() => {})), new TimeoutError(50))
  t.ok(isDue, 'not before its time')
})

t.test('data that arrived while the process stood still is in time', async t => {
  const pipe = join(t.testdir(), 'pipe')
  execFileSync('sh', ['-c', `mkfifo '${pipe}'`])
  const end = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false })
  t.teardown(() => end.destroy())
  const response = withTimeout(500, once(end, 'data'))
  // As long as the steps of the timeout, so each of these comes right after one; the event loop is blocked during the last step.
  for (let i = 0; i < 4; i++) await sleep(100)
  // After I/O is polled, and before the next timers.
  await nextTurn()
  execFileSync('sh', ['-c', `echo response > '${pipe}'; sleep 0.3`])
  t.equal(String(await response), 'response\n')
})

t.test('time in which the process stood still does not count', async t => {
  const late = Promise.withResolvers<string>()
  const response = withTimeout(500, late.promise)
  block(700)
  setTimeout(() => late.resolve('value'), 100)
  t.equal(await response, 'value')
})

/** Advances mocked time by a millisecond at a time: timers that are set meanwhile count from there. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed++) mock.timers.tick(1)
}

t.test('refresh postpones the callback, which is called once and never after clear', t => {
  t.teardown(() => mock.reset())
  mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
  let called = 0
  const timeout = new Timeout(1000, () => called++)
  for (let i = 0; i < 10; i++) {
    pass(990)
    t.equal(called, 0)
    timeout.refresh()
  }
  pass(999)
  t.equal(called, 0, 'not before its time')
  pass(202)
  t.equal(called, 1)
  pass(10_000)
  t.equal(called, 1)

  const cleared = new Timeout(1000, () => called++)
  pass(500)
  cleared.refresh()
  cleared.clear()
  pass(10_000)
  t.equal(called, 1)
  t.end()
})

t.test('a refresh or clear in the last moment counts', t => {
  t.teardown(() => mock.reset())
  mock.timers.enable({ apis: ['setTimeout'] })
  const immediates: Array<() => void> = []
  mock.method(globalThis, 'setImmediate', (call: (timeout: Timeout) => void, timeout: Timeout) => immediates.push(() => call(timeout)))
  mock.method(globalThis, 'clearImmediate', () => immediates.splice(0))
  let called = 0
  const timeout = new Timeout(1000, () => called++)
  pass(1000)
  timeout.refresh()
  immediates.shift()?.()
  t.equal(called, 0)
  pass(1200)
  timeout.clear()
  immediates.shift()?.()
  t.equal(called, 0)
  t.end()
})
