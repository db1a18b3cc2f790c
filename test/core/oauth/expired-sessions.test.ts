import t, { type Test } from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createExpiredSessionSweep } from '../../../src/core/oauth/expired-sessions.ts'
import { createRevocation } from '../../../src/core/oauth/revocation.ts'
import type { RevocableToken, TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import { recordRetentionMs, type Session, type SessionLimits } from '../../../src/core/session.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { pendingOwner } from '../../../src/core/vault/records.ts'
import type { Vault } from '../../../src/core/vault/vault.ts'
import { connectionWith, hour, type Instance, keyOf, limits, minute, newKey, openInstance, sessionOf } from '../support.ts'

const turn = 10 * minute

type Options = { ends?: 'token' | 'grant'; limits?: SessionLimits; keys?: readonly Buffer[]; store?: Store }

/** A sweep beside an instance, and what the provider was told. */
function sweepOf(instance: Instance & { keys: readonly Buffer[] }, options: Options = {}) {
  const { ends = 'token', limits: of = limits, keys = instance.keys, store = instance.store } = options
  const cipher = createCipher(keys)
  const told: string[] = []
  const endpoint: Pick<TokenEndpoint, 'revoke'> = { revoke: async ({ token }: RevocableToken) => void told.push(token.reveal()) }
  const { clock } = instance
  const revocation = createRevocation({
    store,
    cipher,
    clock,
    endpointOf: () => endpoint as TokenEndpoint,
    scopeOf: () => ends,
    events: createEvents()
  })
  return { ...createExpiredSessionSweep({ store, cipher, limits: of, clock, revocation }), told }
}

function begin(t: Test) {
  const keys = [newKey()]
  return { ...openInstance(t, { keys, directory: t.testdir() }), keys }
}

const grant = (owner: string, provider = 'acme'): Connection =>
  connectionWith({ provider, credential: new Secret(`access of ${owner}`), refreshToken: new Secret(`${provider} of ${owner}`) })

async function signIn(vault: Vault, owner: string): Promise<Session> {
  const session = sessionOf(await vault.connect(owner, undefined, grant(owner)))
  return sessionOf(await vault.connect(owner, session, grant(owner, 'umbrella')))
}

t.test('SEC-15: the grants of sessions that have ended are revoked, and nothing of those who live is touched', async t => {
  const instance = begin(t)
  const { vault, store, clock } = instance
  for (const owner of ['one', 'two']) await signIn(vault, owner)
  clock.advance(limits.idleMs / 2)
  const living = await signIn(vault, 'living')
  const { runOnce, told } = sweepOf(instance)
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  clock.advance(limits.idleMs / 2)
  t.strictSame(await runOnce(), { owners: 2, grants: 4 })
  t.same(told.sort(), ['acme of one', 'acme of two', 'umbrella of one', 'umbrella of two'])
  for (const owner of ['one', 'two', pendingOwner]) t.equal((await store.readAll(owner)).size, 0, owner)
  t.equal((await vault.openAll(living))?.connections.size, 2)
  clock.advance(turn)
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  t.equal(told.length, 4)
})

t.test('a turn is one instance’s', async t => {
  const instance = begin(t)
  const sweeps = [sweepOf(instance), sweepOf(instance), sweepOf(instance)]
  for (let i = 0; i < 3; i++) {
    t.equal((await Promise.all(sweeps.map(({ runOnce }) => runOnce()))).filter(swept => swept !== undefined).length, 1)
    instance.clock.advance(turn)
  }
})

t.test('where a revocation would end others as well, what has ended is erased and nobody is told', async t => {
  const instance = begin(t)
  await signIn(instance.vault, 'owner')
  instance.clock.advance(limits.idleMs)
  const { runOnce, told } = sweepOf(instance, { ends: 'grant' })
  t.strictSame(await runOnce(), { owners: 1, grants: 0 })
  t.same(told, [])
})

t.test('SEC-38: what another instance’s key has sealed is left to that one', async t => {
  const instance = begin(t)
  await signIn(instance.vault, 'owner')
  instance.clock.advance(limits.idleMs)
  const { runOnce, told } = sweepOf(instance, { keys: [newKey()] })
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  t.same(told, [])
  t.ok((await instance.store.readAll('owner')).has('connection:acme'))
})

t.test('limits that were raised hold for sessions that were written before, and their records wait as long', async t => {
  const instance = begin(t)
  const { vault, store, clock } = instance
  await signIn(vault, 'owner')
  clock.advance(limits.idleMs)
  const { runOnce, told } = sweepOf(instance, { limits: { idleMs: 48 * hour, maxMs: 96 * hour } })
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  clock.advance(48 * hour - limits.idleMs + recordRetentionMs - 1)
  t.ok((await store.readAll('owner')).has('connection:acme'))
  t.strictSame(await runOnce(), { owners: 1, grants: 2 })
  t.equal(told.length, 2)
})

t.test('SEC-15: a refresh that ends meanwhile is not overlooked', async t => {
  const instance = begin(t)
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
  const { runOnce, told } = sweepOf(instance, { store: racing })
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  t.same(told, [])
  t.equal((await store.readAll(pendingOwner)).size, 0)
  clock.advance(turn)
  t.strictSame(await runOnce(), { owners: 1, grants: 2 })
  t.same(told.sort(), ['newest', 'umbrella of owner'])
})

t.test('SEC-15: who dies between keeping and erasing has lost nothing', async t => {
  const instance = begin(t)
  const { vault, store, clock } = instance
  await signIn(vault, 'owner')
  clock.advance(limits.idleMs)
  const dying: Store = {
    ...store,
    commit: (owner, change) => (owner === 'owner' ? Promise.reject(new Error('killed')) : store.commit(owner, change))
  }
  await t.rejects(sweepOf(instance, { store: dying }).runOnce(), /killed/)
  t.equal((await store.readAll(pendingOwner)).size, 2, 'its provider will be told')
  clock.advance(turn)
  t.strictSame(await sweepOf(instance).runOnce(), { owners: 1, grants: 2 })
})

t.test('a round is bounded, and the next goes on', async t => {
  const instance = begin(t)
  for (let i = 0; i < 505; i++) await instance.vault.connect(`owner ${i}`, undefined, grant(String(i)))
  instance.clock.advance(limits.idleMs)
  const { runOnce, told } = sweepOf(instance)
  const first = await runOnce()
  t.ok(first && first.owners >= 500 && first.owners < 505, JSON.stringify(first))
  instance.clock.advance(turn)
  t.equal((first?.owners ?? 0) + ((await runOnce())?.owners ?? 0), 505)
  t.equal(new Set(told).size, 505)
})
