import t from 'tap'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { connectionIdleMs, hour, limits, newKey, openInstance } from '../support.ts'
import { accountsOf, accountWith, ada, credentialOf } from './support.ts'

t.test('accounts that are added at the same moment are ten at most', async t => {
  const { vault } = openInstance(t)
  for (let i = 0; i < 9; i++) await vault.connect(ada.owner, undefined, accountWith(`${i}`), { account: 'add' })
  const results = await Promise.all(['a', 'b', 'c'].map(id => vault.connect(ada.owner, undefined, accountWith(id), { account: 'add' })))
  t.strictSame(results.map(({ kind }) => kind).sort(), ['full', 'full', 'joined'])
  t.equal((await accountsOf(vault)).length, 10)
})

t.test('the same account that is added twice at the same moment is one connection', async t => {
  const { vault } = openInstance(t)
  await vault.connect(ada.owner, undefined, accountWith('one'))
  const again = ['two', 'three'].map(id => accountWith(id, { accountId: 'same' }))
  await Promise.all(again.map(connection => vault.connect(ada.owner, undefined, connection, { account: 'add' })))
  t.equal((await accountsOf(vault)).length, 2)
})

t.test('a request uses the account that the list shows as the default when the chosen one has ended', async t => {
  const { vault, clock } = openInstance(t, { idleMs: 10 * hour })
  await vault.connect(ada.owner, undefined, accountWith('one', { connectedAtMs: clock.now() }), { account: 'add' })
  clock.advance(hour)
  await vault.connect(ada.owner, undefined, accountWith('two', { connectedAtMs: clock.now() }), { account: 'add' })
  clock.advance(9 * hour)
  t.strictSame(await accountsOf(vault), ['two'])
  t.equal(await credentialOf(vault), 'access-two')
})

t.test('a request uses the account that was added beside a record of another key', async t => {
  const before = openInstance(t)
  await before.vault.connect(ada.owner, undefined, accountWith('one'))
  const { vault } = openInstance(t, { ...before, keys: [newKey()] })
  await vault.connect(ada.owner, undefined, accountWith('two'), { account: 'add' })
  t.strictSame(await accountsOf(vault), ['two'])
  t.equal(await credentialOf(vault), 'access-two')
})

t.test('a change of the default succeeds although its use is recorded at the same moment', async t => {
  const keys = [newKey()]
  const { vault, store, clock } = openInstance(t, { keys })
  for (const id of ['one', 'two']) await vault.connect(ada.owner, undefined, accountWith(id), { account: 'add' })
  let isUsed = false
  const racing = {
    ...store,
    readAll: async (owner: string) => {
      const records = await store.readAll(owner)
      if (!isUsed) {
        isUsed = true
        const opened = await vault.open(ada, { provider: 'acme', id: 'two' })
        if (opened) t.equal(await vault.touch(opened, opened.connection), true)
      }
      return records
    }
  }
  const changing = createVault({ store: racing, cipher: createCipher(keys), limits, connectionIdleMs, clock })
  t.equal((await changing.setDefault(ada.owner, 'acme', 'two'))?.value.id, 'two')
})

t.test('the empty id names no connection', async t => {
  const { vault } = openInstance(t)
  await vault.connect(ada.owner, undefined, accountWith('one'))
  t.equal(await credentialOf(vault, ''), undefined)
})
