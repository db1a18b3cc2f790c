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

const renewalCode = (world: World, connection = connectionWith()) =>
  codeOfRejection(world.renew(keyOf('owner', connection.provider), connection))

/** Renews once a minute until the connection has ended. @returns the error code of each renewal */
async function renewEveryMinute(world: World, minutes: number): Promise<unknown[]> {
  const codes: unknown[] = []
  for (let i = 0; i <= minutes; i++) {
    codes.push(await renewalCode(world))
    if (codes.at(-1) === 'reconnect_required') return codes
    world.clock.advance(minute)
  }
  return codes
}

const failRepeatedly = (world: World, fail: () => never, times = 100) => {
  world.endpoint.responses.splice(0, Number.POSITIVE_INFINITY, ...Array.from({ length: times }, () => fail))
}

t.test('SEC-14: ten minutes of rejections only end the grant, whatever their error code', async t => {
  for (const [what, kind, reason, details] of [
    ['Gitea', 'refused', 'unauthorized_client', { status: 400 }],
    ['Dex', 'refused', 'invalid_request', { status: 400 }],
    ['a 401 without an error code', 'unavailable', undefined, { status: 401 }],
    ['a 403 without an error code', 'unavailable', undefined, { status: 403 }],
    ['an unknown error in a 200', 'refused', undefined, { status: 200 }]
  ] as const) {
    const world = await openWorld(t)
    const ends = collect(world.events, 'connection.ended')
    failRepeatedly(world, failWith(kind, reason, details))
    const codes = await renewEveryMinute(world, 30)
    t.equal(codes.length, 11, what)
    t.equal(codes.at(-1), 'reconnect_required', what)
    t.equal((await readConnection(world.vault))?.status, 'reconnect_required', what)
    t.match(ends, [{ provider: 'acme', reason: 'refused_for_long', response: { status: details.status } }], what)
  }
})

t.test('SEC-14: a single rejection never ends the grant, however long ago the last renewal was', async t => {
  const world = await openWorld(t)
  failRepeatedly(world, failWith('refused', 'invalid_request', { status: 400 }))
  world.clock.advance(3 * hour)
  t.equal(await renewalCode(world), 'provider_unavailable')
  world.clock.advance(hour)
  t.equal(await renewalCode(world), 'reconnect_required')
})

t.test('SEC-14: any other response in between restarts the ten minutes', async t => {
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
    const codes = await renewEveryMinute(world, 29)
    t.notOk(codes.includes('reconnect_required'))
    t.equal((await readConnection(world.vault))?.refreshToken?.reveal(), 'refresh-1')
  }
})

t.test('SEC-14: a provider that rejects the operator’s client never ends the grant', async t => {
  const world = await openWorld(t)
  const failures = collect(world.events, 'renewal.failed')
  failRepeatedly(world, failWith('refused', 'invalid_client', { status: 401 }))
  t.strictSame([...new Set(await renewEveryMinute(world, 60))], ['client_rejected'])
  t.equal(await renewalCode(world), 'client_rejected')
  t.equal(await renewalCode(world), 'client_rejected', 'also during the backoff')
  t.equal(failures.length, world.endpoint.usedTokens.length)
  world.clock.advance(minute)
  world.endpoint.responses.splice(0)
  world.endpoint.usedTokens.splice(0)
  world.endpoint.responses.push(nextGrant)
  t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
})

t.test('SEC-14: the time of the first failure is stored until a renewal succeeds', async t => {
  const world = await openWorld(t)
  failRepeatedly(world, failWith('timeout'), 3)
  for (let i = 0; i < 3; i++) {
    t.equal(await renewalCode(world), 'provider_timeout')
    t.match(await readRevealedConnection(world.vault), { backoff: { failures: i + 1, failingSinceMs: startMs } })
    world.clock.advance(minute)
  }
  world.endpoint.responses.push(nextGrant)
  await world.renew(keyOf(), connectionWith())
  t.equal((await readConnection(world.vault))?.backoff, undefined)
})

const busy = failWith('unavailable', undefined, { status: 429, retryAfter: '600' })

t.test('SEC-14: a Retry-After of the token endpoint holds for all sessions on all instances', async t => {
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

t.test('SEC-14: twelve sessions at once send one request if its response is a 429', async t => {
  const world = await openWorld(t)
  const sessions = await inParallel(12, async () => world.vault.connect(crypto.randomUUID(), undefined, connectionWith()))
  const owners = sessions.map(result => sessionOf(result).owner)
  failRepeatedly(world, busy)
  const codes = await Promise.all(owners.map(owner => codeOfRejection(world.renew(keyOf(owner), connectionWith()))))
  t.strictSame([...new Set(codes)], ['provider_unavailable'])
  t.strictSame(world.endpoint.usedTokens, ['refresh-1'])
})

t.test('a Retry-After with a 500 holds for its own session only', async t => {
  const world = await openWorld(t)
  await world.vault.connect('another', undefined, connectionWith({ refreshToken: new Secret('refresh-20') }))
  world.endpoint.responses.push(failWith('unavailable', undefined, { status: 500, retryAfter: '600' }))
  await t.rejects(world.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 600 })
  t.equal((await world.renew(keyOf('another'), connectionWith())).value.credential.reveal(), 'access-21')
})

t.test('a Retry-After of one provider does not hold for another', async t => {
  const world = await openWorld(t)
  const umbrella = connectionWith({ provider: 'umbrella', refreshToken: new Secret('refresh-10') })
  await world.vault.connect('owner', undefined, umbrella, { callback: sameBrowserCallback(world.clock) })
  world.endpoint.responses.push(failWith('unavailable', undefined, { status: 503, retryAfter: '60' }))
  await t.rejects(world.renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 60 })
  t.equal((await world.renew(keyOf('owner', 'umbrella'), umbrella)).value.credential.reveal(), 'access-11')
})

t.test('Retry-After is seconds or a date, between the backoff and an hour', async t => {
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

t.test('SEC-14: a rotated refresh token in an unusable response is sent next', async t => {
  const world = await openWorld(t)
  world.endpoint.responses.push(failWith('invalid_response', undefined, { rotatedRefreshToken: new Secret('refresh-2') }))
  t.equal(await renewalCode(world), 'provider_unavailable')
  world.clock.advance(second)
  t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-3')
  t.strictSame(world.endpoint.usedTokens, ['refresh-1', 'refresh-2'])
})

t.test('each failed renewal and each ended connection is published once, with the response', async t => {
  const world = await openWorld(t)
  const failures = collect(world.events, 'renewal.failed')
  const ends = collect(world.events, 'connection.ended')
  world.endpoint.responses.push(
    failWith('unavailable', undefined, { status: 503, code: 'busy' }),
    failWith('timeout'),
    failWith('refused', 'invalid_grant', { status: 400, code: 'invalid_grant' })
  )
  await inParallel(20, () => renewalCode(world))
  world.clock.advance(second)
  await renewalCode(world)
  world.clock.advance(2 * second)
  t.equal(await renewalCode(world), 'reconnect_required')
  t.equal(await renewalCode(world), 'reconnect_required')
  t.match(failures, [
    { provider: 'acme', attempt: 1, retryInMs: second, response: { status: 503, error: 'busy' } },
    { provider: 'acme', attempt: 2, retryInMs: 2 * second, response: { kind: 'timeout' } }
  ])
  t.equal(failures.length, 2)
  t.match(ends, [{ provider: 'acme', reason: 'invalid_grant', response: { status: 400 } }])
  t.equal(ends.length, 1)
})

t.test('the end of a connection that cannot be renewed is published with its reason', async t => {
  const { refreshToken: _, ...withoutRefreshToken } = connectionWith()
  for (const [connection, reason] of [
    [withoutRefreshToken as Connection, 'no_refresh_token'],
    [connectionWith({ provider: 'unconfigured' }), 'provider_off']
  ] as const) {
    const world = await openWorld(t, connection)
    const ends = collect(world.events, 'connection.ended')
    t.equal(await renewalCode(world, connection), 'reconnect_required')
    t.match(ends, [{ provider: connection.provider, reason }])
  }
})
