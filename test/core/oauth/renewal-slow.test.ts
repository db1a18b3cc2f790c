import t from 'tap'
import type { Grant } from '../../../src/core/connections/connection.ts'
import type { RenewalDependencies } from '../../../src/core/oauth/renewal.ts'
import { Secret } from '../../../src/core/secret.ts'
import { codeOfRejection, connectionWith, hour, keyOf, minute, sameBrowserCallback, second, startMs } from '../support.ts'
import { addInstance, collect, inParallel, nextGrant, openWorld, readConnection, type World } from './renewal-world.ts'

/** Patience that ends when the test says so; and what those who had it were willing to wait. */
function timeoutOfTest() {
  const late = new Set<() => void>()
  const limits: number[] = []
  const timeout: RenewalDependencies['timeout'] = (limitMs, work, fault = () => new Error('late')) => {
    limits.push(limitMs)
    const { promise, reject } = Promise.withResolvers<never>()
    late.add(() => reject(fault()))
    return Promise.race([work, promise])
  }
  const end = () => {
    for (const tell of late) tell()
    late.clear()
  }
  return { timeout, limits, end }
}

/** Makes the next token call wait. Resolves when it has come, with what answers it. */
const slow = ({ endpoint }: World) =>
  new Promise<() => void>(come => {
    endpoint.responses.push(token => new Promise<Grant>(resolve => come(() => resolve(nextGrant(token)))))
  })

const saved = async ({ vault }: World, credential: string) => {
  while ((await readConnection(vault))?.credential.reveal() !== credential) await new Promise(setImmediate)
}

t.test('SEC-14: who waits is told after ten seconds, and the token call goes on: what it brings is kept, and serves the next', async t => {
  const { timeout, limits, end } = timeoutOfTest()
  const world = await openWorld(t, connectionWith(), { timeout })
  const coming = slow(world)
  const waiting = inParallel(5, () => codeOfRejection(world.renew(keyOf(), connectionWith())))
  const answer = await coming
  end()
  t.strictSame([...new Set(await waiting)], ['provider_timeout'])
  t.strictSame([...new Set(limits)], [10 * second])
  const later = world.renew(keyOf(), connectionWith())
  end()
  t.equal(await codeOfRejection(later), 'provider_timeout', 'who comes meanwhile waits as long, and causes no second call')
  answer()
  await saved(world, 'access-2')
  t.equal((await world.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  t.strictSame(world.endpoint.usedTokens, ['refresh-1'])
})

t.test('SEC-13: on another instance they wait as long, and no second call is made while the first goes on', async t => {
  const { timeout, end } = timeoutOfTest()
  const one = await openWorld(t, connectionWith(), { timeout })
  const two = addInstance(t, one, { timeout })
  const coming = slow(one)
  const first = codeOfRejection(one.renew(keyOf(), connectionWith()))
  const answer = await coming
  const second = codeOfRejection(two.renew(keyOf(), connectionWith()))
  one.clock.advance(minute)
  end()
  t.strictSame(await Promise.all([first, second]), ['provider_timeout', 'provider_timeout'])
  await two.settle(hour)
  t.pass('an instance for which nobody waits any more does not ask on and on')
  answer()
  await saved(one, 'access-2')
  t.equal((await two.renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  t.strictSame(one.endpoint.usedTokens, ['refresh-1'])
})

t.test('who has a token that is still good waits for a second from the beginning of its renewal', async t => {
  const { timeout, limits, end } = timeoutOfTest()
  const world = await openWorld(t, connectionWith(), { timeout })
  const coming = slow(world)
  const ahead = (ms = second) => codeOfRejection(world.renew(keyOf(), connectionWith(), ms))
  const first = ahead()
  const answer = await coming
  end()
  t.equal(await first, 'provider_timeout')
  world.clock.advance(400)
  const joined = ahead()
  end()
  t.equal(await joined, 'provider_timeout')
  world.clock.advance(600)
  t.equal(await ahead(), 'provider_timeout', 'at once')
  t.strictSame(limits, [second, 600])
  answer()
  await saved(world, 'access-2')
})

t.test('who waits behind the renewal of an older token is told as well', async t => {
  const { timeout, end } = timeoutOfTest()
  const world = await openWorld(t, connectionWith(), { timeout })
  const coming = slow(world)
  const first = codeOfRejection(world.renew(keyOf(), connectionWith()))
  const answer = await coming
  const newer = codeOfRejection(world.renew(keyOf(), connectionWith({ credential: new Secret('access-9') })))
  end()
  t.strictSame(await Promise.all([first, newer]), ['provider_timeout', 'provider_timeout'])
  answer()
  await saved(world, 'access-2')
})

t.test('SEC-14: a token call that is under way when the gateway closes is waited for', async t => {
  const { timeout, end } = timeoutOfTest()
  const world = await openWorld(t, connectionWith(), { timeout })
  const coming = slow(world)
  const waiting = codeOfRejection(world.renew(keyOf(), connectionWith()))
  const answer = await coming
  end()
  await waiting
  const settled = world.settle(hour)
  answer()
  await settled
  t.equal((await readConnection(world.vault))?.refreshToken?.reveal(), 'refresh-2')
})

t.test('SEC-14: and given up aloud when it takes too long for that, with its lease, which nobody gets while it may go on', async t => {
  const world = await openWorld(t)
  const abandoned = collect(world.events, 'renewal.abandoned')
  const coming = slow(world)
  const waiting = codeOfRejection(world.renew(keyOf(), connectionWith()))
  await coming
  await world.settle(1)
  t.equal(await waiting, 'provider_timeout')
  t.match(abandoned, [{ owner: 'owner', provider: 'acme' }])
  t.equal(await world.store.acquire('owner', 'renewal:acme', second), undefined)
  world.clock.advance(2 * minute)
  t.ok(await world.store.acquire('owner', 'renewal:acme', second), 'it ends by itself')
})

t.test('SEC-13: without the certainty of the lease for as long as a token call may take none is made', async t => {
  const world = await openWorld(t)
  const { store, clock, vault, endpoint } = world
  // A process that stands still between the lease and the call.
  const late = addInstance(t, world, {
    vault: {
      ...vault,
      readConnection: async (...of) => {
        clock.advance(6 * second)
        return vault.readConnection(...of)
      }
    }
  })
  t.equal(await codeOfRejection(late.renew(keyOf(), connectionWith())), 'provider_unavailable')
  t.strictSame(endpoint.usedTokens, [])
  t.ok(await store.acquire('owner', 'renewal:acme', second))
})

t.test('a sign-in while a slow renewal goes on stands, and what the renewal brings is handed over', async t => {
  const { timeout, end } = timeoutOfTest()
  const world = await openWorld(t, connectionWith(), { timeout })
  const coming = slow(world)
  const waiting = codeOfRejection(world.renew(keyOf(), connectionWith()))
  const answer = await coming
  end()
  await waiting
  const signedIn = connectionWith({ credential: new Secret('access-new'), connectedAtMs: startMs })
  await world.vault.connect('owner', undefined, signedIn, sameBrowserCallback(world.clock))
  answer()
  await world.settle(hour)
  t.equal((await readConnection(world.vault))?.credential.reveal(), 'access-new')
})
