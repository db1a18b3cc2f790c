import t, { type Test } from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { maxAccounts } from '../../../src/core/connections/errors.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createExpiredSessionSweep } from '../../../src/core/oauth/expired-sessions.ts'
import { createRevocation } from '../../../src/core/oauth/revocation.ts'
import type { RevocableGrant, TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import { createUserSweep } from '../../../src/core/oauth/user-sweep.ts'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { Session } from '../../../src/core/session.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createInvitations } from '../../../src/core/vault/invitations.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { connectionIdleMs, hour, type Instance, keyOf, limits, minute, newKey, openInstance, sessionOf } from '../support.ts'
import { accountsOf, accountWith, ada, credentialOf, openLive, signIn, umbrella } from './support.ts'

const user = ada.owner

type World = Instance & { readonly keys: readonly Buffer[] }

const withTokens = (id: string, overrides: Partial<Connection> = {}): Connection =>
  accountWith(id, { refreshToken: new Secret(`refresh-${id}`), ...overrides })

/** A browser of the owner `owner` with these accounts at Acme, and its session. */
async function openBrowser(t: Test, ...ids: string[]): Promise<World & { session: Session }> {
  const keys = [newKey()]
  const instance = openInstance(t, { keys })
  const { vault } = instance
  let session = await signIn(vault, 'owner', withTokens(ids[0] as string))
  for (const id of ids.slice(1)) session = sessionOf(await vault.connect('owner', session, withTokens(id), { account: 'add' }))
  return { ...instance, keys, session }
}

const vaultOn = (store: Store, { keys, clock }: World) =>
  createVault({ store, cipher: createCipher(keys), limits, connectionIdleMs, clock })

/** The sweep of an instance, and the tokens that it has revoked. */
function createSweep({ store, vault, clock, keys }: World) {
  const cipher = createCipher(keys)
  const revoked: string[] = []
  const endpoint: Pick<TokenEndpoint, 'revoke'> = { revoke: async ({ token }: RevocableGrant) => void revoked.push(token.reveal()) }
  const revocation = createRevocation({
    store,
    cipher,
    clock,
    events: createEvents(),
    endpointOf: () => endpoint as TokenEndpoint,
    scopeOf: () => 'token'
  })
  const users = createUserSweep({ store, cipher, limits, connectionIdleMs, clock, revocation, pause: async () => {} })
  const { resumeTakeover } = vault
  const { runOnce } = createExpiredSessionSweep({ store, cipher, limits, clock, revocation, sweepUser: users.sweepOwner, resumeTakeover })
  return { runOnce, revoked, close: () => revocation.close(1000) }
}

t.test('SEC-57: all connections of a browser move to the user, and nothing is left', async t => {
  const { vault, store, session } = await openBrowser(t, 'one', 'two')
  const last = sessionOf(await vault.connect('owner', session, umbrella))
  t.strictSame(await vault.takeOver('owner', user), { left: [], replaced: [] })
  t.strictSame(await accountsOf(vault), ['one', 'two'])
  t.equal(await credentialOf(vault, 'two'), 'access-two')
  t.ok((await vault.open(ada, { provider: 'umbrella' }))?.connection)
  t.equal((await store.readAll('owner')).size, 0)
  for (const old of [session, last]) t.equal(await vault.openAll(old), undefined, 'the sessions are dead')
})

t.test('the browser’s default account stays the default', async t => {
  const { vault } = await openBrowser(t, 'one', 'two')
  await vault.setDefault('owner', 'acme', 'two')
  await vault.takeOver('owner', user)
  t.strictSame(await accountsOf(vault), ['two', 'one'])
  t.equal(await credentialOf(vault), 'access-two')
})

t.test('accounts are added to those of the user, whose default stays', async t => {
  const { vault } = await openBrowser(t, 'one', 'two')
  await vault.connect(user, undefined, withTokens('own'))
  await vault.takeOver('owner', user)
  t.equal(await credentialOf(vault), 'access-own')
  t.strictSame((await accountsOf(vault)).sort(), ['one', 'own', 'two'])
})

t.test('the same account replaces the user’s connection, which is to be revoked', async t => {
  const { vault } = await openBrowser(t, 'one')
  await vault.connect(user, undefined, withTokens('own', { accountId: 'one' }))
  const taken = await vault.takeOver('owner', user)
  t.match(taken, { left: [], replaced: [{ before: { id: 'own' }, after: { id: 'one' } }] })
  t.strictSame(await accountsOf(vault), ['own'])
  t.equal(await credentialOf(vault), 'access-one')
})

t.test('SEC-57: a second takeover has nothing to move', async t => {
  const { vault } = await openBrowser(t, 'one')
  const taken = await Promise.all([vault.takeOver('owner', user), vault.takeOver('owner', user)])
  t.ok(taken.some(result => result !== undefined))
  t.strictSame(await accountsOf(vault), ['one'])
  t.equal(await vault.takeOver('owner', user), undefined)
  t.equal(await vault.takeOver('nobody', user), undefined)
  t.equal(await vault.resumeTakeover('owner'), undefined)
})

t.test('what finds no place is returned, and leaves the browser too', async t => {
  const world = await openBrowser(t, '3', 'more')
  const { vault, store } = world
  for (let i = 0; i < maxAccounts; i++) await vault.connect(user, undefined, withTokens(`${i}`), { account: 'add' })
  const taken = await vault.takeOver('owner', user)
  t.match(taken, { left: [{ id: 'more' }] })
  t.equal(taken?.left.length, 1)
  t.equal((await accountsOf(vault)).length, maxAccounts)
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('an open invitation of the browser ends', async t => {
  const world = await openBrowser(t, 'one')
  const { vault, store, clock, keys } = world
  const invitations = createInvitations({ store, cipher: createCipher(keys), limits, connectionIdleMs, clock })
  const { token } = await invitations.create('owner', { provider: 'umbrella', name: 'Ada' })
  await vault.takeOver('owner', user)
  await t.rejects(invitations.find(token), { code: 'invitation_invalid' })
})

/** A failure of the store at the n-th commit. */
function failingAt(store: Store, n: number, when: 'before' | 'after'): Store {
  let commits = 0
  return {
    ...store,
    commit: async (owner, change) => {
      const isFailing = ++commits === n
      if (isFailing && when === 'before') throw new Error('interrupted')
      const committed = await store.commit(owner, change)
      if (isFailing) throw new Error('interrupted')
      return committed
    }
  }
}

// Announce, and of each connection: place, delete; then finish.
for (const n of [1, 2, 3, 4, 5, 6])
  for (const when of ['before', 'after'] as const)
    t.test(`SEC-57: a move that is interrupted ${when} commit ${n} of 6 is finished by the sweep`, async t => {
      const world = await openBrowser(t, 'one', 'two')
      const { store, clock, session } = world
      await t.rejects(vaultOn(failingAt(store, n, when), world).takeOver('owner', user), { message: 'interrupted' })
      const vault = vaultOn(store, world)
      const isAnnounced = n > 1 || when === 'after'
      t.equal((await vault.openAll(session)) === undefined, isAnnounced, 'the sessions end first')
      const { runOnce, revoked } = createSweep({ ...world, vault })
      clock.advance(minute)
      await runOnce()
      if (!isAnnounced) {
        t.strictSame(await accountsOf(vault), [])
        t.strictSame(await accountsOf(vault, session), ['one', 'two'], 'nothing has happened')
        return
      }
      t.strictSame((await accountsOf(vault)).sort(), ['one', 'two'])
      for (const id of ['one', 'two']) t.equal(await credentialOf(vault, id), `access-${id}`)
      t.equal((await store.readAll('owner')).size, 0)
      t.strictSame(revoked, [])
    })

t.test('the sweep revokes what an interrupted move has no place for, or has replaced', async t => {
  const world = await openBrowser(t, '3', 'more')
  const { vault, store } = world
  for (let i = 0; i < maxAccounts; i++)
    await vault.connect(user, undefined, withTokens(`own-${i}`, { accountId: `${i}` }), { account: 'add' })
  await t.rejects(vaultOn(failingAt(store, 2, 'before'), world).takeOver('owner', user))
  const { runOnce, revoked, close } = createSweep(world)
  await runOnce()
  await close()
  t.strictSame(revoked.sort(), ['refresh-more', 'refresh-own-3'])
  t.equal(await credentialOf(vault, 'own-3'), 'access-3')
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('a move waits for a renewal in flight, whose tokens it takes along', async t => {
  const world = await openBrowser(t, 'one')
  const { store, vault } = world
  const before = await vault.readConnection(keyOf())
  const lease = await store.acquire('owner', 'renewal:acme', hour)
  if (!before || !lease) return t.fail('not connected')
  const refused = Promise.withResolvers<void>()
  const watched: Store = {
    ...store,
    acquire: async (...args) => {
      const acquired = await store.acquire(...args)
      if (!acquired) refused.resolve()
      return acquired
    }
  }
  const taking = vaultOn(watched, world).takeOver('owner', user)
  await refused.promise
  t.equal(await credentialOf(vault), undefined, 'not moved yet')
  await vault.replace(before.key, before, { ...before.value, credential: new Secret('access-renewed') })
  await lease.release()
  await taking
  t.equal(await credentialOf(vault), 'access-renewed')
  t.equal(await vault.readConnection(keyOf()), undefined)
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('a session that begins during a move ends with it', async t => {
  const world = await openBrowser(t, 'one')
  const { store, session } = world
  let late: Session | undefined
  const racing: Store = {
    ...store,
    readAll: async owner => {
      const records = await store.readAll(owner)
      late ??= sessionOf(await vaultOn(store, world).connect('owner', session, umbrella))
      return records
    }
  }
  await vaultOn(racing, world).takeOver('owner', user)
  const vault = vaultOn(store, world)
  t.equal(late && (await vault.openAll(late)), undefined)
  t.strictSame(await accountsOf(vault), ['one'])
  t.ok((await vault.open(ada, { provider: 'umbrella' }))?.connection)
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('SEC-38: a connection that does not open here waits for an instance with its key', async t => {
  const world = await openBrowser(t, 'one')
  const { store, session } = world
  const newest = newKey()
  const both = { ...world, keys: [newest, ...world.keys] }
  await vaultOn(store, both).connect('owner', session, umbrella)
  const half = vaultOn(store, { ...world, keys: [newest] })
  t.strictSame(await half.takeOver('owner', user), { left: [], replaced: [] })
  t.ok((await half.open(ada, { provider: 'umbrella' }))?.connection)
  t.ok((await store.readAll('owner')).has('connection:acme'))

  const vault = vaultOn(store, both)
  await createSweep({ ...both, vault }).runOnce()
  t.equal(await credentialOf(vault), 'access-one')
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('SEC-38: a sweep without the key leaves an interrupted move as it is', async t => {
  const world = await openBrowser(t, 'one')
  const { store } = world
  await t.rejects(vaultOn(failingAt(store, 2, 'before'), world).takeOver('owner', user))
  const records = await store.readAll('owner')
  const other = { ...world, keys: [newKey()] }
  const { runOnce, revoked } = createSweep({ ...other, vault: vaultOn(store, other) })
  t.strictSame(await runOnce(), { owners: 0, grants: 0 })
  t.strictSame(await store.readAll('owner'), records)
  t.strictSame(revoked, [])
})

t.test('the user’s own sessions show what was taken over', async t => {
  const { vault } = await openBrowser(t, 'one')
  const session = await vault.signIn(user, ada.user, { login: { idToken: new Secret('id-token') }, takeover: 'owner' })
  t.equal((await openLive(vault, session)).session.value.takeover, 'owner')
  await vault.endTakeoverOffer(session)
  await vault.takeOver('owner', user)
  t.equal((await openLive(vault, session)).session.value.takeover, undefined)
  t.strictSame(await accountsOf(vault, session), ['one'])
})
