import { type Connection, decodeConnection, encodeConnection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import type { Session } from '../session.ts'
import { memoizeByName } from '../util/memoize.ts'
import { type Cipher, headerBytes } from './cipher.ts'

/** What tells one write of a record from another: its first bytes, a character each. Many are held, and a Buffer takes ten times as much. */
export type Version = string

/** A record as it was read; `version` tells whether it is still the same when it is written back. */
export type Versioned<T> = { readonly value: T; readonly version: Version }

/** A field of an owner and its sealed bytes, as `Change.put` takes them. */
export type Put = readonly [field: string, record: Buffer]

export const sessionPrefix = 'session:'
export const connectionPrefix = 'connection:'
export const invitationPrefix = 'invitation:'

export const sessionField = (id: string): string => sessionPrefix + id
// A field that is put together anew is hashed anew at each look for what is held by it, so those of a busy session are kept.
export const connectionField = memoizeByName(provider => connectionPrefix + provider)

/** Whose records the pending revocations are: nobody's, since the owner they were of may be gone. No session has such an owner. */
export const pendingOwner = 'revocations'

export type Fields = Iterable<readonly [field: string, record: Buffer]>

/** Seals and opens the records of owners, each for its place alone. */
export function createRecords(cipher: Cipher) {
  // Format, owner and name: a record that is copied to another place does not open there.
  const context = (owner: string, field: string) => `v1\0${owner}\0${field}`

  function open<T>(owner: string, field: string, record: Buffer | undefined, decode: (plain: Buffer) => T): Versioned<T> | undefined {
    const plain = record && cipher.open(record, context(owner, field))
    return plain && { value: decode(plain), version: versionOf(record) }
  }

  const seal = (owner: string, field: string, plain: Buffer): Put => [field, cipher.seal(plain, context(owner, field))]

  const openConnection = ({ owner, provider }: ConnectionKey, record: Buffer | undefined) =>
    open(owner, connectionField(provider), record, decodeConnection)

  const openSession = (owner: string, id: string, record: Buffer | undefined) =>
    open(owner, sessionField(id), record, plain => ({ ...JSON.parse(plain.toString()), owner, id }) as Session)

  return {
    seal,
    open,
    /** The same under the newest key; `undefined` when none opens it. */
    reseal: (owner: string, field: string, record: Buffer): Put | undefined => {
      const plain = cipher.open(record, context(owner, field))
      return plain && seal(owner, field, plain)
    },
    /** Owner and id are its place, and not in it. */
    sealSession: ({ owner, id, ...kept }: Session): Put => seal(owner, sessionField(id), Buffer.from(JSON.stringify(kept))),
    openSession,
    /** Those that open, of all that an owner has, whether they live or not; and how many do not open. */
    sessionsIn: (owner: string, records: Fields): { sessions: Array<Versioned<Session>>; unreadable: number } => {
      const found = [...records]
        .filter(([field]) => field.startsWith(sessionPrefix))
        .map(([field, record]) => openSession(owner, field.slice(sessionPrefix.length), record))
      const sessions = found.filter(session => session !== undefined)
      return { sessions, unreadable: found.length - sessions.length }
    },
    sealConnection: ({ owner, provider }: ConnectionKey, connection: Connection): Put =>
      seal(owner, connectionField(provider), encodeConnection(connection)),
    openConnection,
    /** Those that open, of all that an owner has, by provider. */
    connectionsIn: (owner: string, records: Fields): Map<string, Versioned<Connection>> => {
      const connections = new Map<string, Versioned<Connection>>()
      for (const [field, record] of records) {
        const name = field.startsWith(connectionPrefix) ? field.slice(connectionPrefix.length) : undefined
        const connection = name === undefined ? undefined : openConnection(new ConnectionKey(owner, name), record)
        if (name !== undefined && connection) connections.set(name, connection)
      }
      return connections
    }
  }
}

export const versionOf = (record: Buffer): Version => record.toString('latin1', 0, headerBytes)

/** That a field still holds what was read from it, or still nothing, as `Change.expect` takes it. */
export const expectRecord = (field: string, record: Buffer | undefined): readonly [field: string, prefix: Buffer | undefined] => [
  field,
  record?.subarray(0, headerBytes)
]

/** That a record is still the one that was read, as `Change.expect` takes it. */
export const expectVersion = (field: string, version: Version): readonly [field: string, prefix: Buffer] => [
  field,
  Buffer.from(version, 'latin1')
]
