import t, { type Test } from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import type { Store } from '../../../src/core/ports.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { connectionIdleMs, keyOf, limits, newKey, openInstance } from '../support.ts'
import { deliver, openAsText, providersIn, readConnection, signIn, umbrella, withCredential } from './support.ts'

t.test('SEC-20: ending a session deletes all records of its owner only', async t => {
  const { vault, store } = openInstance(t)
  const session = await signIn(vault)
  await signIn(vault, 'other')
  await vault.deleteOwner('owner')
  t.equal(await vault.openAll(session), undefined)
  t.equal(await vault.readConnection(keyOf()), undefined)
  t.equal((await store.readAll('owner')).size, 0)
  t.equal((await store.readAll('other')).size, 3)
})

t.test('SEC-20: a sign-in in an ended session stores nothing', async t => {
  const { vault, store } = openInstance(t)
  const session = await signIn(vault)
  await vault.deleteOwner('owner')
  t.same(await vault.connect('owner', session, umbrella), { kind: 'ended' })
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('SEC-20: a logout wins over a concurrent write', async t => {
  const { vault, store } = openInstance(t)
  await signIn(vault)
  const before = await readConnection(vault)
  const [deleted, written] = await Promise.all([vault.deleteOwner('owner'), vault.replace(keyOf(), before, withCredential('access-2'))])
  t.equal((await store.readAll('owner')).size, 0)
  // In either order, the newest credential is returned for revocation.
  t.strictSame(
    deleted.map(({ credential }) => credential.reveal()),
    [written ? 'access-2' : 'access-1']
  )
})

t.test('SEC-15: a disconnect deletes one connection', async t => {
  const { vault } = openInstance(t)
  const session = await deliver(vault, await vault.connect('owner', await signIn(vault), umbrella))
  await vault.disconnect('owner', 'acme')
  t.strictSame(await providersIn(vault, session), ['umbrella'])
})

t.test('SEC-15: a disconnect wins over a concurrent write', async t => {
  const { vault } = openInstance(t)
  await signIn(vault)
  const before = await readConnection(vault)
  await vault.disconnect('owner', 'acme')
  t.equal(await vault.replace(keyOf(), before, withCredential('access-2')), undefined)
  t.equal(await vault.readConnection(keyOf()), undefined)
})

t.test('a disconnect without a connection does nothing', async t => {
  const { vault } = openInstance(t)
  await signIn(vault)
  await vault.disconnect('owner', 'acme')
  t.strictSame(await vault.disconnect('owner', 'acme'), [])
  t.strictSame(await vault.disconnect('nobody', 'acme'), [])
})

/** A connection that is refreshed between the read and the deletion of a second vault on the same store. */
async function refreshDuringDeletion(t: Test) {
  const keys = [newKey()]
  const instance = openInstance(t, { keys })
  const { vault, store, clock } = instance
  const session = await signIn(vault)
  const before = await readConnection(vault)
  let isRefreshed = false
  const afterRefresh = async <T>(records: T): Promise<T> => {
    if (!isRefreshed) {
      isRefreshed = true
      t.ok(await vault.replace(keyOf(), before, withCredential('access-2', before.value)))
    }
    return records
  }
  const racing: Store = {
    ...store,
    read: async (...args) => afterRefresh(await store.read(...args)),
    readAll: async (...args) => afterRefresh(await store.readAll(...args))
  }
  return { ...instance, session, deleting: createVault({ store: racing, cipher: createCipher(keys), limits, connectionIdleMs, clock }) }
}

const credentialsOf = (connections: readonly Connection[] | undefined) => connections?.map(({ credential }) => credential.reveal())

t.test('SEC-15: a disconnect returns the connection as it was last stored', async t => {
  const { vault, deleting, session } = await refreshDuringDeletion(t)
  t.strictSame(credentialsOf(await deleting.disconnect('owner', 'acme')), ['access-2'])
  t.equal(await vault.readConnection(keyOf()), undefined)
  t.ok(await openAsText(vault, session))
})

t.test('SEC-15: a logout returns the connections as they were last stored', async t => {
  const { vault, deleting, session } = await refreshDuringDeletion(t)
  t.strictSame(credentialsOf(await deleting.deleteOwner('owner')), ['access-2'])
  t.equal(await vault.readConnection(keyOf()), undefined)
  t.notOk(await openAsText(vault, session))
})
