import { createCipheriv, createHash, createHmac } from 'node:crypto'
import t from 'tap'
import { createCipher, headerBytes } from '../../../src/core/vault/cipher.ts'
import { newKey } from '../support.ts'

const context = 'v1\0owner\0connection:acme'
const plain = Buffer.from('the token is canary-4711')

t.test('SEC-38: a sealed record of any size opens', async t => {
  const cipher = createCipher([newKey()])
  for (const bytes of [plain, Buffer.alloc(0), Buffer.of(0), Buffer.alloc(100_000, 7)])
    t.ok(cipher.open(cipher.seal(bytes, context), context)?.equals(bytes), `${bytes.length} bytes`)
})

t.test('SEC-38: a record is header, ciphertext and tag, without any plain text', async t => {
  const sealed = createCipher([newKey()]).seal(plain, context)
  t.equal(sealed.length, headerBytes + plain.length + 16)
  t.equal(sealed[0], 1, 'the format')
  t.notOk(sealed.includes('canary'))
  t.notOk(sealed.includes('4711'))
})

t.test('SEC-38: every seal has a new nonce and so a new header', async t => {
  const cipher = createCipher([newKey()])
  const sealed = Array.from({ length: 1000 }, () => cipher.seal(plain, context))
  t.equal(new Set(sealed.map(s => s.toString('hex', 0, headerBytes))).size, 1000)
  t.equal(new Set(sealed.map(s => s.toString('hex', headerBytes))).size, 1000)
})

t.test('SEC-38: a record with any flipped bit does not open', async t => {
  const cipher = createCipher([newKey()])
  const sealed = cipher.seal(plain, context)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed)
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
    if (cipher.open(altered, context) !== undefined) t.fail(`bit ${bit}`)
  }
  t.ok(cipher.open(sealed, context)?.equals(plain), 'unaltered')
})

t.test('SEC-38: a truncated, extended or foreign record does not open', async t => {
  const cipher = createCipher([newKey()])
  const sealed = cipher.seal(plain, context)
  for (let length = 0; length < sealed.length; length++)
    if (cipher.open(sealed.subarray(0, length), context) !== undefined) t.fail(`${length} bytes`)
  t.equal(cipher.open(Buffer.concat([sealed, Buffer.of(0)]), context), undefined)
  t.equal(cipher.open(Buffer.alloc(200), context), undefined)
})

t.test('SEC-38: a record opens only with its own context', async t => {
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

t.test('SEC-38: in a key rotation all keys open and the first seals', async t => {
  const [old, recent] = [newKey(), newKey()]
  const before = createCipher([old])
  const during = createCipher([recent, old])
  const after = createCipher([recent])
  const sealedBefore = before.seal(plain, context)
  t.ok(during.open(sealedBefore, context)?.equals(plain), 'the old key opens')
  const sealedDuring = during.seal(plain, context)
  t.ok(after.open(sealedDuring, context)?.equals(plain), 'the first key sealed')
  t.equal(before.open(sealedDuring, context), undefined)
  t.equal(after.open(sealedBefore, context), undefined, 'a record that was not resealed is lost with its key')
})

t.test('a ring without a key throws', async t => {
  t.throws(() => createCipher([]), { name: 'TypeError', message: 'a cipher needs at least one key' })
})

/** A record of format 1, sealed here independently: a change of the format, which would lose every record, fails a test. */
function sealFormat1(key: Buffer, { keyContext, aadContext }: { keyContext: string; aadContext: string }): Buffer {
  const keyId = createHash('sha256').update('grantkeeper key id\0').update(key).digest().subarray(0, 4)
  const nonce = Buffer.alloc(12, 9)
  const header = Buffer.concat([Buffer.of(1), keyId, nonce])
  const derived = createHmac('sha256', key).update('grantkeeper record\0').update(keyContext).digest()
  const gcm = createCipheriv('aes-256-gcm', derived, nonce).setAAD(Buffer.concat([header, Buffer.from(aadContext)]))
  return Buffer.concat([header, gcm.update(plain), gcm.final(), gcm.getAuthTag()])
}

t.test('SEC-38: the context is bound by the record’s key and by its associated data', async t => {
  const key = newKey()
  const cipher = createCipher([key])
  t.ok(cipher.open(sealFormat1(key, { keyContext: context, aadContext: context }), context)?.equals(plain))
  t.equal(cipher.open(sealFormat1(key, { keyContext: context, aadContext: 'other' }), context), undefined)
  t.equal(cipher.open(sealFormat1(key, { keyContext: 'other', aadContext: context }), context), undefined)
})
