import t from 'tap'
import { recordRetentionMs } from '../../../src/core/session.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault, type Vault } from '../../../src/core/vault/vault.ts'
import { connectionIdleMs, connectionWith, hour, keyOf, limits, minute, newKey, openInstance, sessionOf, startMs } from '../support.ts'
import { deliver, initech, openLive, providersIn, readConnection, signIn, umbrella, withCredential } from './support.ts'

t.test('SEC-21: a session and its connections end at the idle limit', async t => {
  const { vault, clock } = openInstance(t)
  const session = await signIn(vault)
  clock.advance(limits.idleMs - 1)
  t.ok(await vault.openAll(session))
  clock.advance(1)
  t.equal(await vault.openAll(session), undefined)
  t.equal(await vault.readConnection(keyOf()), undefined)
})

t.test('SEC-21: lowered limits apply to existing sessions', async t => {
  const keys = [newKey()]
  const { vault, store, clock } = openInstance(t, { keys })
  const session = await signIn(vault)
  const lowered = createVault({ store, cipher: createCipher(keys), limits: { idleMs: hour, maxMs: 2 * hour }, connectionIdleMs, clock })
  clock.advance(hour - 1)
  t.ok(await lowered.openAll(session))
  clock.advance(1)
  t.equal(await lowered.openAll(session), undefined)
  t.equal(await lowered.open(session, { provider: 'acme' }), undefined)
})

t.test('SEC-21: a session in use lives until its absolute limit', async t => {
  const { vault, clock } = openInstance(t)
  const ref = await signIn(vault)
  const endMs = startMs + limits.maxMs
  while (clock.now() + hour < endMs) {
    clock.advance(hour)
    const opened = await vault.openAll(ref)
    if (opened) await vault.touch(opened)
    else t.fail(`ended ${(endMs - clock.now()) / hour} hours too early`)
  }
  clock.advance(endMs - clock.now() - 1)
  const opened = await vault.openAll(ref)
  t.equal(opened?.session?.value.createdAtMs, startMs)
  if (opened) await vault.touch(opened, opened.connections.get('acme'))
  clock.advance(1)
  t.equal(await vault.openAll(ref), undefined)
})

t.test('SEC-21: expired records open no more, and stay a day for revocation', async t => {
  const { vault, clock, store } = openInstance(t)
  const session = await signIn(vault)
  const before = await readConnection(vault)
  clock.advance(limits.idleMs)
  for (const leftMs of [recordRetentionMs, 1]) {
    clock.advance(recordRetentionMs - leftMs)
    t.equal(await vault.openAll(session), undefined)
    t.equal(await vault.open(session, { provider: 'acme' }), undefined)
    t.equal(await vault.readConnection(keyOf()), undefined, 'not renewed either')
    t.equal(await vault.connectInvited('owner', umbrella, { field: 'connection:acme', version: before.version }), undefined)
    t.equal((await store.readAll('owner')).size, 3)
    clock.advance(leftMs === 1 ? 1 : 0)
  }
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('SEC-21: a write to a connection does not extend the session', async t => {
  const { vault, clock } = openInstance(t)
  const session = await signIn(vault)
  clock.advance(limits.idleMs - minute)
  await vault.replace(keyOf(), await readConnection(vault), withCredential('access-2'))
  clock.advance(minute)
  t.equal(await vault.openAll(session), undefined)
  t.equal(await vault.readConnection(keyOf()), undefined)
})

t.test('SEC-21: a rotation does not extend the absolute limit', async t => {
  const { vault, clock } = openInstance(t)
  let session = await signIn(vault)
  for (let i = 0; i < 4; i++) {
    clock.advance(6 * hour - 1)
    session = await deliver(vault, await vault.connect('owner', session, connectionWith()))
  }
  t.equal(session.createdAtMs, startMs)
  clock.advance(3)
  t.ok(await vault.openAll(session))
  clock.advance(1)
  t.equal(await vault.openAll(session), undefined)
})

t.test('SEC-21: use of a superseded id does not change when the records expire', async t => {
  const { vault, store, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(minute)
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  const opened = await vault.openAll(first)
  clock.advance(minute / 2)
  if (opened) t.equal(vault.touch(opened, opened.connections.get('acme')), undefined, 'it is not touched')
  await vault.connect('owner', first, initech)
  clock.advance(limits.idleMs - minute / 2 - 1)
  t.strictSame([...(await store.readAll('owner')).keys()].filter(field => field.startsWith('connection:')).length, 3)
  t.strictSame(await providersIn(vault, second), ['acme', 'initech', 'umbrella'])
})

for (const [what, end] of [
  ['a logout', ({ vault }: { vault: Vault }) => vault.deleteOwner('owner')],
  ['the idle limit', ({ clock }) => clock.advance(limits.idleMs)],
  ['the absolute limit', ({ clock }) => clock.advance(limits.maxMs + hour)]
] as ReadonlyArray<[string, (instance: ReturnType<typeof openInstance>) => unknown]>)
  t.test(`SEC-20: a late touch after ${what} revives nothing`, async t => {
    const instance = openInstance(t)
    const { vault, clock, store } = instance
    const ref = await signIn(vault)
    clock.advance(hour)
    const opened = await openLive(vault, ref)
    await end(instance)
    const records = await store.readAll('owner')
    await vault.touch(opened, opened.connections.get('acme'))
    t.equal(await vault.openAll(ref), undefined)
    t.strictSame(await store.readAll('owner'), records)
  })
