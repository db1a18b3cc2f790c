import t from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { connectionIdleMs, connectionWith, limits, newKey, openInstance, revealSecrets, startMs } from '../support.ts'
import { deliver, openAsText, openOneAsText, signIn, umbrella } from './support.ts'

t.test('a session and its connections open as they were stored', async t => {
  const { vault } = openInstance(t)
  const session = await signIn(vault)
  t.strictSame(session, { owner: 'owner', id: session.id, createdAtMs: startMs, lastSeenAtMs: startMs })
  t.strictSame(await openAsText(vault, session), { session, connections: [['acme', revealSecrets(connectionWith())]] })
})

t.test('a session and its connections are read in one round trip', async t => {
  const { store, clock } = openInstance(t)
  const calls: string[] = []
  const counting = new Proxy(store, {
    get: (target, name: keyof Store) => {
      const member = target[name]
      return typeof member === 'function'
        ? (...args: never[]) => {
            calls.push(name)
            return (member as (...args: never[]) => unknown)(...args)
          }
        : member
    }
  })
  const vault = createVault({ store: counting, cipher: createCipher([newKey()]), limits, connectionIdleMs, clock })
  const session = await deliver(vault, await vault.connect('owner', await signIn(vault), umbrella))
  calls.length = 0
  t.strictSame((await openOneAsText(vault, session, { provider: 'umbrella' }))?.connection, revealSecrets(umbrella))
  t.strictSame(calls, ['read'])
  calls.length = 0
  t.strictSame((await openAsText(vault, session))?.connections.map(([name]) => name).sort(), ['acme', 'umbrella'])
  t.strictSame(calls, ['readAll'])
})

t.test('an unknown owner, another owner or a wrong id opens nothing', async t => {
  const { vault } = openInstance(t)
  const session = await signIn(vault)
  await signIn(vault, 'other')
  for (const ref of [
    { owner: 'nobody', id: session.id },
    { owner: 'other', id: session.id },
    { owner: 'owner', id: `${session.id}x` },
    { owner: 'owner', id: '' }
  ])
    for (const opened of [await vault.openAll(ref), await vault.open(ref, { provider: 'acme' }), await vault.open(ref)])
      t.equal(opened, undefined, ref.owner)
})

t.test('what can be no id of a connection is not looked for', async t => {
  const { store, clock } = openInstance(t)
  const fields: string[] = []
  const recording = new Proxy(store, {
    get: (target, name: keyof Store) =>
      name !== 'read'
        ? target[name]
        : (owner: string, names: readonly string[]) => {
            fields.push(...names)
            return target.read(owner, names)
          }
  })
  const vault = createVault({ store: recording, cipher: createCipher([newKey()]), limits, connectionIdleMs, clock })
  for (const id of ['x'.repeat(65), 'a b', '', '__proto__\0', 'connection:acme'])
    t.equal(
      (await vault.open({ owner: 'u.x', user: { issuer: '', claim: 'sub', id: 'x' } }, { provider: 'acme', id }))?.connection,
      undefined
    )
  t.same([...new Set(fields)], ['connection:acme'])
})
