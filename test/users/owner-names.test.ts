import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { User } from '../../src/core/users/user.ts'
import { createCipher } from '../../src/core/vault/cipher.ts'
import { createOwnerNames } from '../../src/core/vault/owner-names.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { TestClock } from '../support/gateway.ts'

async function openNames(t: Test, key = randomBytes(32)) {
  const clock = new TestClock()
  const store = await openStore({ redis: undefined, dataDir: t.testdir(), clock })
  t.teardown(() => store.close())
  const namesWith = (...keys: Buffer[]) => createOwnerNames({ store, cipher: createCipher(keys), clock })
  return { store, key, names: namesWith(key), namesWith }
}

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('', '"', '","', '\\', '\0', '["', 'ada', 'Ada', 'ada ', '\u00e9', 'e\u0301', '\ufeffada')
)
const user: fc.Arbitrary<User> = fc.record({ issuer: text, claim: text, id: text })

t.test('SEC-48: no two users have the same owner', async t => {
  const { names } = await openNames(t)
  const isSame = (a: User, b: User) => a.issuer === b.issuer && a.claim === b.claim && a.id === b.id
  await fc.assert(
    fc.asyncProperty(user, user, async (a, b) => ((await names.nameOf(a)) === (await names.nameOf(b))) === isSame(a, b)),
    { numRuns: 500, seed: 28 }
  )
})

t.test('SEC-48: parts that only together are the same text name different users', async t => {
  const { names } = await openNames(t)
  const users: User[] = [
    { issuer: 'https://a.example', claim: 'sub', id: 'x' },
    { issuer: 'https://a.example/sub', claim: '', id: 'x' },
    { issuer: 'https://a.examplesub', claim: '', id: 'x' },
    { issuer: 'https://a.example', claim: '', id: 'subx' },
    { issuer: 'https://a.example', claim: 'sub","x', id: '' },
    { issuer: '', claim: 'https://a.example', id: 'subx' }
  ]
  t.equal(new Set(await Promise.all(users.map(names.nameOf))).size, users.length)
})

t.test('SEC-48: case, blanks and Unicode forms make different users', async t => {
  const { names } = await openNames(t)
  const ids = ['ada', 'Ada', 'ADA', 'ada ', ' ada', 'zo\u00eb', 'zoe\u0308', '\ufeffada', 'a\u200bda', '\u0430da', '42', '042', '42.0']
  t.equal(new Set(await Promise.all(ids.map(id => names.nameOf({ issuer: 'i', claim: 'sub', id })))).size, ids.length)
})

t.test('SEC-48: a rotation of the keys changes no owner, and other keys none either', async t => {
  const { names, namesWith, key } = await openNames(t)
  const ada: User = { issuer: 'i', claim: 'sub', id: 'ada' }
  const owner = await names.nameOf(ada)
  const newer = randomBytes(32)
  t.equal(await namesWith(newer, key).nameOf(ada), owner)
  t.equal(await namesWith(newer).nameOf(ada), owner, 'the secret is sealed with the newest key')
  await t.rejects(async () => namesWith(randomBytes(32)).nameOf(ada), { code: 'store_unavailable' })
  t.equal(await namesWith(newer).nameOf(ada), owner, 'nothing was changed')
})
