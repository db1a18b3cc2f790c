import { createHash, createHmac } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import { isUserOwner } from '../../../src/core/users/owner.ts'
import type { User } from '../../../src/core/users/user.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createOwnerNames, ownerNamesOwner } from '../../../src/core/vault/owner-names.ts'
import { resealAll } from '../../../src/core/vault/reseal.ts'
import { dumpOf } from '../../support/store-dump.ts'
import { connectionWith, type Instance, minute, newKey, openInstance } from '../support.ts'

const ada: User = { issuer: 'https://id.example', claim: 'sub', id: 'ada-canary@example.com', name: 'Ada Canary' }

/** An instance of a gateway with its own store object. Those with the same directory and clock share the records. */
function open(t: Test, options: { from?: Instance; keys: readonly Buffer[]; methods?: Partial<Store> }) {
  const { from, keys, methods } = options
  const instance = openInstance(t, { keys, ...(from && { directory: from.directory, clock: from.clock }) })
  const names = createOwnerNames({ store: { ...instance.store, ...methods }, cipher: createCipher(keys), clock: instance.clock })
  return { ...instance, names, keys }
}

const secretRecord = async (store: Store) => (await store.readAll(ownerNamesOwner)).get('secret')

/** Until the owner of the secret has changed, as the store's change feed reports it. */
const changed = (store: Store) => store.changes.waitForChange(ownerNamesOwner, 5_000)

t.test('SEC-48: a user has the same owner at each look and after a restart', async t => {
  const keys = [newKey()]
  const one = open(t, { keys })
  const owner = await one.names.nameOf(ada)
  t.match(owner, /^u\.[\w-]{43}$/)
  t.ok(isUserOwner(owner))
  t.equal(one.names.nameOf(ada), owner, 'synchronously once the secret is known')
  t.equal(await open(t, { from: one, keys }).names.nameOf(ada), owner)
})

t.test('SEC-48: no two users share an owner', async t => {
  const { names } = open(t, { keys: [newKey()] })
  const users: Array<Omit<User, 'name'>> = [
    ada,
    { ...ada, claim: 'email' },
    { ...ada, issuer: '' },
    { ...ada, issuer: 'https://id.example/' },
    { ...ada, issuer: 'https://id.examplesub', claim: '' },
    { ...ada, issuer: 'https://id.example","sub', claim: 'x' },
    ...['Ada', 'ada', ' ada', 'ada ', 'a\u0308', '\u00e4', '["ada"]', 'ada","x', '', '\u200bada'].map(id => ({ ...ada, id }))
  ]
  const owners = new Set(await Promise.all(users.map(user => names.nameOf(user))))
  t.equal(owners.size, users.length)
})

t.test('the name for people is no part of who a user is', async t => {
  const { names } = open(t, { keys: [newKey()] })
  const { name: _, ...unnamed } = ada
  t.equal(await names.nameOf(ada), await names.nameOf(unnamed))
  t.equal(await names.nameOf({ ...ada, name: 'Countess' }), await names.nameOf(unnamed))
})

t.test('SEC-48: a rotation of TOKEN_KEYS and a reseal change no owner', async t => {
  const [oldest, newest] = [newKey(), newKey()]
  const before = open(t, { keys: [oldest] })
  const owner = await before.names.nameOf(ada)
  const rotating = open(t, { from: before, keys: [newest, oldest] })
  t.equal(await rotating.names.nameOf(ada), owner)
  await resealAll(rotating.store, createCipher([newest, oldest]))
  t.equal(await open(t, { from: before, keys: [newest] }).names.nameOf(ada), owner)
})

t.test('SEC-48: a start seals the secret with the newest key', async t => {
  const [oldest, newest] = [newKey(), newKey()]
  const before = open(t, { keys: [oldest] })
  const owner = await before.names.nameOf(ada)
  await open(t, { from: before, keys: [newest, oldest] }).names.nameOf(ada)
  t.equal(await open(t, { from: before, keys: [newest] }).names.nameOf(ada), owner, 'without a reseal')
})

t.test('instances that start at the same moment agree', async t => {
  const keys = [newKey()]
  const first = open(t, { keys })
  const instances = [first, open(t, { from: first, keys }), open(t, { from: first, keys })]
  // All of them find no secret before any of them stores one.
  const waiting: Array<() => void> = []
  const together: Store['read'] = async (...args) => {
    const records = await first.store.read(...args)
    if (waiting.length < instances.length)
      await new Promise<void>(resolve => {
        waiting.push(resolve)
        if (waiting.length === instances.length) for (const go of waiting) go()
      })
    return records
  }
  const owners = await Promise.all(
    instances.map(({ store, clock }) =>
      createOwnerNames({ store: { ...store, read: together }, cipher: createCipher(keys), clock }).nameOf(ada)
    )
  )
  t.equal(waiting.length, 3)
  t.equal(new Set(owners).size, 1)
  t.equal(await open(t, { from: first, keys }).names.nameOf(ada), owners[0])
})

t.test('an emptied store gets the secret back, so that users keep their owners', async t => {
  const keys = [newKey()]
  const one = open(t, { keys })
  const owner = await one.names.nameOf(ada)
  await one.store.deleteOwner(ownerNamesOwner)
  one.clock.advance(minute)
  t.equal(one.names.nameOf(ada), owner)
  t.equal(await secretRecord(one.store), undefined, 'looked at once a minute')
  one.clock.advance(1)
  const stored = changed(one.store)
  t.equal(one.names.nameOf(ada), owner, 'nobody waits')
  await stored
  t.equal(await open(t, { from: one, keys }).names.nameOf(ada), owner)
})

t.test('an instance adopts the secret that another has put into an emptied store', async t => {
  const keys = [newKey()]
  const one = open(t, { keys })
  await one.names.nameOf(ada)
  await one.store.deleteOwner(ownerNamesOwner)
  const other = await open(t, { from: one, keys }).names.nameOf(ada)
  one.clock.advance(minute + 1)
  const stored = changed(one.store)
  one.names.nameOf(ada)
  await stored
  // The look has ended when the next one gives the stored secret's name.
  for (let i = 0; i < 1000 && (await one.names.nameOf(ada)) !== other; i++) await new Promise(setImmediate)
  t.equal(await one.names.nameOf(ada), other)
})

t.test('SEC-38: without the key the store is unavailable, and nothing is changed', async t => {
  const keys = [newKey()]
  const before = open(t, { keys })
  const owner = await before.names.nameOf(ada)
  const record = await secretRecord(before.store)
  const other = open(t, { from: before, keys: [newKey()] })
  for (let i = 0; i < 2; i++) {
    const failure = await Promise.resolve(other.names.nameOf(ada)).catch((error: Error & { status: number; cause: Error }) => error)
    t.match(failure, { code: 'store_unavailable', status: 503, cause: { message: /TOKEN_KEYS lacks the key/ } })
    t.notMatch(String((failure as Error).message), /canary/)
  }
  t.strictSame(await secretRecord(before.store), record)
  t.equal(await open(t, { from: before, keys }).names.nameOf(ada), owner)
})

t.test('a known secret outlives an outage, and a first look is tried again', async t => {
  let isDown = false
  const keys = [newKey()]
  const one = open(t, { keys })
  const flaky = (store: Store): Partial<Store> => ({
    read: async (...args) => {
      if (isDown) throw Object.assign(new Error('down'), { code: 'store_unavailable' })
      return store.read(...args)
    }
  })
  const { names, clock } = open(t, { from: one, keys, methods: flaky(one.store) })
  isDown = true
  await t.rejects(Promise.resolve(names.nameOf(ada)), { message: 'down' })
  isDown = false
  const owner = await names.nameOf(ada)
  isDown = true
  clock.advance(2 * minute)
  t.equal(names.nameOf(ada), owner)
  await new Promise(setImmediate)
  t.equal(names.nameOf(ada), owner)
})

t.test('requests at the same moment read the secret once', async t => {
  const keys = [newKey()]
  const one = open(t, { keys })
  await one.names.nameOf(ada)
  let reads = 0
  const { names } = open(t, {
    from: one,
    keys,
    methods: {
      read: async (...args) => {
        reads++
        return one.store.read(...args)
      }
    }
  })
  const owners = await Promise.all(Array.from({ length: 50 }, (_, i) => names.nameOf({ ...ada, id: `${i % 5}` })))
  t.equal(new Set(owners).size, 5)
  t.ok(reads <= 2, `${reads} reads`)
})

t.test('two stores give one user different owners', async t => {
  const keys = [newKey()]
  const directory = t.testdir({ one: {}, other: {} })
  const names = ['one', 'other'].map(name => {
    const { store, clock } = openInstance(t, { keys, directory: join(directory, name) })
    return createOwnerNames({ store, cipher: createCipher(keys), clock }).nameOf(ada)
  })
  const [one, other] = await Promise.all(names)
  t.not(one, other)
})

/** What somebody computes who has a dump and tries all addresses. */
function guesses({ issuer, claim, id }: User): Buffer[] {
  const texts = [id, JSON.stringify([issuer, claim, id]), `${issuer}${id}`, `${issuer}\0${id}`, `${issuer}|${id}`, `${claim}:${id}`]
  const prefixes = ['', 'grantkeeper owner\0', 'u.']
  return texts.flatMap(text =>
    prefixes.flatMap(prefix => [
      ...['sha256', 'sha1', 'md5', 'sha512'].map(algorithm => createHash(algorithm).update(prefix).update(text).digest()),
      createHmac('sha256', '').update(prefix).update(text).digest(),
      createHmac('sha256', issuer).update(prefix).update(text).digest()
    ])
  )
}

t.test('SEC-48: a dump of the store names no user, not even to who tries all', async t => {
  const keys = [newKey()]
  const instance = open(t, { keys })
  const { vault, names, directory, store } = instance
  const owner = await names.nameOf(ada)
  await vault.connect(owner, undefined, connectionWith(), { user: ada })
  await vault.signIn(owner, ada, { login: { sid: 'sid-canary', idToken: new Secret('id-token-canary') } })
  t.ok((await store.readAll(owner)).has('user'))
  const dump = dumpOf(directory)
  t.ok(dump.includes(owner), 'the dump has the records')
  const texts = [ada.id, ada.issuer, 'canary', 'Canary', 'example.com']
  for (const text of texts)
    for (const form of [text, Buffer.from(text).toString('base64url'), Buffer.from(text).toString('hex')])
      t.notOk(dump.includes(form), `${text} as ${form}`)
  for (const digest of guesses(ada))
    for (const encoding of ['latin1', 'hex', 'base64url', 'base64'] as const) {
      const form = digest.toString(encoding).replace(/=+$/, '')
      if (dump.includes(form)) t.fail(`the dump holds ${form}`)
    }
})
