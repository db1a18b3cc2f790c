import fc from 'fast-check'
import { ConnectionKey } from '../../../src/core/connections/connection-key.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { connectionPrefix, createRecords, sessionPrefix } from '../../../src/core/vault/records.ts'
import { connectionWith, newKey, revealSecrets } from '../../core/support.ts'
import { must, property } from '../property.ts'
import { alteration } from './alteration.ts'

const [key, olderKey] = [newKey(), newKey()]
const cipher = createCipher([key, olderKey])

const plaintext = fc.uint8Array({ maxLength: 200 }).map(list => Buffer.from(list))
const context = fc.string({ unit: 'binary', maxLength: 40 })

property(
  'SEC-38: sealed bytes open only with their key and context',
  200,
  fc.tuple(plaintext, context, context),
  ([plain, context, other]) => {
    const sealed = cipher.seal(plain, context)
    must(cipher.open(sealed, context)?.equals(plain) === true, 'it does not open')
    // UTF-8 encodes all lone surrogates alike.
    must(Buffer.from(other).equals(Buffer.from(context)) || cipher.open(sealed, other) === undefined, 'it opens in another context')
    must(createCipher([newKey(), olderKey]).open(sealed, context) === undefined, 'it opens with another key')
    return true
  }
)

property('SEC-38: altered sealed bytes do not open', 500, fc.tuple(plaintext, context, alteration), ([plain, context, altered]) => {
  const sealed = cipher.seal(plain, context)
  const other = altered(sealed)
  if (other.equals(sealed)) return false
  must(cipher.open(other, context) === undefined, 'it opens')
  return true
})

const records = createRecords(cipher)
const connection = connectionWith()
const id = fc.base64String({ minLength: 4, maxLength: 8 })
const provider = fc.constantFrom('acme', 'acme2', 'road-runner', 'ac', 'me')
const place = fc.tuple(
  id,
  fc.oneof(
    provider.map(name => connectionPrefix + name),
    id.map(session => sessionPrefix + session)
  )
)

property(
  'SEC-38: a record opens only for its owner and field',
  300,
  fc.tuple(place, place),
  ([[owner, field], [otherOwner, otherField]]) => {
    const [, sealed] = records.seal(owner, field, Buffer.from('{}'))
    const decode = (plain: Buffer) => plain.toString()
    must(records.open(owner, field, sealed, decode)?.value === '{}', 'it does not open in its place')
    for (const [o, f] of [
      [otherOwner, otherField],
      [owner, otherField],
      [otherOwner, field]
    ] as const)
      must((o === owner && f === field) || records.open(o, f, sealed, decode) === undefined, `it opens for ${o} as ${f}`)
    return true
  }
)

property(
  'SEC-38: a sealed connection opens unchanged, and never from an altered record',
  200,
  fc.tuple(id, alteration),
  ([owner, altered]) => {
    const key = new ConnectionKey(owner, connection.provider)
    const [, sealed] = records.sealConnection(key, connection)
    const opened = records.openConnection(key, sealed)?.value
    must(
      opened !== undefined && JSON.stringify(revealSecrets(opened)) === JSON.stringify(revealSecrets(connection)),
      'it came back changed'
    )
    must(!sealed.includes(connection.credential.reveal()), 'it contains the credential')
    const other = altered(sealed)
    if (other.equals(sealed)) return false
    must(records.openConnection(key, other) === undefined, 'it opens')
    return true
  }
)
