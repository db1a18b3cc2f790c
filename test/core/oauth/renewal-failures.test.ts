import t from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { Secret } from '../../../src/core/secret.ts'
import { codeOfRejection, connectionWith, hour, keyOf, minute, sameBrowserCallback, second, sessionOf, startMs } from '../support.ts'
import {
  addInstance,
  collect,
  failWith,
  inParallel,
  nextGrant,
  openWorld,
  readConnection,
  readRevealedConnection,
  type World
} from './renewal-world.ts'

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
  world.endpoint.responses.splice(0, Number.POSITIVE_INFINITY, ...Array.from({ length: times }, () => answer))
}

t.test('SEC-14: ten minutes of nothing but refusals end the grant, in whatever words', async t => {
  for (const [what, kind, reason, fault] of [
    ['Gitea', 'refused', 'unauthorized_client', { status: 400 }],
    ['Dex', 'refused', 'invalid_request', { status: 400 }],
    ['a 401 without a word', 'unavailable', undefined, { status: 401 }],
    ['a 403 without a word', 'unavailable', undefined, { status: 403 }],
    ['a word of its own in a 200', 'refused', undefined, { status: 200 }]
  ] as const) {
    const world = await openWorld(t)
    const ends = collect(world.events, 'connection.ended')
    repeated(world, failWith(kind, reason, fault))
    const told = await everyMinute(world, 30)
    t.equal(told.length, 11, what)
    t.equal(told.at(-1), 'reconnect_required', what)
    t.equal((await readConnection(world.vault))?.status, 'reconnect_required', what)
    t.match(ends, [{ provider: 'acme', reason: 'refused_for_long', response: { status: fault.status } }], what)
  }
})

t.test('SEC-14: twice at least: one refusal after a long night ends nothing', async t => {
  const world = await openWorld(t)
  repeated(world, failWith('refused', 'invalid_request', { status: 400 }))
  world.clock.advance(3 * hour)
  t.equal(await codeOf(world), 'provider_unavailable')
  world.clock.advance(hour)
  t.equal(await codeOf(world), 'reconnect_required')
})

t.test('SEC-14: whatever else comes in between begins the ten minutes anew', async t => {
  for (const other of [
    failWith('timeout'),
    failWith('unavailable', undefined, { status: 503 }),
    failWith('unavailable', undefined, { status: 429 }),
    failWith('invalid_response', undefined, { status: 200 }),
    failWith('refused', 'invalid_client', { status: 401 }),
    failWith('refused', 'temporarily_unavailable', { status: 400, isTemporary: true })
  ]) {
    const world = await openWorld(t)
    const refusal = failWith('refused', 'invalid_request', { status: 400 })
    world.endpoint.responses.push(...Array.from({ length: 30 }, (_, i) => (i % 9 === 8 ? other : refusal)))
    const told = await everyMinute(world, 29)
    t.notOk(told.includes('reconnect_required'))
    t.equal((await readConnection(world.vault))?.refreshToken?.reveal(), 'refresh-1')
  }
})

t.test(
  'SEC-14: a provider that refuses the operator’s client keeps the tokens for ever, and everybody is told whose fault it is',
  async t => {
    const world = await openWorld(t)
    const failures = collect(world.events, 'renewal.failed')
    repeated(world, failWith('refused', 'invalid_client', { status: 401 }))
    t.strictSame([...new Set(await everyMinute(world, 60))], ['client_rejected'])
    t.equal(await codeOf(world), 'client_rejected')
    t.equal(await codeOf(world), 'client_rejected', 'also while it is not asked again')
    t.equal(failures.length, world.endpoint.usedTokens.length)
    world.clock.advance(minute)
    world.endpoint.responses.splice(0)
    world.endpoint.usedTokens.splice(0)
    world.endpoint.responses.push(nextGrant)
    t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  }
)

t.test('SEC-14: since when renewals fail is kept with the connection until one does not', async t => {
  const world = await openWorld(t)
  repeated(world, failWith('timeout'), 3)
  for (let i = 0; i < 3; i++) {
    t.equal(await codeOf(world), 'provider_timeout')
    t.match(await readRevealedConnection(world.vault), { backoff: { failures: i + 1, failingSinceMs: startMs } })
    world.clock.advance(minute)
  }
  world.endpoint.responses.push(nextGrant)
  await world.renew(keyOf(), connectionWith())
  t.equal((await readConnection(world.vault))?.backoff, undefined)
})

const busy = failWith('unavailable', undefined, { status: 429, retryAfter: '600' })

t.test('SEC-14: a pause that the token endpoint asks for is kept, told, and meant for every session on every instance', async t => {
  const one = await openWorld(t)
  const two = addInstance(t, one)
  const sessions = await inParallel(12, async () => one.vault.connect(crypto.randomUUID(), undefined, connectionWith()))
  const owners = sessions.map(result => sessionOf(result).owner)
  one.endpoint.responses.push(busy)
  await t.rejects(one.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 600 })
  one.clock.advance(100 * second)
  for (const { renew } of [one, two])
    for (const owner of owners) await t.rejects(renew(keyOf(owner), connectionWith()), { code: 'provider_unavailable', retryAfter: 500 })
  t.strictSame(one.endpoint.usedTokens, ['refresh-1'])
  t.match(await one.vault.readConnection(keyOf(owners[0])), { value: { backoff: { failingSinceMs: startMs + 100 * second } } })
  one.clock.advance(500 * second)
  for (const token of owners.map((_, i) => `refresh-${i}`)) one.endpoint.responses.push(() => nextGrant(token))
  for (const owner of owners) await two.renew(keyOf(owner), connectionWith())
})

t.test('SEC-14: twelve sessions that come at once after a quiet time make one call, if it is answered with a pause', async t => {
  const world = await openWorld(t)
  const sessions = await inParallel(12, async () => world.vault.connect(crypto.randomUUID(), undefined, connectionWith()))
  const owners = sessions.map(result => sessionOf(result).owner)
  repeated(world, busy)
  const codes = await Promise.all(owners.map(owner => codeOfRejection(world.renew(keyOf(owner), connectionWith()))))
  t.strictSame([...new Set(codes)], ['provider_unavailable'])
  t.strictSame(world.endpoint.usedTokens, ['refresh-1'])
})

t.test('a pause of one provider is none of another’s, and only 429 and 503 are meant for all', async t => {
  const world = await openWorld(t)
  const others = connectionWith({ provider: 'umbrella', refreshToken: new Secret('refresh-10') })
  await world.vault.connect('owner', undefined, others, sameBrowserCallback(world.clock))
  await world.vault.connect('another', undefined, connectionWith({ refreshToken: new Secret('refresh-20') }))
  world.endpoint.responses.push(failWith('unavailable', undefined, { status: 500, retryAfter: '600' }))
  await t.rejects(world.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 600 })
  t.equal((await world.renew(keyOf('another'), connectionWith())).value.credential.reveal(), 'access-21')
  world.clock.advance(600 * second)
  world.endpoint.responses.push(failWith('unavailable', undefined, { status: 503, retryAfter: '60' }))
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
    const world = await openWorld(t)
    world.endpoint.responses.push(failWith('unavailable', undefined, { status: 429, retryAfter }))
    await t.rejects(world.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: seconds }, retryAfter)
  }
})

t.test('SEC-14: a refresh token in a response of no other use is the one that is sent next', async t => {
  const world = await openWorld(t)
  world.endpoint.responses.push(failWith('invalid_response', undefined, { rotatedRefreshToken: new Secret('refresh-2') }))
  t.equal(await codeOf(world), 'provider_unavailable')
  world.clock.advance(second)
  t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-3')
  t.strictSame(world.endpoint.usedTokens, ['refresh-1', 'refresh-2'])
})

t.test('each failure and each end is told once, with what an operator needs', async t => {
  const world = await openWorld(t)
  const failures = collect(world.events, 'renewal.failed')
  const ends = collect(world.events, 'connection.ended')
  world.endpoint.responses.push(
    failWith('unavailable', undefined, { status: 503, code: 'busy' }),
    failWith('timeout'),
    failWith('refused', 'invalid_grant', { status: 400, code: 'invalid_grant' })
  )
  await inParallel(20, () => codeOf(world))
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
    const other = await openWorld(t, connection)
    const otherEnds = collect(other.events, 'connection.ended')
    t.equal(await codeOf(other, connection), 'reconnect_required')
    t.match(otherEnds, [{ provider: connection.provider, reason }])
  }
})
