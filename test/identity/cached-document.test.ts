import t from 'tap'
import { createCachedDocument } from '../../src/identity/cached-document.ts'
import { IssuerError } from '../../src/identity/issuer-errors.ts'
import { manualClock } from '../core/support.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs

/** A document whose every load the test ends. */
function startDocument() {
  const clock = manualClock()
  const loads: Array<PromiseWithResolvers<string>> = []
  const outcomes: string[] = []
  const document = createCachedDocument<string>({
    load: () => {
      const load = Promise.withResolvers<string>()
      loads.push(load)
      return load.promise
    },
    clock,
    onLoad: (loaded, previous) => void outcomes.push(`${previous} to ${loaded}`),
    onFailure: ({ message }) => void outcomes.push(message)
  })
  /** Ends the latest load. */
  const resolve = (value: string) => loads.at(-1)?.resolve(value)
  const reject = (error: Error = new IssuerError('it is down', { code: 'EDOWN' })) => loads.at(-1)?.reject(error)
  return { clock, loads, outcomes, document, resolve, reject }
}

async function startKnown() {
  const s = startDocument()
  const first = s.document.current()
  s.resolve('one')
  await first
  return s
}

const down = { code: 'issuer_unavailable', message: /it is down \(EDOWN\)/ }

t.test('callers share a load, however long it takes', async t => {
  const { clock, loads, document, resolve, outcomes } = startDocument()
  const first = document.current()
  clock.advance(4 * secondMs)
  const second = document.newerThan('none')
  t.notOk(document.isKnown())
  t.equal(loads.length, 1)
  resolve('one')
  t.strictSame(await Promise.all([first, second]), ['one', 'one'])
  t.ok(document.isKnown())
  t.strictSame(outcomes, ['undefined to one'])
})

t.test('a failure is repeated for five seconds, then the document is loaded again', async t => {
  const { clock, loads, document, resolve, reject } = startDocument()
  const first = document.current()
  reject()
  await t.rejects(first, { ...down, retryAfter: 5 })
  clock.advance(5 * secondMs - 1)
  await t.rejects(document.current(), { ...down, retryAfter: 1 })
  t.equal(loads.length, 1)
  clock.advance(1)
  const second = document.current()
  resolve('two')
  t.equal(await second, 'two')
})

t.test('an old document is loaded again in the background', async t => {
  const { clock, loads, document, resolve, outcomes } = await startKnown()
  clock.advance(10 * minuteMs - 1)
  t.equal(document.refreshIfOld(), undefined)
  t.equal(loads.length, 1)
  clock.advance(1)
  t.equal(await document.current(), 'one', 'nobody waits')
  t.equal(loads.length, 2)
  resolve('two')
  await document.refreshIfOld()
  t.equal(await document.current(), 'two')
  t.strictSame(outcomes, ['undefined to one', 'one to two'])
})

t.test('a document that cannot be loaded again stays in use', async t => {
  const { clock, loads, document, reject, outcomes } = await startKnown()
  clock.advance(10 * minuteMs)
  const refreshed = document.refreshIfOld()
  reject()
  await refreshed
  t.equal(await document.current(), 'one')
  clock.advance(30 * secondMs - 1)
  t.equal(await document.current(), 'one')
  t.equal(loads.length, 2, 'the next try is after 30 s')
  clock.advance(1)
  t.equal(await document.current(), 'one')
  t.equal(loads.length, 3)
  t.strictSame(outcomes, ['undefined to one', 'it is down'])
})

t.test('a newer document is loaded at most once in 30 s', async t => {
  const { clock, loads, document, resolve } = await startKnown()
  const second = document.newerThan('one')
  resolve('two')
  t.equal(await second, 'two')
  t.equal(await document.newerThan('one'), 'two', 'whoever has seen the first gets the second')
  clock.advance(30 * secondMs - 1)
  t.equal(await document.newerThan('two'), undefined)
  t.equal(loads.length, 2)
  clock.advance(1)
  const third = document.newerThan('two')
  resolve('three')
  t.equal(await third, 'three')
})

t.test('while a newer document cannot be loaded nobody knows of one', async t => {
  const { document, reject } = await startKnown()
  const second = document.newerThan('one')
  reject()
  await t.rejects(second, { ...down, retryAfter: 30 })
  await t.rejects(document.newerThan('one'), { ...down, retryAfter: 30 })
  t.equal(await document.current(), 'one')
})

t.test('a clock that is set back stops nothing', async t => {
  const { clock, document, resolve, reject } = await startKnown()
  const tried = document.newerThan('one')
  reject()
  await t.rejects(tried, down)
  clock.advance(-86_400_000)
  const second = document.newerThan('one')
  resolve('two')
  t.equal(await second, 'two')
})

t.test('the error of a document that another one needs keeps its reason', async t => {
  const inner = startDocument()
  const { clock } = inner
  const errors: IssuerError[] = []
  const outer = createCachedDocument({ load: () => inner.document.current(), clock, onFailure: error => void errors.push(error) })
  const first = outer.current()
  inner.reject()
  await t.rejects(first, down)
  t.match(errors, [{ message: 'it is down', code: 'EDOWN' }])
})

t.test('an error that is not ours is not repeated', async t => {
  const { document, reject } = startDocument()
  const first = document.current()
  reject(new TypeError('canary'))
  await t.rejects(first, { code: 'issuer_unavailable', message: /a document of the issuer cannot be read\./ })
})
