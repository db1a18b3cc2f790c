import t, { type Test } from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { SessionLimits } from '../../../src/core/session.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createInvitations, type Invitations } from '../../../src/core/vault/invitations.ts'
import type { Login } from '../../../src/core/vault/user-sessions.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { connectionIdleMs, hour, type Instance, keyOf, limits, minute, newKey, openInstance, second, startMs } from '../support.ts'
import { accountsOf, accountWith, ada, browserWith, credentialOf, deliver, newFlow, openLive, providersIn, umbrella } from './support.ts'

const { owner, user } = ada
const day = 24 * hour

const loginWith = (sid?: string): Login => ({ sid, idToken: new Secret(`id-token-${sid}`) })

const signIn = ({ vault }: Pick<Instance, 'vault'>, sid = 'sid-1') => vault.signIn(owner, user, { login: loginWith(sid) })

/** A connection that is made now. */
const connect = ({ vault, clock }: Pick<Instance, 'vault' | 'clock'>, id = 'one') =>
  vault.connect(owner, undefined, accountWith(id, { connectedAtMs: clock.now() }), { account: 'add', user })

const sessionFields = async (store: Store) => [...(await store.readAll(owner)).keys()].filter(field => /^(session|login):/.test(field))

t.test('a user has connections without any session', async t => {
  const { vault, store, clock } = openInstance(t)
  t.match(await connect({ vault, clock }), { kind: 'joined', replaced: undefined })
  t.strictSame(await sessionFields(store), [])
  t.match(await vault.open(ada, { provider: 'acme' }), { owner, session: undefined, connection: { value: { id: 'one' } } })
  t.match(await vault.openAll(ada), { owner, session: undefined, user })
  t.equal((await vault.readConnection(keyOf(owner)))?.value.id, 'one')
})

t.test('a user is opened before their first connection', async t => {
  const { vault } = openInstance(t)
  t.match(await vault.open(ada, { provider: 'acme' }), { owner, session: undefined, connection: undefined })
  t.equal((await vault.openAll(ada))?.connections.size, 0)
})

t.test('who a user is can be found by their sessions and connections', async t => {
  const one = openInstance(t)
  t.notOk((await one.store.readAll(owner)).has('user'))
  await connect(one)
  t.ok((await one.store.readAll(owner)).has('user'), 'with the first connection')
  const other = openInstance(t, { directory: t.testdir({ other: {} }) })
  const session = await signIn(other)
  t.strictSame((await other.vault.openAll(session))?.user, user)
})

t.test('a sign-in starts a session that shows the user’s connections', async t => {
  const instance = openInstance(t)
  await connect(instance)
  const [one, two] = [await signIn(instance), await signIn(instance, 'sid-2')]
  t.not(one.id, two.id)
  for (const session of [one, two]) t.strictSame(await accountsOf(instance.vault, session), ['one'])
})

t.test('a user’s new connection rotates none of their sessions', async t => {
  const instance = openInstance(t)
  const { vault } = instance
  const session = await signIn(instance)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  t.equal((await vault.connect(owner, session, umbrella, { callback: callbackOf(flow), browser })).kind, 'joined')
  t.strictSame((await openLive(vault, session)).session.value, session)
  t.strictSame(await providersIn(vault, session), ['umbrella'])
})

t.test('SEC-21: an ended session shows nothing, and its user’s connections stay', async t => {
  const instance = openInstance(t)
  const { vault, clock } = instance
  await connect(instance)
  const session = await signIn(instance)
  clock.advance(limits.idleMs)
  t.equal(await vault.openAll(session), undefined)
  t.equal(await vault.open(session, { provider: 'acme' }), undefined)
  t.equal(await credentialOf(vault), 'access-one')
  t.ok(await vault.readConnection(keyOf(owner)))
})

t.test('a sign-in deletes the sessions that have ended', async t => {
  const instance = openInstance(t)
  const { clock, store } = instance
  const ended = await signIn(instance)
  clock.advance(limits.idleMs / 2)
  const live = await signIn(instance)
  clock.advance(limits.idleMs / 2)
  t.ok((await sessionFields(store)).includes(`session:${ended.id}`))
  const last = await signIn(instance)
  t.strictSame((await sessionFields(store)).sort(), [live, last].flatMap(({ id }) => [`login:${id}`, `session:${id}`]).sort())
})

t.test('SEC-20: a sign-out ends one session and keeps the connections', async t => {
  const instance = openInstance(t)
  const { vault, store } = instance
  await connect(instance)
  const [one, two] = [await signIn(instance, 'sid-1'), await signIn(instance, 'sid-2')]
  const login = await vault.signOut(one)
  t.strictSame([login?.sid, login?.idToken.reveal()], ['sid-1', 'id-token-sid-1'])
  t.equal(await vault.openAll(one), undefined)
  t.strictSame(await accountsOf(vault, two), ['one'])
  t.equal(await vault.signOut(one), undefined, 'it has ended before')
  await vault.signOut(two)
  t.strictSame(await sessionFields(store), [])
  t.equal(await credentialOf(vault), 'access-one')
})

t.test('SEC-20: the sessions of one sign-in at the identity provider can be ended', async t => {
  const instance = openInstance(t)
  const { vault, store } = instance
  await connect(instance)
  const sessions = [await signIn(instance, 'sid-1'), await signIn(instance, 'sid-2'), await signIn(instance, 'sid-1')]
  t.equal(await vault.endSessions(owner, 'sid-3'), 0)
  t.equal(await vault.endSessions(owner, 'sid-1'), 2)
  t.strictSame(await Promise.all(sessions.map(async session => (await vault.openAll(session)) !== undefined)), [false, true, false])
  t.equal((await sessionFields(store)).length, 2)
  t.strictSame(await accountsOf(vault), ['one'])
})

t.test('SEC-20: all sessions of a user can be ended', async t => {
  const instance = openInstance(t)
  const { vault, store } = instance
  await connect(instance)
  await signIn(instance)
  await vault.signIn(owner, user, { login: loginWith() })
  t.equal(await vault.endSessions(owner), 2)
  t.strictSame(await sessionFields(store), [])
  t.equal(await vault.endSessions(owner), 0)
  t.strictSame(await accountsOf(vault), ['one'])
})

t.test('deleting the connections of a signed-in user keeps the sessions', async t => {
  const instance = openInstance(t)
  const { vault, store } = instance
  await connect(instance)
  await connect(instance, 'two')
  await vault.setDefault(owner, 'acme', 'two')
  await vault.connect(owner, undefined, umbrella)
  const session = await signIn(instance)
  t.strictSame((await vault.deleteConnections(owner)).map(({ id }) => id).sort(), ['one', 'two', 'umbrella-1'])
  t.strictSame([...(await store.readAll(owner)).keys()].sort(), [`login:${session.id}`, `session:${session.id}`, 'user'])
  t.strictSame((await openLive(vault, session)).user, user)
  t.strictSame(await vault.deleteConnections(owner), [])
})

t.test('deleting the connections of a user who is not signed in leaves nothing', async t => {
  const instance = openInstance(t)
  const { vault, store, clock } = instance
  await connect(instance)
  await connect(instance, 'two')
  await vault.setDefault(owner, 'acme', 'two')
  await signIn(instance)
  clock.advance(limits.idleMs)
  t.equal((await vault.deleteConnections(owner)).length, 2)
  t.equal((await store.readAll(owner)).size, 0)
  t.strictSame(await vault.deleteConnections(owner), [])
})

t.test('deleted connections are returned as they were last stored', async t => {
  const keys = [newKey()]
  const instance = openInstance(t, { keys })
  const { vault, store, clock } = instance
  await connect(instance)
  const before = await vault.readConnection(keyOf(owner))
  if (!before) return t.fail('not connected')
  let isRefreshed = false
  const racing: Store = {
    ...store,
    readAll: async name => {
      const records = await store.readAll(name)
      if (!isRefreshed) {
        isRefreshed = true
        await vault.replace(before.key, before, { ...before.value, credential: new Secret('access-2') })
      }
      return records
    }
  }
  const deleted = await createVault({ store: racing, cipher: createCipher(keys), limits, connectionIdleMs, clock }).deleteConnections(owner)
  t.strictSame(
    deleted.map(({ credential }) => credential.reveal()),
    ['access-2']
  )
  t.equal((await store.readAll(owner)).size, 0)
})

/** What a user's connection is read by. */
const readers: ReadonlyArray<[name: string, read: (instance: Instance) => Promise<unknown>]> = [
  ['open', ({ vault }) => credentialOf(vault)],
  ['open by id', ({ vault }) => credentialOf(vault, 'one')],
  ['openAll', async ({ vault }) => (await accountsOf(vault))[0]],
  ['readConnection', ({ vault }) => vault.readConnection(keyOf(owner))],
  ['setDefault', ({ vault }) => vault.setDefault(owner, 'acme', 'one')]
]

for (const [name, read] of readers)
  t.test(`SEC-21: an unused connection ends at its idle limit (${name})`, async t => {
    const instance = openInstance(t)
    await connect(instance)
    instance.clock.advance(connectionIdleMs - 1)
    t.ok(await read(instance))
    instance.clock.advance(1)
    t.equal(await read(instance), undefined)
  })

/** Proxies a request of a user, as far as the vault is concerned. */
async function use({ vault }: Pick<Instance, 'vault'>) {
  const opened = await vault.open(ada, { provider: 'acme' })
  if (!opened?.connection) throw new Error('the connection has ended')
  await vault.touch(opened, opened.connection)
}

t.test('a connection that is used or made again does not end', async t => {
  const instance = openInstance(t)
  const { vault, clock } = instance
  await connect(instance)
  for (let i = 0; i < 3; i++) {
    clock.advance(connectionIdleMs - 1)
    await use(instance)
  }
  clock.advance(connectionIdleMs - 1)
  await connect(instance)
  clock.advance(connectionIdleMs - 1)
  t.equal(await credentialOf(vault), 'access-one')
  clock.advance(1)
  t.equal(await credentialOf(vault), undefined)
})

t.test('the records of an unused connection stay a day for revocation', async t => {
  const instance = openInstance(t)
  const { store, clock } = instance
  await connect(instance)
  clock.advance(connectionIdleMs + day - 1)
  t.ok((await store.readAll(owner)).has('connection:acme'))
  clock.advance(1)
  t.equal((await store.readAll(owner)).size, 0)
})

/** An instance where a connection ends after an hour without use, and a session as `limits` say. */
function openWithShortConnections(t: Test, limits: SessionLimits): Instance & { invitations: Invitations } {
  const instance = openInstance(t)
  const { store, clock } = instance
  const dependencies = { store, cipher: createCipher([newKey()]), limits, connectionIdleMs: hour, clock }
  return { ...instance, vault: createVault(dependencies), invitations: createInvitations(dependencies) }
}

t.test('a short idle limit of connections does not end sessions', async t => {
  const instance = openWithShortConnections(t, { idleMs: 30 * day, maxMs: 30 * day })
  const { vault, clock } = instance
  const session = await signIn(instance)
  await connect(instance)
  await use(instance)
  clock.advance(30 * day - 1)
  t.ok(await vault.openAll(session))
  t.strictSame(await accountsOf(vault, session), [])
})

t.test('a short idle limit of connections does not end invitations', async t => {
  const instance = openWithShortConnections(t, limits)
  const { clock, invitations } = instance
  const { token } = await invitations.create(owner, { provider: 'acme', name: 'Ada', user })
  await connect(instance)
  await use(instance)
  clock.advance(7 * day - 1)
  t.equal((await invitations.find(token)).owner, owner)
  clock.advance(1)
  await t.rejects(invitations.find(token), { code: 'invitation_invalid' })
})

t.test('a connection without a user ends with its session alone', async t => {
  const { vault, clock } = openWithShortConnections(t, limits)
  const session = await deliver(vault, await vault.connect('owner', undefined, accountWith('one')))
  clock.advance(limits.idleMs - 1)
  t.equal(await credentialOf(vault, undefined, session), 'access-one')
  t.strictSame(await accountsOf(vault, session), ['one'])
  t.ok(await vault.readConnection(keyOf()))
})

t.test('a bearer’s use of a connection is recorded once a minute at most', async t => {
  const instance = openInstance(t)
  const { vault, clock } = instance
  await connect(instance)
  const usedAtMs = async () => {
    await use(instance)
    return (await vault.openAll(ada))?.connections.get('acme')?.value.lastUsedAtMs
  }
  clock.advance(second)
  t.equal(await usedAtMs(), startMs + second)
  clock.advance(minute - 1)
  t.equal(await usedAtMs(), startMs + second)
  clock.advance(1)
  t.equal(await usedAtMs(), startMs + minute + second)
})

t.test('a bearer’s concurrent requests record the use once', async t => {
  const keys = [newKey()]
  const { vault, clock, store } = openInstance(t, { keys })
  await connect({ vault, clock })
  await credentialOf(vault)
  const opened = await Promise.all([1, 2, 3].map(() => vault.open(ada, { provider: 'acme' })))
  const writes = opened.map(one => one && vault.touch(one, one.connection))
  t.strictSame(
    writes.map(write => write !== undefined),
    [true, false, false]
  )
  await Promise.all(writes)
  t.strictSame([...(await store.readAll(owner)).keys()].sort(), ['connection:acme', 'default:acme', 'user'])
})

t.test('a bearer’s late use does not revive a deleted connection', async t => {
  const instance = openInstance(t)
  const { vault, store } = instance
  await connect(instance)
  const opened = await vault.open(ada, { provider: 'acme' })
  await vault.deleteConnections(owner)
  t.equal(opened && (await vault.touch(opened, opened.connection)), false)
  t.equal((await store.readAll(owner)).size, 0)
})
