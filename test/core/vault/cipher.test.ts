import { createCipheriv, createHash, createHmac } from 'node:crypto'
import t from 'tap'
import { createCipher, headerBytes } from '../../../src/core/vault/cipher.ts'
import { newKey } from '../support.ts'

const context = 'v1\0owner\0connection:acme'
const plain = Buffer.from('the token is canary-4711')

t.test('SEC-38: what is sealed opens, whatever its size', async t => {
  const cipher = createCipher([newKey()])
  for (const bytes of [plain, Buffer.alloc(0), Buffer.of(0), Buffer.alloc(100_000, 7)])
    t.ok(cipher.open(cipher.seal(bytes, context), context)?.equals(bytes), `${bytes.length} bytes`)
})

t.test('SEC-38: a record is its header, the ciphertext and a tag, and shows nothing of the plain bytes', async t => {
  const sealed = createCipher([newKey()]).seal(plain, context)
  t.equal(sealed.length, headerBytes + plain.length + 16)
  t.equal(sealed[0], 1, 'it begins with the format')
  t.notOk(sealed.includes('canary'))
  t.notOk(sealed.includes('4711'))
})

t.test('SEC-38: every seal draws a new nonce, and so a new header', async t => {
  const cipher = createCipher([newKey()])
  const sealed = Array.from({ length: 1000 }, () => cipher.seal(plain, context))
  t.equal(new Set(sealed.map(s => s.toString('hex', 0, headerBytes))).size, 1000)
  t.equal(new Set(sealed.map(s => s.toString('hex', headerBytes))).size, 1000)
})

t.test('SEC-38: a record with any one bit turned does not open', async t => {
  const cipher = createCipher([newKey()])
  const sealed = cipher.seal(plain, context)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed)
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
    if (cipher.open(altered, context) !== undefined) t.fail(`bit ${bit}`)
  }
  t.ok(cipher.open(sealed, context)?.equals(plain), 'unaltered it does')
})

t.test('SEC-38: a record that is cut, grown or not one at all does not open', async t => {
  const cipher = createCipher([newKey()])
  const sealed = cipher.seal(plain, context)
  for (let length = 0; length < sealed.length; length++)
    if (cipher.open(sealed.subarray(0, length), context) !== undefined) t.fail(`${length} bytes`)
  t.equal(cipher.open(Buffer.concat([sealed, Buffer.of(0)]), context), undefined)
  t.equal(cipher.open(Buffer.alloc(200), context), undefined)
})

t.test('SEC-38: a record opens under its own context only', async t => {
  const cipher = createCipher([newKey()])
  const sealed = cipher.seal(plain, context)
  for (const other of [
    '',
    'v1\0other\0connection:acme',
    'v1\0owner\0connection:umbrella',
    'v2\0owner\0connection:acme',
    `${context}\0`,
    context.slice(1)
  ])
    t.equal(cipher.open(sealed, other), undefined, JSON.stringify(other))
})

t.test('SEC-38: a record of another key does not open', async t => {
  const sealed = createCipher([newKey()]).seal(plain, context)
  t.equal(createCipher([newKey()]).open(sealed, context), undefined)
  t.equal(createCipher([newKey(), newKey()]).open(sealed, context), undefined)
})

t.test('SEC-38: in a rotation every listed key opens and the first seals', async t => {
  const [old, recent] = [newKey(), newKey()]
  const before = createCipher([old])
  const during = createCipher([recent, old])
  const after = createCipher([recent])
  const sealedBefore = before.seal(plain, context)
  t.ok(during.open(sealedBefore, context)?.equals(plain), 'the old one opens')
  const sealedDuring = during.seal(plain, context)
  t.ok(after.open(sealedDuring, context)?.equals(plain), 'the first one sealed')
  t.equal(before.open(sealedDuring, context), undefined)
  t.equal(after.open(sealedBefore, context), undefined, 'what nobody sealed anew is lost with its key')
})

t.test('a ring without a key is a slip of the program', async t => {
  t.throws(() => createCipher([]), { name: 'TypeError', message: 'a cipher needs at least one key' })
})

/** A record of format 1 made by hand, so that a change of the format, which would lose every record, is seen. */
function madeByHand(key: Buffer, { derivedFor, authenticated }: { derivedFor: string; authenticated: string }): Buffer {
  const keyId = createHash('sha256').update('grantkeeper key id\0').update(key).digest().subarray(0, 4)
  const nonce = Buffer.alloc(12, 9)
  const header = Buffer.concat([Buffer.of(1), keyId, nonce])
  const derived = createHmac('sha256', key).update('grantkeeper record\0').update(derivedFor).digest()
  const gcm = createCipheriv('aes-256-gcm', derived, nonce).setAAD(Buffer.concat([header, Buffer.from(authenticated)]))
  return Buffer.concat([header, gcm.update(plain), gcm.final(), gcm.getAuthTag()])
}

t.test('SEC-38: the context is bound twice, in the key of the record and in what is authenticated', async t => {
  const key = newKey()
  const cipher = createCipher([key])
  t.ok(cipher.open(madeByHand(key, { derivedFor: context, authenticated: context }), context)?.equals(plain))
  t.equal(cipher.open(madeByHand(key, { derivedFor: context, authenticated: 'other' }), context), undefined)
  t.equal(cipher.open(madeByHand(key, { derivedFor: 'other', authenticated: context }), context), undefined)
})
