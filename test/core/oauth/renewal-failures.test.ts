import t from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { Secret } from '../../../src/core/secret.ts'
import { codeOfRejection, connectionWith, hour, keyOf, minute, sameBrowserCallback, second, sessionOf, startMs } from '../support.ts'
import { another, begin, collect, failing, kept, keptTold, many, next, type World } from './renewing.ts'

const codeOf = (world: World, connection = connectionWith()) =>
  codeOfRejection(world.renew(keyOf('owner', connection.provider), connection))

/** Renews once a minute. @returns what each was told, until it went through or the connection had ended */
async function everyMinute(world: World, minutes: number): Promise<unknown[]> {
  const told: unknown[] = []
  for (let i = 0; i <= minutes; i++) {
    told.push(await codeOf(world))
    if (told.at(-1) === 'reconnect_required') return told
    world.clock.advance(minute)
  }
  return told
}

const repeated = (world: World, answer: () => never, times = 100) => {
  world.endpoint.answers.splice(0, Number.POSITIVE_INFINITY, ...Array.from({ length: times }, () => answer))
}

t.test('SEC-14: ten minutes of nothing but refusals end the grant, in whatever words', async t => {
  for (const [what, kind, reason, fault] of [
    ['Gitea', 'refused', 'unauthorized_client', { status: 400 }],
    ['Dex', 'refused', 'invalid_request', { status: 400 }],
    ['a 401 without a word', 'unavailable', undefined, { status: 401 }],
    ['a 403 without a word', 'unavailable', undefined, { status: 403 }],
    ['a word of its own in a 200', 'refused', undefined, { status: 200 }]
  ] as const) {
    const world = await begin(t)
    const ends = collect(world.events, 'connection.ended')
    repeated(world, failing(kind, reason, fault))
    const told = await everyMinute(world, 30)
    t.equal(told.length, 11, what)
    t.equal(told.at(-1), 'reconnect_required', what)
    t.equal((await kept(world.vault))?.status, 'reconnect_required', what)
    t.match(ends, [{ provider: 'acme', reason: 'refused_for_long', response: { status: fault.status } }], what)
  }
})

t.test('SEC-14: twice at least: one refusal after a long night ends nothing', async t => {
  const world = await begin(t)
  repeated(world, failing('refused', 'invalid_request', { status: 400 }))
  world.clock.advance(3 * hour)
  t.equal(await codeOf(world), 'provider_unavailable')
  world.clock.advance(hour)
  t.equal(await codeOf(world), 'reconnect_required')
})

t.test('SEC-14: whatever else comes in between begins the ten minutes anew', async t => {
  for (const other of [
    failing('timeout'),
    failing('unavailable', undefined, { status: 503 }),
    failing('unavailable', undefined, { status: 429 }),
    failing('invalid_response', undefined, { status: 200 }),
    failing('refused', 'invalid_client', { status: 401 }),
    failing('refused', 'temporarily_unavailable', { status: 400, isTemporary: true })
  ]) {
    const world = await begin(t)
    const refusal = failing('refused', 'invalid_request', { status: 400 })
    world.endpoint.answers.push(...Array.from({ length: 30 }, (_, i) => (i % 9 === 8 ? other : refusal)))
    const told = await everyMinute(world, 29)
    t.notOk(told.includes('reconnect_required'))
    t.equal((await kept(world.vault))?.refreshToken?.reveal(), 'refresh-1')
  }
})

t.test(
  'SEC-14: a provider that refuses the operator’s client keeps the tokens for ever, and everybody is told whose fault it is',
  async t => {
    const world = await begin(t)
    const failures = collect(world.events, 'renewal.failed')
    repeated(world, failing('refused', 'invalid_client', { status: 401 }))
    t.strictSame([...new Set(await everyMinute(world, 60))], ['client_rejected'])
    t.equal(await codeOf(world), 'client_rejected')
    t.equal(await codeOf(world), 'client_rejected', 'also while it is not asked again')
    t.equal(failures.length, world.endpoint.spent.length)
    world.clock.advance(minute)
    world.endpoint.answers.splice(0)
    world.endpoint.spent.splice(0)
    world.endpoint.answers.push(next)
    t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  }
)

t.test('SEC-14: since when renewals fail is kept with the connection until one does not', async t => {
  const world = await begin(t)
  repeated(world, failing('timeout'), 3)
  for (let i = 0; i < 3; i++) {
    t.equal(await codeOf(world), 'provider_timeout')
    t.match(await keptTold(world.vault), { backoff: { failures: i + 1, failingSinceMs: startMs } })
    world.clock.advance(minute)
  }
  world.endpoint.answers.push(next)
  await world.renew(keyOf(), connectionWith())
  t.equal((await kept(world.vault))?.backoff, undefined)
})

const busy = failing('unavailable', undefined, { status: 429, retryAfter: '600' })

t.test('SEC-14: a pause that the token endpoint asks for is kept, told, and meant for every session on every instance', async t => {
  const one = await begin(t)
  const two = another(t, one)
  const sessions = await many(12, async () => one.vault.connect(crypto.randomUUID(), undefined, connectionWith()))
  const owners = sessions.map(result => sessionOf(result).owner)
  one.endpoint.answers.push(busy)
  await t.rejects(one.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 600 })
  one.clock.advance(100 * second)
  for (const { renew } of [one, two])
    for (const owner of owners) await t.rejects(renew(keyOf(owner), connectionWith()), { code: 'provider_unavailable', retryAfter: 500 })
  t.strictSame(one.endpoint.spent, ['refresh-1'])
  t.match(await one.vault.readConnection(keyOf(owners[0])), { value: { backoff: { failingSinceMs: startMs + 100 * second } } })
  one.clock.advance(500 * second)
  for (const token of owners.map((_, i) => `refresh-${i}`)) one.endpoint.answers.push(() => next(token))
  for (const owner of owners) await two.renew(keyOf(owner), connectionWith())
})

t.test('SEC-14: twelve sessions that come at once after a quiet time make one call, if it is answered with a pause', async t => {
  const world = await begin(t)
  const sessions = await many(12, async () => world.vault.connect(crypto.randomUUID(), undefined, connectionWith()))
  const owners = sessions.map(result => sessionOf(result).owner)
  repeated(world, busy)
  const codes = await Promise.all(owners.map(owner => codeOfRejection(world.renew(keyOf(owner), connectionWith()))))
  t.strictSame([...new Set(codes)], ['provider_unavailable'])
  t.strictSame(world.endpoint.spent, ['refresh-1'])
})

t.test('a pause of one provider is none of another’s, and only 429 and 503 are meant for all', async t => {
  const world = await begin(t)
  const others = connectionWith({ provider: 'umbrella', refreshToken: new Secret('refresh-10') })
  await world.vault.connect('owner', undefined, others, sameBrowserCallback(world.clock))
  await world.vault.connect('another', undefined, connectionWith({ refreshToken: new Secret('refresh-20') }))
  world.endpoint.answers.push(failing('unavailable', undefined, { status: 500, retryAfter: '600' }))
  await t.rejects(world.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 600 })
  t.equal((await world.renew(keyOf('another'), connectionWith())).value.credential.reveal(), 'access-21')
  world.clock.advance(600 * second)
  world.endpoint.answers.push(failing('unavailable', undefined, { status: 503, retryAfter: '60' }))
  await t.rejects(world.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 60 })
  t.equal((await world.renew(keyOf('owner', 'umbrella'), others)).value.credential.reveal(), 'access-11')
})

t.test('how long a pause is: seconds or a date, an hour at most, and never less than without one', async t => {
  for (const [retryAfter, seconds] of [
    ['5', 5],
    [new Date(startMs + 90 * second).toUTCString(), 90],
    ['86400', 3600],
    ['0', 1],
    ['-1', 1],
    ['soon', 1],
    [new Date(startMs - hour).toUTCString(), 1]
  ] as const) {
    const world = await begin(t)
    world.endpoint.answers.push(failing('unavailable', undefined, { status: 429, retryAfter }))
    await t.rejects(world.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: seconds }, retryAfter)
  }
})

t.test('SEC-14: a refresh token in a response of no other use is the one that is sent next', async t => {
  const world = await begin(t)
  world.endpoint.answers.push(failing('invalid_response', undefined, { rotatedRefreshToken: new Secret('refresh-2') }))
  t.equal(await codeOf(world), 'provider_unavailable')
  world.clock.advance(second)
  t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-3')
  t.strictSame(world.endpoint.spent, ['refresh-1', 'refresh-2'])
})

t.test('each failure and each end is told once, with what an operator needs', async t => {
  const world = await begin(t)
  const failures = collect(world.events, 'renewal.failed')
  const ends = collect(world.events, 'connection.ended')
  world.endpoint.answers.push(
    failing('unavailable', undefined, { status: 503, code: 'busy' }),
    failing('timeout'),
    failing('refused', 'invalid_grant', { status: 400, code: 'invalid_grant' })
  )
  await many(20, () => codeOf(world))
  world.clock.advance(second)
  await codeOf(world)
  world.clock.advance(2 * second)
  t.equal(await codeOf(world), 'reconnect_required')
  t.equal(await codeOf(world), 'reconnect_required')
  t.match(failures, [
    { provider: 'acme', attempt: 1, retryInMs: second, response: { status: 503, error: 'busy' } },
    { provider: 'acme', attempt: 2, retryInMs: 2 * second, response: { kind: 'timeout' } }
  ])
  t.equal(failures.length, 2)
  t.match(ends, [{ provider: 'acme', reason: 'invalid_grant', response: { status: 400 } }])
  t.equal(ends.length, 1)

  const { refreshToken: _, ...without } = connectionWith()
  for (const [connection, reason] of [
    [without as Connection, 'no_refresh_token'],
    [connectionWith({ provider: 'unconfigured' }), 'provider_off']
  ] as const) {
    const other = await begin(t, connection)
    const otherEnds = collect(other.events, 'connection.ended')
    t.equal(await codeOf(other, connection), 'reconnect_required')
    t.match(otherEnds, [{ provider: connection.provider, reason }])
  }
})
