import t from 'tap'
import { headerBytes } from '../../../src/core/vault/cipher.ts'
import { connectionWith, keyOf, minute, openInstance, startMs } from '../support.ts'
import { openLive, readConnection, signIn, withCredential } from './support.ts'

t.test('a connection is replaced only in the version that was read', async t => {
  const { vault } = openInstance(t)
  await signIn(vault)
  const before = await readConnection(vault)
  const [one, two] = await Promise.all([
    vault.replace(keyOf(), before, withCredential('access-2')),
    vault.replace(keyOf(), before, withCredential('access-3'))
  ])
  t.equal(two, undefined)
  t.equal((await readConnection(vault)).value.credential.reveal(), 'access-2')
  t.equal((await readConnection(vault)).version, one?.version, 'the returned version is the stored one')
  t.ok(await vault.replace(keyOf(), await readConnection(vault), connectionWith()), 'the new version can be replaced')
  t.equal(await vault.replace(keyOf(), before, connectionWith()), undefined, 'equal content is not the same version')
})

t.test('the version of a record is its header', async t => {
  const { vault, store } = openInstance(t)
  await signIn(vault)
  const record = (await store.read('owner', ['connection:acme']))[0] as Buffer
  t.equal((await readConnection(vault)).version, record.toString('latin1', 0, headerBytes))
})

t.test('a touch records when a session was seen and used, once a minute', async t => {
  const { vault, clock } = openInstance(t)
  const ref = await signIn(vault)
  const touch = async () => {
    const opened = await openLive(vault, ref)
    await vault.touch(opened, opened.connections.get('acme'))
    const { session, connections } = await openLive(vault, ref)
    return { seenAtMs: session.value.lastSeenAtMs, usedAtMs: connections.get('acme')?.value.lastUsedAtMs }
  }
  clock.advance(1000)
  t.strictSame(await touch(), { seenAtMs: startMs + 1000, usedAtMs: startMs + 1000 })
  clock.advance(1000)
  t.strictSame(await touch(), { seenAtMs: startMs + 1000, usedAtMs: startMs + 1000 }, 'not within the minute')
  clock.advance(minute)
  t.strictSame(await touch(), { seenAtMs: startMs + minute + 2000, usedAtMs: startMs + minute + 2000 })
})
