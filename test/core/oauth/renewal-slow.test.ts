import t from 'tap'
import type { Grant } from '../../../src/core/connections/connection.ts'
import type { RenewalDependencies } from '../../../src/core/oauth/renewal.ts'
import { Secret } from '../../../src/core/secret.ts'
import { codeOfRejection, connectionWith, hour, keyOf, minute, sameBrowserCallback, second, startMs } from '../support.ts'
import { addInstance, collect, inParallel, nextGrant, openWorld, readConnection, type World } from './renewal-world.ts'

/** Timeouts that expire only when the test says so, and their durations. */
function manualTimeouts() {
  const pending = new Set<() => void>()
  const limitsMs: number[] = []
  const timeout: RenewalDependencies['timeout'] = (limitMs, work, createError = () => new Error('timeout')) => {
    limitsMs.push(limitMs)
    const { promise, reject } = Promise.withResolvers<never>()
    pending.add(() => reject(createError()))
    return Promise.race([work, promise])
  }
  const expireAll = () => {
    for (const expire of pending) expire()
    pending.clear()
  }
  return { timeout, limitsMs, expireAll }
}

/** Holds the next token request. Resolves when it arrives, with a function that responds to it. */
const holdTokenRequest = ({ endpoint }: World) =>
  new Promise<() => void>(arrived => {
    endpoint.responses.push(token => new Promise<Grant>(resolve => arrived(() => resolve(nextGrant(token)))))
  })

const waitUntilSaved = async ({ vault }: World, credential: string) => {
  while ((await readConnection(vault))?.credential.reveal() !== credential) await new Promise(setImmediate)
}

t.test('SEC-14: after ten seconds callers time out, and the token request continues', async t => {
  const { timeout, limitsMs, expireAll } = manualTimeouts()
  const world = await openWorld(t, connectionWith(), { timeout })
  const tokenRequest = holdTokenRequest(world)
  const waiters = inParallel(5, () => codeOfRejection(world.renew(keyOf(), connectionWith())))
  const respond = await tokenRequest
  expireAll()
  t.strictSame([...new Set(await waiters)], ['provider_timeout'])
  t.strictSame([...new Set(limitsMs)], [10 * second])
  const later = world.renew(keyOf(), connectionWith())
  expireAll()
  t.equal(await codeOfRejection(later), 'provider_timeout', 'a later caller waits as long and causes no second request')
  respond()
  await waitUntilSaved(world, 'access-2')
  t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  t.strictSame(world.endpoint.usedTokens, ['refresh-1'])
})

t.test('SEC-13: while a token request is slow, another instance waits and sends none', async t => {
  const { timeout, expireAll } = manualTimeouts()
  const one = await openWorld(t, connectionWith(), { timeout })
  const two = addInstance(t, one, { timeout })
  const tokenRequest = holdTokenRequest(one)
  const first = codeOfRejection(one.renew(keyOf(), connectionWith()))
  const respond = await tokenRequest
  const second = codeOfRejection(two.renew(keyOf(), connectionWith()))
  one.clock.advance(minute)
  expireAll()
  t.strictSame(await Promise.all([first, second]), ['provider_timeout', 'provider_timeout'])
  await two.settle(hour)
  t.pass('an instance without waiters stops polling')
  respond()
  await waitUntilSaved(one, 'access-2')
  t.equal((await two.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  t.strictSame(one.endpoint.usedTokens, ['refresh-1'])
})

t.test('a caller whose token still works waits one second from the renewal’s start', async t => {
  const { timeout, limitsMs, expireAll } = manualTimeouts()
  const world = await openWorld(t, connectionWith(), { timeout })
  const tokenRequest = holdTokenRequest(world)
  const ahead = (ms = second) => codeOfRejection(world.renew(keyOf(), connectionWith(), ms))
  const first = ahead()
  const respond = await tokenRequest
  expireAll()
  t.equal(await first, 'provider_timeout')
  world.clock.advance(400)
  const joined = ahead()
  expireAll()
  t.equal(await joined, 'provider_timeout')
  world.clock.advance(600)
  t.equal(await ahead(), 'provider_timeout', 'immediately')
  t.strictSame(limitsMs, [second, 600])
  respond()
  await waitUntilSaved(world, 'access-2')
})

t.test('a caller that waits behind the renewal of an older token times out too', async t => {
  const { timeout, expireAll } = manualTimeouts()
  const world = await openWorld(t, connectionWith(), { timeout })
  const tokenRequest = holdTokenRequest(world)
  const first = codeOfRejection(world.renew(keyOf(), connectionWith()))
  const respond = await tokenRequest
  const newer = codeOfRejection(world.renew(keyOf(), connectionWith({ credential: new Secret('access-9') })))
  expireAll()
  t.strictSame(await Promise.all([first, newer]), ['provider_timeout', 'provider_timeout'])
  respond()
  await waitUntilSaved(world, 'access-2')
})

t.test('SEC-14: shutdown waits for a token request in flight', async t => {
  const { timeout, expireAll } = manualTimeouts()
  const world = await openWorld(t, connectionWith(), { timeout })
  const tokenRequest = holdTokenRequest(world)
  const waiter = codeOfRejection(world.renew(keyOf(), connectionWith()))
  const respond = await tokenRequest
  expireAll()
  await waiter
  const settled = world.settle(hour)
  respond()
  await settled
  t.equal((await readConnection(world.vault))?.refreshToken?.reveal(), 'refresh-2')
})

t.test('SEC-14: shutdown abandons a token request that is too slow, without releasing its lease', async t => {
  const world = await openWorld(t)
  const abandoned = collect(world.events, 'renewal.abandoned')
  const tokenRequest = holdTokenRequest(world)
  const waiter = codeOfRejection(world.renew(keyOf(), connectionWith()))
  await tokenRequest
  await world.settle(1)
  t.equal(await waiter, 'provider_timeout')
  t.match(abandoned, [{ owner: 'owner', provider: 'acme' }])
  t.equal(await world.store.acquire('owner', 'renewal:acme', second), undefined)
  world.clock.advance(2 * minute)
  t.ok(await world.store.acquire('owner', 'renewal:acme', second), 'it expires by itself')
})

t.test('SEC-13: no token request is sent if the lease may expire before its timeout', async t => {
  const world = await openWorld(t)
  const { store, clock, vault, endpoint } = world
  // Stalls between acquiring the lease and sending the request.
  const stalled = addInstance(t, world, {
    vault: {
      ...vault,
      readConnection: async (...args) => {
        clock.advance(6 * second)
        return vault.readConnection(...args)
      }
    }
  })
  t.equal(await codeOfRejection(stalled.renew(keyOf(), connectionWith())), 'provider_unavailable')
  t.strictSame(endpoint.usedTokens, [])
  t.ok(await store.acquire('owner', 'renewal:acme', second))
})

t.test('a sign-in during a slow renewal stays', async t => {
  const { timeout, expireAll } = manualTimeouts()
  const world = await openWorld(t, connectionWith(), { timeout })
  const tokenRequest = holdTokenRequest(world)
  const waiter = codeOfRejection(world.renew(keyOf(), connectionWith()))
  const respond = await tokenRequest
  expireAll()
  await waiter
  const signedIn = connectionWith({ credential: new Secret('access-new'), connectedAtMs: startMs })
  await world.vault.connect('owner', undefined, signedIn, { callback: sameBrowserCallback(world.clock) })
  respond()
  await world.settle(hour)
  t.equal((await readConnection(world.vault))?.credential.reveal(), 'access-new')
})
