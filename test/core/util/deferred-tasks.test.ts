import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createDeferredTasks } from '../../../src/core/util/deferred-tasks.ts'

const delayMs = 10

const neverFails = (error: unknown) => {
  throw error
}

t.test('a task runs once, after the delay', async t => {
  const { schedule } = createDeferredTasks(delayMs, neverFails)
  let runs = 0
  schedule(async () => runs++)
  t.equal(runs, 0)
  await sleep(5 * delayMs)
  t.equal(runs, 1)
})

t.test('closing cancels the tasks that have not run', async t => {
  const { schedule, close } = createDeferredTasks(delayMs, neverFails)
  let runs = 0
  schedule(async () => runs++)
  schedule(async () => runs++)
  close()
  await sleep(5 * delayMs)
  t.equal(runs, 0)
})

t.test('a rejection goes to the error handler', async t => {
  const error = new Error('failed')
  const errors: unknown[] = []
  const { schedule } = createDeferredTasks(delayMs, reason => errors.push(reason))
  schedule(() => Promise.reject(error))
  schedule(async () => {})
  await sleep(5 * delayMs)
  t.strictSame(errors, [error])
})
