import t, { type Test } from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createRevocation } from '../../../src/core/oauth/revocation.ts'
import type { RevocableGrant, TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import { createUserSweep, type UserSweepOptions } from '../../../src/core/oauth/user-sweep.ts'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import { userOwner } from '../../../src/core/users/owner.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createInvitations } from '../../../src/core/vault/invitations.ts'
import { pendingOwner } from '../../../src/core/vault/records.ts'
import type { Vault } from '../../../src/core/vault/vault.ts'
import { connectionWith, hour, limits, minute, newKey, openInstance } from '../support.ts'
import { ada, umbrella } from '../vault/support.ts'

const day = 24 * hour
const { owner, user } = ada
/** Longer than a session, so that one ends without the other. */
const connectionIdleMs = 30 * day

function openWorld(t: Test) {
  const keys = [newKey()]
  return { ...openInstance(t, { keys, idleMs: connectionIdleMs }), keys }
}

type World = ReturnType<typeof openWorld>

/** The sweep of an instance, and the tokens that it has sent to the revocation endpoint. */
function createSweep({ store, clock, keys }: World, options: Partial<UserSweepOptions> = {}) {
  const cipher = options.cipher ?? createCipher(keys)
  const revoked: string[] = []
  const endpoint: Pick<TokenEndpoint, 'revoke'> = { revoke: async ({ token }: RevocableGrant) => void revoked.push(token.reveal()) }
  const revocation = createRevocation({
    store: options.store ?? store,
    cipher,
    clock,
    events: createEvents(),
    endpointOf: () => endpoint as TokenEndpoint,
    scopeOf: () => 'grant'
  })
  const sweep = createUserSweep({ store, cipher, limits, connectionIdleMs, clock, revocation, pause: async () => {}, ...options })
  return { ...sweep, revoked }
}

/** A connection that is made now. */
const connect = ({ vault, clock }: Pick<World, 'vault' | 'clock'>, id: string, of = owner) =>
  vault.connect(of, undefined, connectionOf(id, clock.now()), { account: 'add', user })

const connectionOf = (id: string, connectedAtMs: number): Connection =>
  connectionWith({ id, credential: new Secret(`access-${id}`), accountId: id, connectedAtMs, refreshToken: new Secret(`refresh-${id}`) })

const signIn = (vault: Vault) => vault.signIn(owner, user, { login: { idToken: new Secret('id-token') } })

const fieldsOf = async (store: Store, of = owner) => [...(await store.readAll(of)).keys()].sort()

t.test('SEC-15: a connection that nobody has used for too long is deleted and revoked', async t => {
  const world = openWorld(t)
  const { store, clock } = world
  const { sweepOwner, revoked } = createSweep(world)
  await connect(world, 'old')
  clock.advance(connectionIdleMs / 2)
  await connect(world, 'new')
  clock.advance(connectionIdleMs / 2 - 1)
  t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 0 })
  clock.advance(1)
  t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 1 })
  t.strictSame(revoked, ['refresh-old'])
  t.strictSame(await fieldsOf(store), ['connection:acme@new', 'default:acme', 'user'])
  t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 0 }, 'once')
})

t.test('nothing is left of a user whose last connection has ended', async t => {
  const world = openWorld(t)
  const { store, clock } = world
  const { sweepOwner, revoked } = createSweep(world)
  await connect(world, 'one')
  await world.vault.connect(owner, undefined, { ...umbrella, connectedAtMs: clock.now() })
  clock.advance(connectionIdleMs)
  t.strictSame(await sweepOwner(owner), { isDeleted: true, grants: 2 })
  t.strictSame(await fieldsOf(store), [])
  t.equal(revoked.length, 2)
  t.equal((await store.readAll(pendingOwner)).size, 0, 'the provider has confirmed')
})

t.test('a use keeps a connection', async t => {
  const world = openWorld(t)
  const { vault, clock } = world
  const { sweepOwner } = createSweep(world)
  await connect(world, 'one')
  for (let i = 0; i < 3; i++) {
    clock.advance(connectionIdleMs - 1)
    const opened = await vault.open(ada, { provider: 'acme' })
    if (opened) await vault.touch(opened, opened.connection)
    t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 0 })
  }
  t.ok((await vault.open(ada, { provider: 'acme' }))?.connection)
})

t.test('SEC-21: ended sessions are deleted, and the connection stays', async t => {
  const world = openWorld(t)
  const { vault, store, clock } = world
  const { sweepOwner, revoked } = createSweep(world)
  await connect(world, 'one')
  await signIn(vault)
  clock.advance(limits.idleMs / 2)
  const live = await signIn(vault)
  clock.advance(limits.idleMs / 2)
  await sweepOwner(owner)
  t.strictSame(await fieldsOf(store), ['connection:acme', 'default:acme', `login:${live.id}`, `session:${live.id}`, 'user'])
  t.strictSame(revoked, [])
})

t.test('a signed-in user without any connection is kept until the session ends', async t => {
  const world = openWorld(t)
  const { vault, store, clock } = world
  const { sweepOwner } = createSweep(world)
  await signIn(vault)
  clock.advance(limits.idleMs - 1)
  t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 0 })
  clock.advance(1)
  t.strictSame(await sweepOwner(owner), { isDeleted: true, grants: 0 })
  t.strictSame(await fieldsOf(store), [])
})

t.test('an open invitation keeps its user, and an expired one does not', async t => {
  const world = openWorld(t)
  const { store, clock, keys } = world
  const { sweepOwner } = createSweep(world)
  const invitations = createInvitations({ store, cipher: createCipher(keys), limits, connectionIdleMs, clock })
  await invitations.create(owner, { provider: 'acme', name: 'Ada', user })
  clock.advance(7 * day - 1)
  t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 0 })
  clock.advance(1)
  t.strictSame(await sweepOwner(owner), { isDeleted: true, grants: 0 })
  t.strictSame(await fieldsOf(store), [])
})

t.test('SEC-38: what another key has sealed is left alone', async t => {
  const world = openWorld(t)
  const { vault, store, clock } = world
  await connect(world, 'one')
  await signIn(vault)
  const before = await store.readAll(owner)
  clock.advance(connectionIdleMs)
  const { sweepOwner, revoked } = createSweep(world, { cipher: createCipher([newKey()]) })
  t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 0 })
  t.strictSame(await store.readAll(owner), before)
  t.strictSame(revoked, [])
})

t.test('a connection that is used during the sweep stays, with its grant', async t => {
  const world = openWorld(t)
  const { vault, store, clock } = world
  await connect(world, 'one')
  clock.advance(connectionIdleMs - 1)
  const opened = await vault.open(ada, { provider: 'acme' })
  clock.advance(1)
  const racing: Store = {
    ...store,
    commit: async (name, change) => {
      const { connection } = opened ?? {}
      if (name === owner && connection) await vault.replace(connection.key, connection, { ...connection.value, lastUsedAtMs: clock.now() })
      return store.commit(name, change)
    }
  }
  const { sweepOwner, revoked } = createSweep(world, { store: racing })
  t.strictSame(await sweepOwner(owner), { isDeleted: false, grants: 0 })
  t.ok((await vault.open(ada, { provider: 'acme' }))?.connection)
  t.strictSame(revoked, [])
  t.equal((await store.readAll(pendingOwner)).size, 0, 'its revocation is cancelled')
})

t.test('SEC-15: an interruption loses no token of a grant', async t => {
  const world = openWorld(t)
  const { store, clock } = world
  await connect(world, 'one')
  clock.advance(connectionIdleMs)
  const failing: Store = {
    ...store,
    commit: async (name, change) => {
      if (name === owner) throw new Error('interrupted')
      return store.commit(name, change)
    }
  }
  await t.rejects(createSweep(world, { store: failing }).sweepOwner(owner), { message: 'interrupted' })
  t.ok((await store.readAll(owner)).has('connection:acme'))
  const { sweepOwner, revoked } = createSweep(world)
  t.strictSame(await sweepOwner(owner), { isDeleted: true, grants: 1 })
  t.strictSame(revoked, ['refresh-one'])
})

t.test('a sweep finds all users, and no browser that nobody is signed in to', async t => {
  const world = openWorld(t)
  const { vault, clock } = world
  const owners = Array.from({ length: 70 }, (_, i) => userOwner(`${i}`.padStart(43, 'x')))
  for (const [i, one] of owners.entries()) await connect(world, `${i}`, one)
  await vault.connect('browser', undefined, connectionOf('browser', clock.now()))
  clock.advance(connectionIdleMs)
  const pauses: number[] = []
  const { runOnce, revoked } = createSweep(world, { pause: async ms => void pauses.push(ms) })
  t.strictSame(await runOnce(), { owners: 70, grants: 70 })
  t.equal(new Set(revoked).size, 70)
  t.ok(pauses.length >= 3, 'in batches, so that the store is not busy with it')
  t.notOk(revoked.includes('refresh-browser'))
})

t.test('of several instances one sweeps in an interval', async t => {
  const world = openWorld(t)
  const sweeps = [createSweep(world), createSweep(world), createSweep(world)]
  for (let i = 0; i < 3; i++) {
    const swept = await Promise.all(sweeps.map(({ runOnce }) => runOnce()))
    t.equal(swept.filter(result => result !== undefined).length, 1)
    world.clock.advance(sweeps[0]?.intervalMs ?? 0)
  }
})

t.test('a sweep ends when the gateway closes, or while a provider is down', async t => {
  const world = openWorld(t)
  await connect(world, 'one')
  world.clock.advance(connectionIdleMs)
  const closed = createSweep(world)
  closed.close()
  t.strictSame(await closed.runOnce(), { owners: 0, grants: 0 })
  world.clock.advance(closed.intervalMs)
  const revocation: UserSweepOptions['revocation'] = {
    pendingCount: () => 1_000,
    plan: async () => {
      throw new Error('nothing more is planned')
    }
  }
  t.strictSame(await createSweep(world, { revocation }).runOnce(), { owners: 0, grants: 0 })
})

t.test('the interval follows the idle limit, within bounds', async t => {
  const world = openWorld(t)
  for (const [idleMs, intervalMs] of [
    [1_000, 5_000],
    [hour, 6 * minute],
    [180 * day, day]
  ] as const)
    t.equal(createSweep(world, { connectionIdleMs: idleMs }).intervalMs, intervalMs)
})

t.test('the records of a swept user last as long as a connection may', async t => {
  const world = openWorld(t)
  const { store, clock } = world
  const { sweepOwner } = createSweep(world)
  await connect(world, 'old')
  clock.advance(connectionIdleMs / 2)
  await connect(world, 'new')
  clock.advance(connectionIdleMs / 2)
  await sweepOwner(owner)
  clock.advance(connectionIdleMs)
  t.ok((await fieldsOf(store)).includes('connection:acme@new'), 'for its revocation')
})
