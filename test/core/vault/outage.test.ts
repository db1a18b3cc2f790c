import t from 'tap'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { storeUnavailable } from '../../../src/stores/errors.ts'
import { connectionIdleMs, connectionWith, keyOf, limits, newKey, openInstance, sessionOf } from '../support.ts'
import { deliver, openLive, readConnection, signIn, umbrella } from './support.ts'

t.test('SEC-41: while the store is down nothing opens and nothing is written', async t => {
  const { vault, store } = openInstance(t)
  const session = await signIn(vault)
  const opened = await openLive(vault, session)
  const before = await readConnection(vault)
  await store.close()
  const down = { code: 'store_unavailable', status: 503 }
  await t.rejects(vault.openAll(session), down)
  await t.rejects(async () => vault.open(session, { provider: 'acme' }), down)
  await t.rejects(vault.readConnection(keyOf()), down)
  await t.rejects(vault.connect('owner', session, umbrella), down)
  await t.rejects(vault.replace(keyOf(), before, connectionWith()), down)
  await t.rejects(vault.disconnect('owner', 'acme'), down)
  await t.rejects(vault.deleteOwner('owner'), down)
  await t.rejects(async () => vault.touch(opened, before), down)
})

t.test('a failed write at delivery fails no request, and is not repeated by each', async t => {
  const keys = [newKey()]
  const { store, clock, vault } = openInstance(t, { keys })
  const first = await signIn(vault)
  let commits = 0
  const failing = createVault({
    store: {
      ...store,
      commit: () => {
        commits++
        return Promise.reject(storeUnavailable(new Error('down')))
      }
    },
    cipher: createCipher(keys),
    limits,
    connectionIdleMs,
    clock
  })
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  for (let i = 0; i < 3; i++) t.equal((await failing.open(second, { provider: 'acme' }))?.connection?.value.id, 'acme-1')
  t.equal(commits, 1)
  t.ok(await vault.openAll(first), 'not delivered yet')
  await deliver(vault, second)
  t.equal(await vault.openAll(first), undefined)
})
