import t, { type Test } from 'tap'
import { maxAccounts } from '../../../src/core/connections/errors.ts'
import { connectionWith, minute, newKey, openInstance, second, startMs } from '../support.ts'
import { accountsOf, accountWith, ada, browserWith, credentialOf, deliver, newFlow, signIn, umbrella } from './support.ts'

/** A user with these accounts at Acme, made one after another. The first is the default. */
async function openWithAccounts(t: Test, ...ids: string[]) {
  const instance = openInstance(t)
  for (const id of ids) {
    await instance.vault.connect(ada.owner, undefined, accountWith(id, { connectedAtMs: instance.clock.now() }), { account: 'add' })
    instance.clock.advance(second)
  }
  return instance
}

t.test('one more account is added beside the first, which stays the default', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two')
  t.strictSame(await accountsOf(vault), ['one', 'two'])
  t.equal(await credentialOf(vault), 'access-one')
  t.equal(await credentialOf(vault, 'one'), 'access-one')
  t.equal(await credentialOf(vault, 'two'), 'access-two')
  t.equal(await credentialOf(vault, 'three'), undefined)
})

t.test('an account of a browser without a user is added too', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault, 'owner', accountWith('one'))
  const second = await deliver(vault, await vault.connect('owner', first, accountWith('two'), { account: 'add' }))
  t.strictSame(await accountsOf(vault, second), ['one', 'two'])
  t.equal(await credentialOf(vault, 'two', second), 'access-two')
})

for (const account of ['add', undefined, 'one', 'unknown'])
  t.test(`the same account replaces its connection and keeps its id (account: ${account})`, async t => {
    const { vault } = await openWithAccounts(t, 'one', 'two')
    const again = accountWith('new', { accountId: 'two' })
    const result = await vault.connect(ada.owner, undefined, again, { account })
    t.match(result, { kind: 'joined', stored: { value: { id: 'two' } }, replaced: { id: 'two' } })
    t.strictSame(await accountsOf(vault), ['one', 'two'])
    t.equal(await credentialOf(vault, 'two'), 'access-new')
  })

t.test('another account than the one to connect again is kept beside it', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two')
  const result = await vault.connect(ada.owner, undefined, accountWith('three', { connectedAtMs: startMs + minute }), { account: 'two' })
  t.match(result, { kind: 'joined', stored: { value: { id: 'three' } }, replaced: undefined })
  t.strictSame(await accountsOf(vault), ['one', 'two', 'three'])
  t.equal(await credentialOf(vault, 'two'), 'access-two')
})

t.test('an account of unknown identity is taken for the one to connect again', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two')
  const { accountId: _, ...unknown } = accountWith('new')
  t.match(await vault.connect(ada.owner, undefined, unknown, { account: 'two' }), { stored: { value: { id: 'two' } } })
  t.strictSame(await accountsOf(vault), ['one', 'two'])
  t.equal(await credentialOf(vault, 'two'), 'access-new')
})

t.test('accounts of unknown identity are added', async t => {
  const { vault } = openInstance(t)
  for (const id of ['one', 'two']) {
    const { accountId: _, ...unknown } = accountWith(id)
    await vault.connect(ada.owner, undefined, unknown, { account: 'add' })
  }
  t.strictSame((await accountsOf(vault)).sort(), ['one', 'two'])
})

t.test('a connection that names no account replaces the default one', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two')
  await vault.setDefault(ada.owner, 'acme', 'two')
  const result = await vault.connect(ada.owner, undefined, accountWith('new'))
  t.match(result, { stored: { value: { id: 'two', accountId: 'new' } }, replaced: { id: 'two', accountId: 'two' } })
  t.strictSame(await accountsOf(vault), ['two', 'one'])
  t.equal(await credentialOf(vault), 'access-new')
})

t.test('a provider has ten accounts at most', async t => {
  const ids = Array.from({ length: maxAccounts }, (_, i) => `${i}`)
  const { vault, store } = await openWithAccounts(t, ...ids)
  t.equal(maxAccounts, 10)
  const before = await store.readAll(ada.owner)
  for (const account of ['add', 'unknown', '3'])
    t.strictSame(await vault.connect(ada.owner, undefined, accountWith('more'), { account }), { kind: 'full' }, account)
  t.strictSame(await store.readAll(ada.owner), before, 'nothing is stored')
  t.equal((await vault.connect(ada.owner, undefined, accountWith('new', { accountId: '3' }), { account: 'add' })).kind, 'joined')
  t.equal((await vault.connect(ada.owner, undefined, umbrella, { account: 'add' })).kind, 'joined', 'another provider')
  t.strictSame((await accountsOf(vault)).sort(), ids)
})

t.test('a full provider does not rotate the session', async t => {
  const { vault } = openInstance(t)
  let session = await signIn(vault, 'owner', accountWith('0'))
  for (let i = 1; i < maxAccounts; i++)
    session = await deliver(vault, await vault.connect('owner', session, accountWith(`${i}`), { account: 'add' }))
  t.strictSame(await vault.connect('owner', session, accountWith('more'), { account: 'add' }), { kind: 'full' })
  t.notOk((await vault.open(session))?.session?.value.superseded)
})

t.test('a change of the default account holds for the next request', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two')
  t.equal(await credentialOf(vault), 'access-one')
  for (const id of ['two', 'one', 'two']) {
    t.equal((await vault.setDefault(ada.owner, 'acme', id))?.value.id, id)
    t.equal((await accountsOf(vault))[0], id)
    for (let i = 0; i < 2; i++) t.equal(await credentialOf(vault), `access-${id}`)
  }
})

t.test('an unknown connection does not become the default', async t => {
  const { vault, store } = await openWithAccounts(t, 'one', 'two')
  const before = await store.readAll(ada.owner)
  t.equal(await vault.setDefault(ada.owner, 'acme', 'three'), undefined)
  t.equal(await vault.setDefault(ada.owner, 'umbrella', 'two'), undefined)
  t.strictSame(await store.readAll(ada.owner), before)
})

t.test('of three accounts the oldest other one follows a deleted default', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two', 'three')
  await vault.setDefault(ada.owner, 'acme', 'three')
  for (const [deleted, left] of [
    ['three', ['one', 'two']],
    ['one', ['two']],
    ['two', []]
  ] as const) {
    t.strictSame(
      (await vault.disconnect(ada.owner, 'acme', deleted))?.map(({ id }) => id),
      [deleted]
    )
    t.strictSame(await accountsOf(vault), left)
    t.equal(await credentialOf(vault), left[0] && `access-${left[0]}`)
  }
})

t.test('the default stays when another account is deleted or added', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two', 'three')
  await vault.setDefault(ada.owner, 'acme', 'three')
  await vault.disconnect(ada.owner, 'acme', 'one')
  t.strictSame(await accountsOf(vault), ['three', 'two'])
  await vault.connect(ada.owner, undefined, accountWith('four', { connectedAtMs: startMs + minute }), { account: 'add' })
  t.strictSame(await accountsOf(vault), ['three', 'two', 'four'])
  t.equal(await credentialOf(vault), 'access-three')
})

t.test('a disconnect without an id deletes all accounts of the provider', async t => {
  const { vault, store } = await openWithAccounts(t, 'one', 'two')
  await vault.connect(ada.owner, undefined, umbrella)
  await vault.setDefault(ada.owner, 'acme', 'two')
  t.strictSame((await vault.disconnect(ada.owner, 'acme'))?.map(({ id }) => id).sort(), ['one', 'two'])
  t.strictSame([...(await store.readAll(ada.owner)).keys()].sort(), ['connection:umbrella', 'default:umbrella'])
})

t.test('SEC-15: a disconnect by an unknown id deletes nothing', async t => {
  const { vault, store } = await openWithAccounts(t, 'one', 'two')
  const before = await store.readAll(ada.owner)
  t.equal(await vault.disconnect(ada.owner, 'acme', 'three'), undefined)
  t.equal(await vault.disconnect(ada.owner, 'umbrella', 'one'), undefined)
  t.strictSame(await store.readAll(ada.owner), before)
})

t.test('one more account does not overwrite a record that another key opens', async t => {
  const keys = [newKey()]
  const before = openInstance(t, { keys })
  await before.vault.connect(ada.owner, undefined, accountWith('one'))
  const record = (await before.store.readAll(ada.owner)).get('connection:acme')
  const { vault, store } = openInstance(t, { ...before, keys: [newKey()] })
  await vault.connect(ada.owner, undefined, accountWith('two'), { account: 'add' })
  t.strictSame((await store.readAll(ada.owner)).get('connection:acme'), record)
  t.strictSame(await accountsOf(vault), ['two'])
  t.equal(await credentialOf(vault, 'two'), 'access-two')
  t.equal(await credentialOf(before.vault, 'one'), 'access-one')
})

t.test('SEC-15: a disconnect from a provider deletes records that another key opens too', async t => {
  const before = openInstance(t)
  await before.vault.connect(ada.owner, undefined, accountWith('one'))
  const { vault, store } = openInstance(t, { ...before, keys: [newKey()] })
  await vault.connect(ada.owner, undefined, accountWith('two'), { account: 'add' })
  await vault.disconnect(ada.owner, 'acme', 'two')
  t.strictSame([...(await store.readAll(ada.owner)).keys()], ['connection:acme'], 'by id it does not')
  t.strictSame(await vault.disconnect(ada.owner, 'acme'), [])
  t.equal((await store.readAll(ada.owner)).size, 0)
})

t.test('accounts that are added at the same moment are all stored', async t => {
  const keys = [newKey()]
  const one = openInstance(t, { keys })
  const other = openInstance(t, { ...one, keys })
  const results = await Promise.all(
    ['one', 'two', 'three', 'four'].map((id, i) =>
      (i % 2 ? one : other).vault.connect(ada.owner, undefined, accountWith(id), { account: 'add' })
    )
  )
  for (const result of results) t.match(result, { kind: 'joined', replaced: undefined })
  t.strictSame((await accountsOf(one.vault)).sort(), ['four', 'one', 'three', 'two'])
})

t.test('SEC-19: a superseded id hides every account of the provider connected since', async t => {
  const { vault } = openInstance(t)
  const withUmbrella = await deliver(vault, await vault.connect('owner', await signIn(vault, 'owner', accountWith('one')), umbrella))
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  await vault.connect('owner', withUmbrella, accountWith('two'), { account: 'add', callback: callbackOf(flow), browser })
  t.strictSame(await accountsOf(vault, withUmbrella), [])
  for (const id of [undefined, 'one', 'two']) t.equal(await credentialOf(vault, id, withUmbrella), undefined, `${id}`)
  t.ok((await vault.open(withUmbrella, { provider: 'umbrella' }))?.connection, 'other providers stay')
  t.strictSame(await accountsOf(vault, withUmbrella, browser), ['one', 'two'])
  t.equal(await credentialOf(vault, 'two', withUmbrella, browser), 'access-two')
})

t.test('accounts are renewed and written apart', async t => {
  const { vault } = await openWithAccounts(t, 'one', 'two')
  const { connection } = (await vault.open(ada, { provider: 'acme', id: 'two' })) ?? {}
  if (!connection) return t.fail('not connected')
  t.ok(await vault.replace(connection.key, connection, connectionWith({ ...connection.value, status: 'reconnect_required' })))
  t.equal((await vault.readConnection(connection.key))?.value.status, 'reconnect_required')
  t.equal((await vault.open(ada, { provider: 'acme', id: 'one' }))?.connection?.value.status, 'connected')
})
