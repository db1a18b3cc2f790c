import { type Cipher, headerBytes } from './cipher.ts'
import { type Connection, decodeConnection, encodeConnection } from './connection.ts'

/** A record as it was read; `version` tells whether it is still the same when it is written back. */
export type Versioned<T> = { readonly value: T; readonly version: Buffer }

/** A field of an owner and its sealed bytes, as `Change.put` takes them. */
export type Put = readonly [field: string, record: Buffer]

export const sessionPrefix = 'session:'
export const connectionPrefix = 'connection:'
export const invitationPrefix = 'invitation:'

/** Seals and opens the records of owners, each for its place alone. */
export function createRecords(cipher: Cipher) {
  // Format, owner and name: a record that is copied to another place does not open there.
  const context = (owner: string, field: string) => `v1\0${owner}\0${field}`

  function open<T>(owner: string, field: string, record: Buffer | undefined, decode: (plain: Buffer) => T): Versioned<T> | undefined {
    const plain = record && cipher.open(record, context(owner, field))
    return plain && { value: decode(plain), version: versionOf(record) }
  }

  const seal = (owner: string, field: string, plain: Buffer): Put => [field, cipher.seal(plain, context(owner, field))]

  return {
    seal,
    open,
    /** The same under the newest key; `undefined` when none opens it. */
    reseal: (owner: string, field: string, record: Buffer): Put | undefined => {
      const plain = cipher.open(record, context(owner, field))
      return plain && seal(owner, field, plain)
    },
    sealConnection: (owner: string, connection: Connection): Put =>
      seal(owner, connectionPrefix + connection.provider, encodeConnection(connection)),
    openConnection: (owner: string, provider: string, record: Buffer | undefined) =>
      open(owner, connectionPrefix + provider, record, decodeConnection)
  }
}

/** A copy: the record itself need not be held for it. */
export const versionOf = (record: Buffer): Buffer => Buffer.from(record.subarray(0, headerBytes))
