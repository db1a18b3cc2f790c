import t from 'tap'
import { createRefusals } from '../../src/core/refusals.ts'
import { Secret } from '../../src/core/secret.ts'
import { handClock, minute } from './support.ts'

const credential = new Secret('access-2')

t.test('a place that refused a fresh credential is remembered for a minute', async t => {
  const clock = handClock()
  const refusals = createRefusals(clock)
  t.notOk(refusals.has('place', credential))
  refusals.note('place', credential, true)
  t.ok(refusals.has('place', credential))
  t.ok(refusals.has('place', new Secret('access-2')), 'by what the credential is, not which object')
  t.notOk(refusals.has('elsewhere', credential))
  t.notOk(refusals.has('place', new Secret('access-3')), 'a newer credential may do')
  clock.advance(minute - 1)
  t.ok(refusals.has('place', credential))
  clock.advance(1)
  t.notOk(refusals.has('place', credential))
})

t.test('a place that took it is forgotten', async t => {
  const refusals = createRefusals(handClock())
  refusals.note('place', credential, true)
  refusals.note('place', credential, false)
  t.notOk(refusals.has('place', credential))
})

t.test('a thousand places are remembered, and the oldest goes', async t => {
  const refusals = createRefusals(handClock())
  for (let i = 0; i < 1000; i++) refusals.note(`place ${i}`, credential, true)
  t.ok(refusals.has('place 0', credential))
  refusals.note('place 1', credential, true)
  refusals.note('place 1000', credential, true)
  t.notOk(refusals.has('place 0', credential))
  t.ok(refusals.has('place 1', credential), 'noted again it is young again')
  refusals.note('place 1001', credential, true)
  t.notOk(refusals.has('place 2', credential))
  t.ok(refusals.has('place 1', credential))
})
