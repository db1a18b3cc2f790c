import t from 'tap'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { connectionIdleMs, connectionWith, hour, limits, newKey, openInstance, sessionOf, startMs } from '../support.ts'
import { browserWith, newFlow, providersIn, umbrella } from './support.ts'

t.test('SEC-6: concurrent first sign-ins of one browser share a session', async t => {
  const { vault } = openInstance(t)
  const [one, two] = [newFlow(), newFlow()]
  const { callbackOf } = browserWith(one, two)
  const session = sessionOf(await vault.connect('owner', undefined, connectionWith(), { callback: callbackOf(one) }))
  t.equal((await vault.connect('owner', undefined, umbrella, { callback: callbackOf(two) })).kind, 'joined')
  t.strictSame(await providersIn(vault, session), ['acme', 'umbrella'])
})

t.test('SEC-2, SEC-19: a first sign-in that may be another browser’s is not stored', async t => {
  const { vault, store } = openInstance(t)
  const [one, two, three] = [newFlow(), newFlow(), newFlow()]
  await vault.connect('owner', undefined, connectionWith(), { callback: browserWith(one, two).callbackOf(one) })
  const records = await store.readAll('owner')
  for (const [who, callback] of Object.entries({
    'copied before the session’s sign-in started': browserWith(two).callbackOf(two),
    'started after the session’s sign-in finished': browserWith(one, two, three).callbackOf(three)
  }))
    t.same(await vault.connect('owner', undefined, umbrella, { callback }), { kind: 'unproven' }, who)
  t.same(await store.readAll('owner'), records)
})

t.test('SEC-2, SEC-19: a request without the session’s cookie gets a new owner', async t => {
  const { vault } = openInstance(t)
  const [one, two, three] = [newFlow(), newFlow(), newFlow()]
  const first = sessionOf(await vault.connect('owner', undefined, connectionWith(), { callback: browserWith(one, two).callbackOf(one) }))
  for (const [what, callback] of Object.entries({
    'a sign-in that finishes when the cookie must have arrived': browserWith(one, three).callbackOf(three, startMs + 2_000),
    'a pasted key': undefined
  })) {
    const session = sessionOf(await vault.connect('owner', undefined, umbrella, { callback }))
    t.not(session.owner, 'owner', what)
    t.strictSame(await providersIn(vault, session), ['umbrella'], what)
  }
  t.strictSame(await providersIn(vault, first), ['acme'])
})

t.test('each new session has a new owner', async t => {
  const { vault } = openInstance(t)
  t.not((await vault.createSession()).owner, (await vault.createSession()).owner)
})

t.test('SEC-2: of concurrent first sign-ins at two instances one starts a session', async t => {
  const one = openInstance(t)
  const keys = [newKey()]
  const vaults = [1, 2].map(() => createVault({ store: one.store, cipher: createCipher(keys), limits, connectionIdleMs, clock: one.clock }))
  const other = openInstance(t, { ...one, keys })
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, i) => {
      const flow = newFlow()
      return [...vaults, other.vault][i % 3]?.connect('owner', undefined, connectionWith(), {
        callback: browserWith(flow).callbackOf(flow)
      })
    })
  )
  t.equal(results.filter(result => result?.kind === 'session').length, 1)
  t.equal(results.filter(result => result?.kind === 'unproven').length, 11)
})

t.test('an owner with records but no session is replaced by a new one', async t => {
  const { vault, store } = openInstance(t)
  await store.commit('owner', { put: [['invitation:x', Buffer.from('left')]], ttlMs: hour })
  const session = sessionOf(await vault.connect('owner', undefined, umbrella))
  t.not(session.owner, 'owner')
  t.strictSame(await providersIn(vault, session), ['umbrella'])
})
