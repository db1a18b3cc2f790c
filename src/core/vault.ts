import { type Acceptance, createAcceptance } from './acceptance.ts'
import type { Cipher } from './cipher.ts'
import type { Connection } from './connection.ts'
import { createErasure, type Erasure } from './erasure.ts'
import { createMemory, type MemoryLimits, memoryLimits } from './memory.ts'
import type { Change, Clock, Store } from './ports.ts'
import {
  connectionField,
  connectionPrefix,
  createRecords,
  sessionField,
  sessionFieldOf,
  sessionPrefix,
  unchanged,
  type Versioned,
  versionOf
} from './records.ts'
import {
  type Arrival,
  afterlifeMs,
  endsAtMs,
  isLive,
  isOfSameBrowser,
  newId,
  newSession,
  type Session,
  type SessionLimits,
  type Ticket,
  touched,
  turned
} from './session.ts'

export type Held = { session: Versioned<Session>; connections: Map<string, Versioned<Connection>> }

/** The sealed records of sessions and connections: read together, written only over what was read, erased at once. */
export type Vault = Erasure &
  Acceptance & {
    /**
     * The session and the connections to `providers`, in one round trip, or in none while they are held in memory and known to be
     * true: then it is no promise. `undefined` when the session has ended.
     */
    open(ticket: Ticket, providers: readonly string[]): Held | undefined | Promise<Held | undefined>
    /** The session and all its connections as the store has them now. */
    openAll(ticket: Ticket): Promise<Held | undefined>
    /** As the store has it now; `undefined` also when no session of its owner lives any more. */
    readConnection(owner: string, provider: string): Promise<Versioned<Connection> | undefined>
    /**
     * Keeps a new connection and turns the session's id.
     * @param presented the session that the browser showed; `undefined` for its first.
     * @returns the session to hand out, whose owner is a new one where the given has a session that somebody else may hold; `joined`
     * when another sign-in of the same browser began or turned it in the meantime, and the browser has or will get that one; `ended`
     * when the session was ended in the meantime, with nothing kept.
     */
    connect(owner: string, presented: Session | undefined, connection: Connection, arrival?: Arrival): Promise<Session | 'joined' | 'ended'>
    /** A session of a new owner, without any connection. */
    begin(): Promise<Session>
    /** Writes over exactly what was read. `undefined`, with nothing written, when that has changed or is gone. */
    replace(owner: string, before: Versioned<Connection>, after: Connection): Promise<Versioned<Connection> | undefined>
    /** Notes that the session was seen and used, if the last note is old. Never extends the absolute limit, never revives. */
    touch(session: Versioned<Session>, provider?: string): Promise<unknown> | undefined
  }

/** Every record begins with no bytes: an expectation that it exists, in whatever version. */
const anyVersion = Buffer.alloc(0)

type VaultParts = { store: Store; cipher: Cipher; limits: SessionLimits; clock: Clock; memory?: MemoryLimits }

export function createVault({ store, cipher, limits, clock, memory: held = memoryLimits }: VaultParts): Vault {
  const memory = createMemory<Versioned<Session | Connection>>(store.watch, clock, held)

  /** Sessions whose note is being or has been written: the calls of a busy session, or of an outage, need not each try. */
  const noted = new WeakSet<Versioned<Session>>()

  const records = createRecords(cipher)
  const { sealSession, openSession, sealConnection, openConnection, connectionsIn } = records

  const live = (session: Versioned<Session> | undefined) => (session && isLive(session.value, limits, clock.now()) ? session : undefined)

  /** Whoever reads here after us reads what we wrote, though the word on the change may still be on its way. */
  async function commit(owner: string, change: Change): Promise<boolean> {
    const committed = await store.commit(owner, change)
    memory.forget(owner)
    return committed
  }

  function putSession(session: Session): Required<Pick<Change, 'put' | 'ttlMs'>> {
    return { put: [sealSession(session)], ttlMs: endsAtMs(session, limits) + afterlifeMs - clock.now() }
  }

  async function load(owner: string, fields: readonly string[]): Promise<Array<Versioned<Session | Connection> | undefined>> {
    const records = await store.read(owner, fields)
    return fields.map((field, i) =>
      field.startsWith(sessionPrefix)
        ? openSession(owner, field.slice(sessionPrefix.length), records[i])
        : openConnection(owner, field.slice(connectionPrefix.length), records[i])
    )
  }

  /** @param values a session's, and then those of the connections to `providers` */
  function heldIn(providers: readonly string[], values: ReadonlyArray<Versioned<Session | Connection> | undefined>): Held | undefined {
    const session = live(values[0] as Versioned<Session> | undefined)
    if (!session) return undefined
    const connections: Held['connections'] = new Map()
    providers.forEach((name, i) => {
      const connection = values[i + 1] as Versioned<Connection> | undefined
      if (connection) connections.set(name, connection)
    })
    return { session, connections }
  }

  async function liveSession(owner: string): Promise<Session | undefined> {
    for (const [field, record] of await store.readAll(owner)) {
      if (!field.startsWith(sessionPrefix)) continue
      const session = live(openSession(owner, field.slice(sessionPrefix.length), record))
      if (session) return session.value
    }
    return undefined
  }

  return {
    open(ticket, providers) {
      const fields = [sessionFieldOf(ticket)]
      for (const name of providers) fields.push(connectionField(name))
      const read = memory.read(ticket.owner, fields, load)
      return read instanceof Promise ? read.then(values => heldIn(providers, values)) : heldIn(providers, read)
    },

    async openAll({ owner, id }) {
      const records = await store.readAll(owner)
      const session = live(openSession(owner, id, records.get(sessionField(id))))
      if (!session) return undefined
      return { session, connections: connectionsIn(owner, records) }
    },

    async readConnection(owner, provider) {
      const fields = await store.readAll(owner)
      const isHeld = records.sessionsIn(owner, fields).sessions.some(live)
      return isHeld ? openConnection(owner, provider, fields.get(connectionField(provider))) : undefined
    },

    async connect(owner, presented, connection, arrival) {
      const nowMs = clock.now()
      const kept = sealConnection(owner, connection)
      if (presented) {
        const successor = turned(presented, nowMs)
        const { put, ttlMs } = putSession(successor)
        const turn = {
          expect: [[sessionField(presented.id), anyVersion]],
          put: [...put, kept],
          erase: [sessionField(presented.id)],
          ttlMs
        } as const
        if (await commit(owner, turn)) return successor
      }
      // Two tabs that finish together: the second joins the session that the first has just begun or turned.
      const other = await liveSession(owner)
      if (other && (presented || (arrival && isOfSameBrowser(other, arrival)))) {
        const joined = await commit(owner, { expect: [[sessionField(other.id), anyVersion]], put: [kept] })
        return joined ? 'joined' : 'ended'
      }
      if (presented) return 'ended'
      const session = newSession(other ? newId() : owner, nowMs, arrival?.shown)
      const { put, ttlMs } = putSession(session)
      await commit(session.owner, { put: [...put, sealConnection(session.owner, connection)], ttlMs })
      return session
    },

    async begin() {
      const session = newSession(newId(), clock.now())
      await commit(session.owner, putSession(session))
      return session
    },

    async replace(owner, before, after) {
      const put = sealConnection(owner, after)
      const [field, record] = put
      const written = await commit(owner, { expect: [unchanged(field, before.version)], put: [put] })
      return written ? { value: after, version: versionOf(record) } : undefined
    },

    ...createAcceptance({ store, records, limits, clock, commit }),
    ...createErasure({ store, records, commit, forget: memory.forget }),

    touch(session, provider) {
      const { value, version } = session
      // What has ended is not revived by who saw it live a moment before.
      const next = noted.has(session) || !live(session) ? undefined : touched(value, limits, clock.now(), provider)
      if (!next) return undefined
      noted.add(session)
      return commit(value.owner, { expect: [unchanged(sessionField(value.id), version)], ...putSession(next) })
    }
  }
}
