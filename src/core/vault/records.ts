import { type Connection, decodeConnection, encodeConnection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import type { Session } from '../session.ts'
import type { User } from '../users/user.ts'
import { memoizeByName } from '../util/memoize.ts'
import { type Cipher, headerBytes } from './cipher.ts'
import { OwnedConnections, type StoredConnection } from './owned-connections.ts'

/** Identifies one write of a record: its header, one byte a character. Many are cached, and a Buffer takes ten times the memory. */
export type Version = string

/** An opened record with the version that was read, for optimistic concurrency control when it is written back. */
export type Versioned<T> = { readonly value: T; readonly version: Version }

/** A sealed record, as `Change.put` takes it. */
export type Put = readonly [field: string, record: Buffer]

export const sessionPrefix = 'session:'
export const connectionPrefix = 'connection:'
export const defaultPrefix = 'default:'
export const invitationPrefix = 'invitation:'
export const loginPrefix = 'login:'

export const sessionField = (id: string): string => sessionPrefix + id
/** How the user of a session has signed in, apart from the session, which is opened for every request. */
export const loginField = (sessionId: string): string => loginPrefix + sessionId
// V8 stores a string's hash in the string. A newly concatenated field would be hashed again by each lookup in the record cache.
const fieldOfConnection = memoizeByName(provider => connectionPrefix + provider)
/** Who a user owner is: the owner's name does not tell. */
export const userField = 'user'
/** The user to whom the connections of a browser are being moved. */
export const movedField = 'moved'
/** The slot of the provider's default account. Without this record it is the first slot. */
export const defaultField = memoizeByName(provider => defaultPrefix + provider)

// Slots are not memoized: there is no end of them.
export const connectionField = ({ provider, slot, name }: ConnectionKey): string =>
  slot === '' ? fieldOfConnection(provider) : connectionPrefix + name

/** The key that `connectionField` has made the field of. */
export function keyOfField(owner: string, field: string): ConnectionKey {
  const name = field.slice(connectionPrefix.length)
  const at = name.indexOf('@')
  return at === -1 ? new ConnectionKey(owner, name) : new ConnectionKey(owner, name.slice(0, at), name.slice(at + 1))
}

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

  function openConnection(key: ConnectionKey, record: Buffer | undefined): StoredConnection | undefined {
    const opened = open(key.owner, connectionField(key), record, decodeConnection)
    return opened && { ...opened, key }
  }

  const openSession = (owner: string, id: string, record: Buffer | undefined) =>
    open(owner, sessionField(id), record, plain => ({ ...JSON.parse(plain.toString()), owner, id }) as Session)

  const openDefault = (owner: string, provider: string, record: Buffer | undefined) =>
    open(owner, defaultField(provider), record, plain => plain.toString())

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
    sealConnection: (key: ConnectionKey, connection: Connection): Put =>
      seal(key.owner, connectionField(key), encodeConnection(connection)),
    openConnection,
    sealDefault: (owner: string, provider: string, slot: string): Put => seal(owner, defaultField(provider), Buffer.from(slot)),
    openDefault,
    /** A way to sign in that tells no name does not erase the one that another way has told. */
    sealUser: (owner: string, fields: FieldMap, user: User): Put => {
      const before = open(owner, userField, fields.get(userField), plain => JSON.parse(plain.toString()) as User)?.value
      return seal(owner, userField, Buffer.from(JSON.stringify({ ...before, ...user })))
    },
    openUser: (owner: string, record: Buffer | undefined) => open(owner, userField, record, plain => JSON.parse(plain.toString()) as User),
    /** The connections among an owner's records, without those that do not open. */
    connectionsIn: (owner: string, records: Fields): OwnedConnections => {
      const connections: StoredConnection[] = []
      const defaultSlots = new Map<string, string>()
      for (const [field, record] of records) {
        if (field.startsWith(connectionPrefix)) {
          const connection = openConnection(keyOfField(owner, field), record)
          if (connection) connections.push(connection)
        } else if (field.startsWith(defaultPrefix)) {
          const provider = field.slice(defaultPrefix.length)
          const slot = openDefault(owner, provider, record)
          if (slot) defaultSlots.set(provider, slot.value)
        }
      }
      return new OwnedConnections(connections, defaultSlots)
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
