import { setImmediate as tick } from 'node:timers/promises'
import t from 'tap'
import { createEvents } from '../../src/core/events.ts'

const message = { owner: 'owner', provider: 'acme' }

t.test('a message reaches all subscribers of its event, synchronously and in order', async t => {
  const events = createEvents()
  const calls: unknown[] = []
  events.subscribe('connection.renewed', received => calls.push(['first', received]))
  events.subscribe('connection.renewed', received => calls.push(['second', received]))
  events.subscribe('connection.deleted', received => calls.push(['deleted', received]))
  events.publish('connection.renewed', message)
  t.strictSame(calls, [
    ['first', message],
    ['second', message]
  ])
})

t.test('a message without a subscriber is dropped', async t => {
  const events = createEvents()
  const calls: unknown[] = []
  events.publish('connection.renewed', message)
  events.subscribe('connection.renewed', received => calls.push(received))
  t.strictSame(calls, [])
})

t.test('a subscriber that throws disturbs neither publisher nor other subscribers', async t => {
  const events = createEvents()
  const uncaught: unknown[] = []
  process.setUncaughtExceptionCaptureCallback(error => uncaught.push(error))
  t.teardown(() => process.setUncaughtExceptionCaptureCallback(null))
  const error = new Error('a bug in a subscriber')
  const calls: unknown[] = []
  events.subscribe('connection.renewed', () => {
    throw error
  })
  events.subscribe('connection.renewed', received => calls.push(received))
  events.publish('connection.renewed', message)
  t.strictSame(calls, [message])
  await tick()
  t.strictSame(uncaught, [error], 'it becomes an uncaught exception')
})

t.test('two gateways in one process do not hear each other', async t => {
  const [one, other] = [createEvents(), createEvents()]
  const calls: string[] = []
  one.subscribe('connection.renewed', () => calls.push('one'))
  other.subscribe('connection.renewed', () => calls.push('other'))
  one.publish('connection.renewed', message)
  t.strictSame(calls, ['one'])
})
