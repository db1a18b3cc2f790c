import t from 'tap'
import { createUnauthorizedMemo, isUnauthorized } from '../../../src/core/proxy/unauthorized-memo.ts'
import { Secret } from '../../../src/core/secret.ts'
import { handClock, minute } from '../support.ts'

const credential = new Secret('access-2')

t.test('a place that refused a fresh credential is remembered for a minute', async t => {
  const clock = handClock()
  const refusals = createUnauthorizedMemo(clock)
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
  const refusals = createUnauthorizedMemo(handClock())
  refusals.note('place', credential, true)
  refusals.note('place', credential, false)
  t.notOk(refusals.has('connection', 'place', credential))
})

t.test('a thousand places are remembered, and the oldest goes', async t => {
  const refusals = createUnauthorizedMemo(handClock())
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
  const refusals = createUnauthorizedMemo(clock)
  for (let i = 0; i < 5; i++) {
    t.notOk(refusals.has('ada', `place ${i}`, new Secret(`access-${i}`)))
    refusals.recordFutileRenewal('ada')
    clock.ms += 1_000
  }
  t.ok(refusals.has('ada', 'another place', new Secret('access-9')))
  t.notOk(refusals.has('bob', 'another place', new Secret('access-9')), 'others have their own')
  clock.ms = 60_000
  t.notOk(refusals.has('ada', 'another place', new Secret('access-9')))
})

t.test('Whoever polls a place that refuses does not prolong the memory of it', async t => {
  const clock = handClock()
  const refusals = createUnauthorizedMemo(clock)
  for (let waited = 0; waited < minute; waited += minute / 4) {
    refusals.note('place', credential, true)
    t.ok(refusals.has('connection', 'place', credential))
    clock.advance(minute / 4)
  }
  t.notOk(refusals.has('connection', 'place', credential), 'a minute after the first')
  refusals.note('place', credential, true)
  t.ok(refusals.has('connection', 'place', credential))
})

t.test('RFC 6750 §3.1: a 401 is a refusal, and so is a 403 whose Bearer challenge says invalid_token', async t => {
  const refuses = (status: number, challenge?: string | string[]) =>
    isUnauthorized({ status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } })
  t.ok(refuses(401))
  for (const challenge of [
    'Bearer error="invalid_token"',
    'bearer error=invalid_token',
    'Bearer realm="x", error="invalid_token", error_description="it expired"',
    'BEARER  realm = "a, b" , error = "invalid_token"',
    'Basic realm="x", Bearer error="invalid_token"',
    ['Basic realm="x"', 'Bearer error="invalid_token"']
  ])
    t.ok(refuses(403, challenge), String(challenge))
  for (const challenge of [
    'Bearer error="insufficient_scope"',
    'Bearer realm="error=invalid_token"',
    'Bearer realm="error=\\"invalid_token\\""',
    'Bearer error_description="invalid_token"',
    'Bearer error="invalid_token_type"',
    'Basic error="invalid_token"',
    'Bearer realm="x", Basic error="invalid_token"',
    ''
  ])
    t.notOk(refuses(403, challenge), challenge)
  t.notOk(refuses(403))
  for (const status of [200, 400, 404, 407, 500]) t.notOk(refuses(status, 'Bearer error="invalid_token"'), String(status))
})
