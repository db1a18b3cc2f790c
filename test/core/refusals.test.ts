import t from 'tap'
import { createRefusals } from '../../src/core/refusals.ts'
import { Secret } from '../../src/core/secret.ts'
import { handClock, minute } from './support.ts'

const credential = new Secret('access-2')

t.test('a place that refused a fresh credential is remembered for a minute', async t => {
  const clock = handClock()
  const refusals = createRefusals(clock)
  t.notOk(refusals.has('connection', 'place', credential))
  refusals.note('place', credential, true)
  t.ok(refusals.has('connection', 'place', credential))
  t.ok(refusals.has('connection', 'place', new Secret('access-2')), 'by what the credential is, not which object')
  t.notOk(refusals.has('connection', 'elsewhere', credential))
  t.notOk(refusals.has('connection', 'place', new Secret('access-3')), 'a newer credential may do')
  clock.advance(minute - 1)
  t.ok(refusals.has('connection', 'place', credential))
  clock.advance(1)
  t.notOk(refusals.has('connection', 'place', credential))
})

t.test('a place that took it is forgotten', async t => {
  const refusals = createRefusals(handClock())
  refusals.note('place', credential, true)
  refusals.note('place', credential, false)
  t.notOk(refusals.has('connection', 'place', credential))
})

t.test('a thousand places are remembered, and the oldest goes', async t => {
  const refusals = createRefusals(handClock())
  for (let i = 0; i < 1000; i++) refusals.note(`place ${i}`, credential, true)
  t.ok(refusals.has('connection', 'place 0', credential))
  refusals.note('place 1', credential, true)
  refusals.note('place 1000', credential, true)
  t.notOk(refusals.has('connection', 'place 0', credential))
  t.ok(refusals.has('connection', 'place 1', credential), 'noted again it is young again')
  refusals.note('place 1001', credential, true)
  t.notOk(refusals.has('connection', 'place 2', credential))
  t.ok(refusals.has('connection', 'place 1', credential))
})

t.test('renewals that help on no path are remembered of the connection: five a minute, and its 401s are taken at their word', async t => {
  const clock = { ms: 0, now: () => clock.ms }
  const refusals = createRefusals(clock)
  for (let i = 0; i < 5; i++) {
    t.notOk(refusals.has('ada', `place ${i}`, new Secret(`access-${i}`)))
    refusals.noteRenewed('ada', false)
    refusals.noteRenewed('ada', true)
    clock.ms += 1_000
  }
  t.ok(refusals.has('ada', 'another place', new Secret('access-9')))
  t.notOk(refusals.has('bob', 'another place', new Secret('access-9')), 'others have their own')
  clock.ms = 60_000
  t.notOk(refusals.has('ada', 'another place', new Secret('access-9')))
})
