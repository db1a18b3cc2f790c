import { type Connection, decodeConnection, encodeConnection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import type { Session } from '../session.ts'
import { memoizeByName } from '../util/memoize.ts'
import { type Cipher, headerBytes } from './cipher.ts'

/** Identifies one write of a record: its header, one byte a character. Many are cached, and a Buffer takes ten times the memory. */
export type Version = string

/** An opened record with the version that was read, for optimistic concurrency control when it is written back. */
export type Versioned<T> = { readonly value: T; readonly version: Version }

/** A sealed record, as `Change.put` takes it. */
export type Put = readonly [field: string, record: Buffer]

export const sessionPrefix = 'session:'
export const connectionPrefix = 'connection:'
export const invitationPrefix = 'invitation:'

export const sessionField = (id: string): string => sessionPrefix + id
// V8 stores a string's hash in the string. A newly concatenated field would be hashed again by each lookup in the record cache.
export const connectionField = memoizeByName(provider => connectionPrefix + provider)

/** The owner of all pending revocations: they outlive the users whose connections they were. It is no session's owner. */
export const pendingOwner = 'revocations'

/** All sealed records of an owner. */
export type Fields = Iterable<readonly [field: string, record: Buffer]>
export type FieldMap = ReadonlyMap<string, Buffer>

/** Seals and opens records, each bound to its owner and field. */
export function createRecords(cipher: Cipher) {
  // A record that is copied to another owner or field does not open there. The version is that of the encoding.
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
    /** @returns the record, sealed with the first key of the ring; `undefined` when no key opens it */
    reseal: (owner: string, field: string, record: Buffer): Put | undefined => {
      const plain = cipher.open(record, context(owner, field))
      return plain && seal(owner, field, plain)
    },
    /** Owner and id are not stored in the record: they are the context that it is sealed with. */
    sealSession: ({ owner, id, ...content }: Session): Put => seal(owner, sessionField(id), Buffer.from(JSON.stringify(content))),
    openSession,
    /** The sessions among an owner's records, expired ones included, and the number of those that do not open. */
    sessionsIn: (owner: string, records: Fields): { sessions: Array<Versioned<Session>>; unreadable: number } => {
      const opened = [...records]
        .filter(([field]) => field.startsWith(sessionPrefix))
        .map(([field, record]) => openSession(owner, field.slice(sessionPrefix.length), record))
      const sessions = opened.filter(session => session !== undefined)
      return { sessions, unreadable: opened.length - sessions.length }
    },
    sealConnection: ({ owner, provider }: ConnectionKey, connection: Connection): Put =>
      seal(owner, connectionField(provider), encodeConnection(connection)),
    openConnection,
    /** The connections among an owner's records by provider, without those that do not open. */
    connectionsIn: (owner: string, records: Fields): Map<string, Versioned<Connection>> => {
      const connections = new Map<string, Versioned<Connection>>()
      for (const [field, record] of records) {
        if (!field.startsWith(connectionPrefix)) continue
        const provider = field.slice(connectionPrefix.length)
        const connection = openConnection(new ConnectionKey(owner, provider), record)
        if (connection) connections.set(provider, connection)
      }
      return connections
    }
  }
}

export const versionOf = (record: Buffer): Version => record.toString('latin1', 0, headerBytes)

/** For `Change.expect`: the record is still the one that was read; `undefined`: there is still none. */
export const expectRecord = (field: string, record: Buffer | undefined): readonly [field: string, prefix: Buffer | undefined] => [
  field,
  record?.subarray(0, headerBytes)
]

/** For `Change.expect`: the record still has this version. */
export const expectVersion = (field: string, version: Version): readonly [field: string, prefix: Buffer] => [
  field,
  Buffer.from(version, 'latin1')
]
