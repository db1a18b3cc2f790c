import type { Connection } from '../connections/connection.ts'
import { hasCode } from '../errors.ts'
import type { Change, Clock, Store } from '../ports.ts'
import {
  expiresAtMs,
  isAwaitingResponse,
  isLive,
  newId,
  newSession,
  type PresentedFlows,
  recordRetentionMs,
  type Session,
  type SessionLimits,
  type SessionRef,
  type Superseded,
  touchSession
} from '../session.ts'
import { createInvitationAcceptance, type InvitationAcceptance } from './accept-invitation.ts'
import type { Cipher } from './cipher.ts'
import { createDeletion, type Deletion } from './deletion.ts'
import { createRecordCache, defaultRecordCacheLimits, type RecordCacheLimits } from './record-cache.ts'
import {
  connectionField,
  connectionPrefix,
  createRecords,
  expectVersion,
  sessionField,
  sessionFieldOf,
  sessionPrefix,
  type Versioned,
  versionOf
} from './records.ts'
import { createSessionDelivery, type SessionDelivery } from './session-delivery.ts'
import { createSessionRotation, type SessionRotation } from './session-rotation.ts'

export type OpenedSession = { session: Versioned<Session>; connections: Map<string, Versioned<Connection>> }

/** The sealed records of sessions and connections: read together, written only over what was read, erased at once. */
export type Vault = Deletion &
  InvitationAcceptance &
  SessionRotation &
  Omit<SessionDelivery, 'confirmDelivery'> & {
    /**
     * The session and the connections to `providers`, in one round trip, or in none while they are held in memory and known to be
     * true: then it is no promise. `undefined` when the session has ended. Its cookie counts as shown.
     * @param browser who shows it, for a session whose id has turned: it may see what was connected since.
     */
    open(
      ticket: SessionRef,
      providers: readonly string[],
      browser?: PresentedFlows
    ): OpenedSession | undefined | Promise<OpenedSession | undefined>
    /** The session and all its connections as the store has them now. Its cookie counts as shown. */
    openAll(ticket: SessionRef, browser?: PresentedFlows): Promise<OpenedSession | undefined>
    /** As the store has it now; `undefined` also when no session of its owner lives any more. */
    readConnection(owner: string, provider: string): Promise<Versioned<Connection> | undefined>
    /** A session of a new owner, without any connection. */
    createSession(): Promise<Session>
    /** Writes over exactly what was read. `undefined`, with nothing written, when that has changed or is gone. */
    replace(owner: string, before: Versioned<Connection>, after: Connection): Promise<Versioned<Connection> | undefined>
    /** Notes that the session was seen and used, if the last note is old. Never extends the absolute limit, never revives. */
    touch(session: Versioned<Session>, provider?: string): Promise<unknown> | undefined
  }

type VaultParts = { store: Store; cipher: Cipher; limits: SessionLimits; clock: Clock; memory?: RecordCacheLimits }

export function createVault({ store, cipher, limits, clock, memory: held = defaultRecordCacheLimits }: VaultParts): Vault {
  const memory = createRecordCache<Versioned<Session | Connection>>(store.changes, clock, held)

  /** Sessions whose note is being or has been written: the calls of a busy session, or of an outage, need not each try. */
  const noted = new WeakSet<Versioned<Session>>()

  const records = createRecords(cipher)
  const { sealSession, openSession, sealConnection, openConnection, connectionsIn } = records

  const live = (session: Versioned<Session> | undefined) => (session && isLive(session.value, limits, clock.now()) ? session : undefined)

  /** Whoever reads here after us reads what we wrote, though the word on the change may still be on its way. */
  async function commit(owner: string, change: Change): Promise<boolean> {
    const committed = await store.commit(owner, change)
    memory.evict(owner)
    return committed
  }

  function putSession(session: Session): Required<Pick<Change, 'put' | 'ttlMs'>> {
    return { put: [sealSession(session)], ttlMs: expiresAtMs(session, limits) + recordRetentionMs - clock.now() }
  }

  async function load(owner: string, fields: readonly string[]): Promise<Array<Versioned<Session | Connection> | undefined>> {
    const records = await store.read(owner, fields)
    return fields.map((field, i) =>
      field.startsWith(sessionPrefix)
        ? openSession(owner, field.slice(sessionPrefix.length), records[i])
        : openConnection(owner, field.slice(connectionPrefix.length), records[i])
    )
  }

  const { confirmDelivery, ...given } = createSessionDelivery({ store, records, limits, clock, commit })

  /** @param values a session's, and then those of the connections to `providers` */
  function heldIn(
    providers: readonly string[],
    values: ReadonlyArray<Versioned<Session | Connection> | undefined>,
    browser: PresentedFlows | undefined
  ): OpenedSession | undefined | Promise<OpenedSession | undefined> {
    const session = live(values[0] as Versioned<Session> | undefined)
    if (!session) return undefined
    const connections: OpenedSession['connections'] = new Map()
    providers.forEach((name, i) => {
      const connection = values[i + 1] as Versioned<Connection> | undefined
      if (connection) connections.set(name, connection)
    })
    const { undelivered, superseded } = session.value
    if (superseded && !serves(superseded, connections, browser)) return undefined
    return undelivered ? shown(session, connections) : { session, connections }
  }

  /**
   * Whoever had a copy of the cookie before the sign-in that turned it sees nothing of what was connected since: not the connections of
   * the person who signed in there, and not the new one of a provider that had another. The browser that waits for the new one sees all.
   * @returns whether it is good at all
   */
  function serves(
    { flow, hiddenProviders, isConfirmed }: Superseded,
    connections: Map<string, unknown>,
    browser: PresentedFlows | undefined
  ): boolean {
    if (isAwaitingResponse(flow, browser)) return true
    for (const name of hiddenProviders) connections.delete(name)
    return !isConfirmed
  }

  /** By what is held of a session: its first requests come together, and while the store is down not each need try. */
  const arrivals = new WeakMap<Versioned<Session>, Promise<Versioned<Session> | undefined>>()

  /** A store that fails here costs nobody a call: the predecessor ends by its time. */
  const whileDown = (session: Versioned<Session>) => (error: unknown) => {
    if (!hasCode(error, 'store_unavailable')) throw error
    return session
  }

  async function shown(session: Versioned<Session>, connections: OpenedSession['connections']): Promise<OpenedSession | undefined> {
    const noted = arrivals.get(session) ?? confirmDelivery(session).catch(whileDown(session))
    arrivals.set(session, noted)
    const now = await noted
    return now && { session: now, connections }
  }

  return {
    open(ticket, providers, browser) {
      const fields = [sessionFieldOf(ticket)]
      for (const name of providers) fields.push(connectionField(name))
      const read = memory.read(ticket.owner, fields, load)
      return read instanceof Promise ? read.then(values => heldIn(providers, values, browser)) : heldIn(providers, read, browser)
    },

    async openAll(ticket, browser) {
      const { owner, id } = ticket
      const records = await store.readAll(owner)
      const session = live(openSession(owner, id, records.get(sessionField(id))))
      if (!session) return undefined
      const connections = connectionsIn(owner, records)
      const { undelivered, superseded } = session.value
      if (superseded && !serves(superseded, connections, browser)) return undefined
      return undelivered ? shown(session, connections) : { session, connections }
    },

    async readConnection(owner, provider) {
      const fields = await store.readAll(owner)
      const isHeld = records.sessionsIn(owner, fields).sessions.some(live)
      return isHeld ? openConnection(owner, provider, fields.get(connectionField(provider))) : undefined
    },

    async createSession() {
      const session = newSession(newId(), clock.now())
      await commit(session.owner, putSession(session))
      return session
    },

    async replace(owner, before, after) {
      const put = sealConnection(owner, after)
      const [field, record] = put
      const written = await commit(owner, { expect: [expectVersion(field, before.version)], put: [put] })
      return written ? { value: after, version: versionOf(record) } : undefined
    },

    ...createInvitationAcceptance({ store, records, limits, clock, commit }),
    ...createDeletion({ store, records, commit, forget: memory.evict }),
    ...createSessionRotation({ store, records, limits, clock, commit }),
    ...given,

    touch(session, provider) {
      const { value, version } = session
      // What has ended is not revived by who saw it live a moment before.
      const next = noted.has(session) || !live(session) ? undefined : touchSession(value, limits, clock.now(), provider)
      if (!next) return undefined
      noted.add(session)
      return commit(value.owner, { expect: [expectVersion(sessionField(value.id), version)], ...putSession(next) })
    }
  }
}
