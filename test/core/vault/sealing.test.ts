import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Secret } from '../../../src/core/secret.ts'
import { connectionWith, hour, keyOf, newKey, openInstance, revealSecrets, sessionOf } from '../support.ts'
import { deliver, openAsText, openLive, readConnection, signIn, umbrella, withCredential } from './support.ts'

t.test('SEC-38: a record that is copied to another owner does not open', async t => {
  const { vault, store } = openInstance(t)
  const session = await signIn(vault)
  const thief = await signIn(vault, 'thief', umbrella)
  const records = await store.readAll('owner')
  await store.commit('thief', { put: [...records] })
  t.equal(await vault.readConnection(keyOf('thief')), undefined, 'the connection')
  t.strictSame((await openAsText(vault, thief))?.connections, [['umbrella', revealSecrets(umbrella)]])
  t.equal(await vault.openAll({ owner: 'thief', id: session.id }), undefined, 'the session')
})

t.test('SEC-38: a record that is copied to another field does not open', async t => {
  const { vault, store } = openInstance(t)
  const session = await deliver(vault, await vault.connect('owner', await signIn(vault), umbrella))
  const records = await store.readAll('owner')
  const acme = records.get('connection:acme') as Buffer
  const sessionRecord = records.get(`session:${session.id}`) as Buffer
  await store.commit('owner', {
    put: [
      ['connection:umbrella', acme],
      ['session:x', sessionRecord],
      ['session:y', acme]
    ]
  })
  t.equal(await vault.readConnection(keyOf('owner', 'umbrella')), undefined, 'another provider')
  t.equal(await vault.openAll({ owner: 'owner', id: 'x' }), undefined, 'another session id')
  t.equal(await vault.openAll({ owner: 'owner', id: 'y' }), undefined, 'a connection as a session')
  t.strictSame((await openAsText(vault, session))?.connections, [['acme', revealSecrets(connectionWith())]], 'the originals open')
})

t.test('SEC-38: records of a removed key are treated as absent', async t => {
  const [old, recent] = [newKey(), newKey()]
  const before = openInstance(t, { keys: [old] })
  const session = await signIn(before.vault)
  const after = openInstance(t, { ...before, keys: [recent] })
  t.equal(await after.vault.openAll(session), undefined)
  t.equal(await after.vault.open(session, { provider: 'acme' }), undefined)
  t.equal(await after.vault.readConnection(keyOf()), undefined)
})

t.test('SEC-38: during a key rotation older records open and are resealed when written', async t => {
  const [old, recent] = [newKey(), newKey()]
  const before = openInstance(t, { keys: [old] })
  const session = await signIn(before.vault)
  const during = openInstance(t, { ...before, keys: [recent, old] })
  t.strictSame(await openAsText(during.vault, session), { session, connections: [['acme', revealSecrets(connectionWith())]] })
  await during.vault.replace(keyOf(), await readConnection(during.vault), withCredential('access-2'))
  during.clock.advance(hour)
  await during.vault.touch(await openLive(during.vault, session))
  const after = openInstance(t, { ...before, keys: [recent] })
  t.strictSame((await openAsText(after.vault, session))?.connections, [['acme', revealSecrets(withCredential('access-2'))]])
})

t.test('SEC-38: the files of the store contain no secret, stored or deleted', async t => {
  const { vault, directory, store } = openInstance(t)
  const secret = connectionWith({
    credential: new Secret('canary-access-4711'),
    refreshToken: new Secret('canary-refresh-0815'),
    account: 'canary-account'
  })
  const session = sessionOf(await vault.connect('owner', await signIn(vault, 'owner', secret), { ...secret, provider: 'umbrella' }))
  await vault.replace(keyOf(), await readConnection(vault), withCredential('canary-access-2', secret))
  await vault.disconnect('owner', 'umbrella')
  const files = readdirSync(directory)
  t.ok(
    files.some(name => name.endsWith('-wal')),
    'the write-ahead log is among them'
  )
  for (const name of files) {
    const bytes = readFileSync(join(directory, name))
    for (const text of [
      'canary',
      '4711',
      '0815',
      Buffer.from('canary').toString('base64').slice(0, 7),
      Buffer.from('canary').toString('hex')
    ])
      t.notOk(bytes.includes(text), `${name} contains no ${text}`)
    if (name === 'grantkeeper.sqlite-wal') t.ok(bytes.includes(session.owner), 'it does contain the owner of these records')
  }
  await store.close()
  for (const name of readdirSync(directory)) t.notOk(readFileSync(join(directory, name)).includes('canary'), `${name}, closed`)
})
