import t, { type Test } from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createExpiredSessionSweep } from '../../../src/core/oauth/expired-sessions.ts'
import { createRevocation } from '../../../src/core/oauth/revocation.ts'
import type { RevocableGrant, TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import { createUserSweep } from '../../../src/core/oauth/user-sweep.ts'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import { recordRetentionMs, type Session, type SessionLimits } from '../../../src/core/session.ts'
import { userOwner } from '../../../src/core/users/owner.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { pendingOwner } from '../../../src/core/vault/records.ts'
import type { Vault } from '../../../src/core/vault/vault.ts'
import {
  connectionIdleMs,
  connectionWith,
  hour,
  type Instance,
  keyOf,
  limits,
  minute,
  newKey,
  openInstance,
  sessionOf
} from '../support.ts'

const sweepEveryMs = 10 * minute

type Options = { scope?: 'token' | 'grant'; limits?: SessionLimits; keys?: readonly Buffer[]; store?: Store }

/** A sweep of this instance's store, and the tokens that were sent to the revocation endpoint. */
function createSweep(instance: Instance & { keys: readonly Buffer[] }, options: Options = {}) {
  const { scope = 'token', limits: sessionLimits = limits, keys = instance.keys, store = instance.store } = options
  const cipher = createCipher(keys)
  const revoked: string[] = []
  const endpoint: Pick<TokenEndpoint, 'revoke'> = { revoke: async ({ token }: RevocableGrant) => void revoked.push(token.reveal()) }
  const { clock } = instance
  const revocation = createRevocation({
    store,
    cipher,
    clock,
    endpointOf: () => endpoint as TokenEndpoint,
    scopeOf: () => scope,
    events: createEvents()
  })
  const users = createUserSweep({ store, cipher, limits: sessionLimits, connectionIdleMs, clock, revocation, pause: async () => {} })
  const { resumeTakeover } = instance.vault
  const sweepOptions = { store, cipher, limits: sessionLimits, clock, revocation, sweepUser: users.sweepOwner, resumeTakeover }
  return { ...createExpiredSessionSweep(sweepOptions), users, revoked }
}

function openWithKeys(t: Test) {
  const keys = [newKey()]
  return { ...openInstance(t, { keys, directory: t.testdir() }), keys }
}

const connectionOf = (owner: string, provider = 'acme'): Connection =>
  connectionWith({ provider, credential: new Secret(`access of ${owner}`), refreshToken: new Secret(`${provider} of ${owner}`) })

async function signIn(vault: Vault, owner: string): Promise<Session> {
  const session = sessionOf(await vault.connect(owner, undefined, connectionOf(owner)))
  return sessionOf(await vault.connect(owner, session, connectionOf(owner, 'umbrella')))
}

t.test('SEC-15: the grants of expired sessions are revoked, and live sessions stay', async t => {
  const instance = openWithKeys(t)
  const { vault, store, clock } = instance
  for (const owner of ['one', 'two']) await signIn(vault, owner)
  clock.advance(limits.idleMs / 2)
  const liveSession = await signIn(vault, 'live')
  const { runOnce, revoked } = createSweep(instance)
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  clock.advance(limits.idleMs / 2)
  t.strictSame(await runOnce(), { owners: 2, grants: 4 })
  t.same(revoked.sort(), ['acme of one', 'acme of two', 'umbrella of one', 'umbrella of two'])
  for (const owner of ['one', 'two', pendingOwner]) t.equal((await store.readAll(owner)).size, 0, owner)
  t.equal((await vault.openAll(liveSession))?.connections.size, 2)
  clock.advance(sweepEveryMs)
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  t.equal(revoked.length, 4)
})

t.test('SEC-15: the grants of a user are revoked when nobody has used them for too long', async t => {
  const instance = openWithKeys(t)
  const { vault, store, clock } = instance
  const owner = userOwner('x'.repeat(43))
  await vault.connect(owner, undefined, connectionOf('ada'))
  const { runOnce, revoked } = createSweep(instance)
  clock.advance(connectionIdleMs - 1)
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  clock.advance(sweepEveryMs)
  t.strictSame(await runOnce(), { owners: 1, grants: 1 })
  t.same(revoked, ['acme of ada'])
  t.equal((await store.readAll(owner)).size, 0)
})

t.test('one instance runs each sweep', async t => {
  const instance = openWithKeys(t)
  const sweeps = [createSweep(instance), createSweep(instance), createSweep(instance)]
  for (let i = 0; i < 3; i++) {
    t.equal((await Promise.all(sweeps.map(({ runOnce }) => runOnce()))).filter(swept => swept !== undefined).length, 1)
    instance.clock.advance(sweepEveryMs)
  }
})

t.test('where a revocation ends the whole grant, expired records are only deleted', async t => {
  const instance = openWithKeys(t)
  await signIn(instance.vault, 'owner')
  instance.clock.advance(limits.idleMs)
  const { runOnce, revoked } = createSweep(instance, { scope: 'grant' })
  t.strictSame(await runOnce(), { owners: 1, grants: 0 })
  t.same(revoked, [])
})

t.test('SEC-38: records that this instance cannot decrypt stay', async t => {
  const instance = openWithKeys(t)
  await signIn(instance.vault, 'owner')
  instance.clock.advance(limits.idleMs)
  const { runOnce, revoked } = createSweep(instance, { keys: [newKey()] })
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  t.same(revoked, [])
  t.ok((await instance.store.readAll('owner')).has('connection:acme'))
})

t.test('raised limits hold for earlier sessions and their records', async t => {
  const instance = openWithKeys(t)
  const { vault, store, clock } = instance
  await signIn(vault, 'owner')
  clock.advance(limits.idleMs)
  const { runOnce, revoked } = createSweep(instance, { limits: { idleMs: 48 * hour, maxMs: 96 * hour } })
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  clock.advance(48 * hour - limits.idleMs + recordRetentionMs - 1)
  t.ok((await store.readAll('owner')).has('connection:acme'))
  t.strictSame(await runOnce(), { owners: 1, grants: 2 })
  t.equal(revoked.length, 2)
})

t.test('SEC-15: a token that is refreshed during a sweep is revoked by the next one', async t => {
  const instance = openWithKeys(t)
  const { vault, store, clock } = instance
  await signIn(vault, 'owner')
  const before = await vault.readConnection(keyOf())
  clock.advance(limits.idleMs)
  let isRaced = false
  const racing: Store = {
    ...store,
    commit: async (owner, change) => {
      if (owner === 'owner' && !isRaced && before) {
        isRaced = true
        await vault.replace(keyOf(), before, { ...before.value, refreshToken: new Secret('newest') })
      }
      return store.commit(owner, change)
    }
  }
  const { runOnce, revoked } = createSweep(instance, { store: racing })
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  t.same(revoked, [])
  t.equal((await store.readAll(pendingOwner)).size, 0)
  clock.advance(sweepEveryMs)
  t.strictSame(await runOnce(), { owners: 1, grants: 2 })
  t.same(revoked.sort(), ['newest', 'umbrella of owner'])
})

t.test('SEC-15: a crash between queueing and deletion loses no revocation', async t => {
  const instance = openWithKeys(t)
  const { vault, store, clock } = instance
  await signIn(vault, 'owner')
  clock.advance(limits.idleMs)
  const failing: Store = {
    ...store,
    commit: (owner, change) => (owner === 'owner' ? Promise.reject(new Error('killed')) : store.commit(owner, change))
  }
  await t.rejects(createSweep(instance, { store: failing }).runOnce(), /killed/)
  t.equal((await store.readAll(pendingOwner)).size, 2, 'the revocations are queued')
  clock.advance(sweepEveryMs)
  t.strictSame(await createSweep(instance).runOnce(), { owners: 1, grants: 2 })
})

t.test('a sweep is bounded, and the next one continues', async t => {
  const instance = openWithKeys(t)
  for (let i = 0; i < 505; i++) await instance.vault.connect(`owner ${i}`, undefined, connectionOf(String(i)))
  instance.clock.advance(limits.idleMs)
  const { runOnce, revoked } = createSweep(instance)
  const first = await runOnce()
  t.ok(first && first.owners >= 500 && first.owners < 505, JSON.stringify(first))
  instance.clock.advance(sweepEveryMs)
  t.equal((first?.owners ?? 0) + ((await runOnce())?.owners ?? 0), 505)
  t.equal(new Set(revoked).size, 505)
})
