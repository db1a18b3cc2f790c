import t from 'tap'
import { createUnauthorizedMemo, isUnauthorized } from '../../../src/core/proxy/unauthorized-memo.ts'
import { Secret } from '../../../src/core/secret.ts'
import { keyOf, manualClock, minute } from '../support.ts'

const credential = new Secret('access-2')

t.test('a 401 to a renewed credential is cached for a minute', async t => {
  const clock = manualClock()
  const memo = createUnauthorizedMemo(clock)
  t.notOk(memo.has(keyOf(), 'request', credential))
  memo.record('request', credential, true)
  t.ok(memo.has(keyOf(), 'request', credential))
  t.ok(memo.has(keyOf(), 'request', new Secret('access-2')), 'compared by value')
  t.notOk(memo.has(keyOf(), 'elsewhere', credential))
  t.notOk(memo.has(keyOf(), 'request', new Secret('access-3')), 'a newer credential may be accepted')
  clock.advance(minute - 1)
  t.ok(memo.has(keyOf(), 'request', credential))
  clock.advance(1)
  t.notOk(memo.has(keyOf(), 'request', credential))
})

t.test('a success evicts the entry', async t => {
  const memo = createUnauthorizedMemo(manualClock())
  memo.record('request', credential, true)
  memo.record('request', credential, false)
  t.notOk(memo.has(keyOf(), 'request', credential))
})

t.test('a thousand entries are cached, and one more evicts the oldest', async t => {
  const memo = createUnauthorizedMemo(manualClock())
  for (let i = 0; i < 1000; i++) memo.record(`request ${i}`, credential, true)
  t.ok(memo.has(keyOf(), 'request 0', credential))
  memo.record('request 1', credential, true)
  memo.record('request 1000', credential, true)
  t.notOk(memo.has(keyOf(), 'request 0', credential))
  t.ok(memo.has(keyOf(), 'request 1', credential), 'recorded again it is the newest')
  memo.record('request 1001', credential, true)
  t.notOk(memo.has(keyOf(), 'request 2', credential))
  t.ok(memo.has(keyOf(), 'request 1', credential))
})

t.test('after five futile renewals in a minute every 401 of the connection is final', async t => {
  const clock = { ms: 0, now: () => clock.ms }
  const memo = createUnauthorizedMemo(clock)
  for (let i = 0; i < 5; i++) {
    t.notOk(memo.has(keyOf('ada'), `request ${i}`, new Secret(`access-${i}`)))
    memo.recordFutileRenewal(keyOf('ada'))
    clock.ms += 1_000
  }
  t.ok(memo.has(keyOf('ada'), 'another place', new Secret('access-9')))
  t.notOk(memo.has(keyOf('bob'), 'another place', new Secret('access-9')), 'each connection has its own count')
  clock.ms = 60_000
  t.notOk(memo.has(keyOf('ada'), 'another place', new Secret('access-9')))
})

t.test('polling does not extend an entry', async t => {
  const clock = manualClock()
  const memo = createUnauthorizedMemo(clock)
  for (let waited = 0; waited < minute; waited += minute / 4) {
    memo.record('request', credential, true)
    t.ok(memo.has(keyOf(), 'request', credential))
    clock.advance(minute / 4)
  }
  t.notOk(memo.has(keyOf(), 'request', credential), 'a minute after the first')
  memo.record('request', credential, true)
  t.ok(memo.has(keyOf(), 'request', credential))
})

t.test('RFC 6750 §3.1: a 403 with a Bearer challenge of invalid_token counts as a 401', async t => {
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
