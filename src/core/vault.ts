import { type Cipher, headerBytes } from './cipher.ts'
import { type Connection, decodeConnection, encodeConnection } from './connection.ts'
import type { Change, Clock, Store } from './ports.ts'
import { endsAtMs, isLive, newSession, type Session, type SessionLimits, type Ticket, touched, turned } from './session.ts'

/** A record as it was read; `version` tells whether it is still the same when it is written back. */
export type Versioned<T> = { readonly value: T; readonly version: Buffer }

export type Held = { session: Versioned<Session>; connections: Map<string, Versioned<Connection>> }

/** The sealed records of sessions and connections: read together, written only over what was read, erased at once. */
export type Vault = {
  /** The session and the connections to `providers` (all, when left out), in one round trip. `undefined` when the session has ended. */
  open(ticket: Ticket, providers?: readonly string[]): Promise<Held | undefined>
  readConnection(owner: string, provider: string): Promise<Versioned<Connection> | undefined>
  /**
   * Keeps a new connection and turns the session's id.
   * @param presented the session that the browser showed; `undefined` for its first.
   * @returns the session to hand out; `joined` when another sign-in of the same owner turned it in the meantime, and the
   * browser has or will get that one; `ended` when the session was ended in the meantime, with nothing kept.
   */
  connect(owner: string, presented: Session | undefined, connection: Connection): Promise<Session | 'joined' | 'ended'>
  /** Writes over exactly what was read. `undefined`, with nothing written, when that has changed or is gone. */
  replace(owner: string, before: Versioned<Connection>, after: Connection): Promise<Versioned<Connection> | undefined>
  disconnect(owner: string, provider: string): Promise<void>
  /** The session, every connection in it, every copy of its cookie. */
  end(owner: string): Promise<void>
  /** Notes that the session was seen and used, if the last note is old. Never extends the absolute limit, never revives. */
  touch(session: Versioned<Session>, provider?: string): Promise<void>
}

const sessionField = (id: string) => `session:${id}`
const connectionField = (provider: string) => `connection:${provider}`
const connectionPrefix = connectionField('')
const sessionPrefix = sessionField('')
/** Every record begins with no bytes: an expectation that it exists, in whatever version. */
const anyVersion = Buffer.alloc(0)

export function createVault(store: Store, cipher: Cipher, limits: SessionLimits, clock: Clock): Vault {
  // Format, owner and name: a record that is copied to another place does not open there.
  const context = (owner: string, field: string) => `v1\0${owner}\0${field}`
  const seal = (owner: string, field: string, plain: Buffer) => cipher.seal(plain, context(owner, field))

  function unseal<T>(owner: string, field: string, record: Buffer | undefined, decode: (plain: Buffer) => T): Versioned<T> | undefined {
    const plain = record && cipher.open(record, context(owner, field))
    return plain && { value: decode(plain), version: record.subarray(0, headerBytes) }
  }

  const unsealConnection = (owner: string, provider: string, record: Buffer | undefined) =>
    unseal(owner, connectionField(provider), record, decodeConnection)

  function unsealSession(owner: string, id: string, record: Buffer | undefined): Versioned<Session> | undefined {
    const session = unseal(owner, sessionField(id), record, plain => ({ ...JSON.parse(plain.toString()), owner, id }) as Session)
    return session && isLive(session.value, limits, clock.now()) ? session : undefined
  }

  function putSession(session: Session): Required<Pick<Change, 'put' | 'ttlMs'>> {
    const { owner, id, ...kept } = session
    const record = seal(owner, sessionField(id), Buffer.from(JSON.stringify(kept)))
    return { put: [[sessionField(id), record]], ttlMs: endsAtMs(session, limits) - clock.now() }
  }

  const putConnection = (owner: string, connection: Connection): readonly [string, Buffer] => {
    const field = connectionField(connection.provider)
    return [field, seal(owner, field, encodeConnection(connection))]
  }

  async function liveSession(owner: string): Promise<Session | undefined> {
    for (const [field, record] of await store.readAll(owner)) {
      if (!field.startsWith(sessionPrefix)) continue
      const session = unsealSession(owner, field.slice(sessionPrefix.length), record)
      if (session) return session.value
    }
    return undefined
  }

  return {
    async open({ owner, id }, providers) {
      if (!providers) {
        const records = await store.readAll(owner)
        const session = unsealSession(owner, id, records.get(sessionField(id)))
        if (!session) return undefined
        const names = [...records.keys()].filter(f => f.startsWith(connectionPrefix)).map(f => f.slice(connectionPrefix.length))
        return { session, connections: collect(owner, names, name => records.get(connectionField(name))) }
      }
      const [first, ...rest] = await store.read(owner, [sessionField(id), ...providers.map(connectionField)])
      const session = unsealSession(owner, id, first)
      return session && { session, connections: collect(owner, providers, (_, i) => rest[i]) }
    },

    async readConnection(owner, provider) {
      const [record] = await store.read(owner, [connectionField(provider)])
      return unsealConnection(owner, provider, record)
    },

    async connect(owner, presented, connection) {
      const nowMs = clock.now()
      const kept = putConnection(owner, connection)
      const successor = presented ? turned(presented, nowMs) : newSession(owner, nowMs)
      const { put, ttlMs } = putSession(successor)
      if (presented) {
        const turn = {
          expect: [[sessionField(presented.id), anyVersion]],
          put: [...put, kept],
          erase: [sessionField(presented.id)],
          ttlMs
        } as const
        if (await store.commit(owner, turn)) return successor
      }
      // Two tabs that finish together: the second joins the session that the first has just begun or turned.
      const other = await liveSession(owner)
      if (other) {
        const joined = await store.commit(owner, { expect: [[sessionField(other.id), anyVersion]], put: [kept] })
        return joined ? 'joined' : 'ended'
      }
      if (presented) return 'ended'
      await store.commit(owner, { put: [...put, kept], ttlMs })
      return successor
    },

    async replace(owner, before, after) {
      const [field, record] = putConnection(owner, after)
      const written = await store.commit(owner, { expect: [[field, before.version]], put: [[field, record]] })
      return written ? { value: after, version: record.subarray(0, headerBytes) } : undefined
    },

    async disconnect(owner, provider) {
      await store.commit(owner, { erase: [connectionField(provider)] })
    },

    async end(owner) {
      await store.erase(owner)
    },

    async touch({ value, version }, provider) {
      const next = touched(value, limits, clock.now(), provider)
      if (next) await store.commit(value.owner, { expect: [[sessionField(value.id), version]], ...putSession(next) })
    }
  }

  function collect(owner: string, names: readonly string[], recordOf: (name: string, index: number) => Buffer | undefined) {
    const connections: Held['connections'] = new Map()
    for (const [i, name] of names.entries()) {
      const connection = unsealConnection(owner, name, recordOf(name, i))
      if (connection) connections.set(name, connection)
    }
    return connections
  }
}
