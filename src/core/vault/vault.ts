import type { Connection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import { hasCode } from '../errors.ts'
import { createEvents, type Events } from '../events.ts'
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
import type { Cipher } from './cipher.ts'
import { createDeletion, type Deletion } from './deletion.ts'
import { createInvitationAcceptance, type InvitationAcceptance } from './invitations.ts'
import { createRecordCache, defaultRecordCacheLimits, type RecordCacheLimits } from './record-cache.ts'
import {
  connectionField,
  connectionPrefix,
  createRecords,
  expectVersion,
  sessionField,
  sessionPrefix,
  type Versioned,
  versionOf
} from './records.ts'
import { createSessionDelivery, type SessionDelivery } from './session-delivery.ts'
import { createSessionRotation, type SessionRotation } from './session-rotation.ts'

/** A session and the connections that were read with it, by provider. */
export type OpenedSession = { session: Versioned<Session>; connections: Map<string, Versioned<Connection>> }

/** The sealed records of sessions and connections: read together, written only over what was read, deleted in one step. */
export type Vault = Deletion &
  InvitationAcceptance &
  SessionRotation &
  Omit<SessionDelivery, 'confirmDelivery'> & {
    /**
     * Reads the session and the connections to `providers` in one round trip; from the record cache without one, and then synchronously.
     * Counts as presenting its cookie.
     * @param browser who presents it. A session whose id was rotated shows what was connected since only to the browser that signed in.
     * @returns `undefined` when the session has ended
     */
    open(
      ref: SessionRef,
      providers: readonly string[],
      browser?: PresentedFlows
    ): OpenedSession | undefined | Promise<OpenedSession | undefined>
    /** Reads the session and all its connections from the store. Counts as presenting its cookie. */
    openAll(ref: SessionRef, browser?: PresentedFlows): Promise<OpenedSession | undefined>
    /** Reads from the store. `undefined` also when none of its owner's sessions is live. */
    readConnection(key: ConnectionKey): Promise<Versioned<Connection> | undefined>
    /** A session of a new owner, without any connection. */
    createSession(): Promise<Session>
    /** Writes over exactly the version that was read. @returns `undefined`, with nothing written, when that has changed or is gone */
    replace(key: ConnectionKey, before: Versioned<Connection>, after: Connection): Promise<Versioned<Connection> | undefined>
    /**
     * Records that the session was seen and used, if it was last recorded a while ago. Never extends the absolute limit or revives a
     * session. @returns `undefined` when there is nothing to write
     */
    touch(session: Versioned<Session>, provider?: string): Promise<unknown> | undefined
  }

type VaultOptions = {
  store: Store
  cipher: Cipher
  limits: SessionLimits
  clock: Clock
  events?: Events
  cache?: RecordCacheLimits
}

export function createVault({
  store,
  cipher,
  limits,
  clock,
  events = createEvents(),
  cache = defaultRecordCacheLimits
}: VaultOptions): Vault {
  const recordCache = createRecordCache<Versioned<Session | Connection>>(store.changes, clock, cache)
  const records = createRecords(cipher)
  const { sealSession, openSession, sealConnection, openConnection, connectionsIn } = records

  const live = (session: Versioned<Session> | undefined) => (session && isLive(session.value, limits, clock.now()) ? session : undefined)

  /** Evicts, so that the next reader here reads what was written even before the change feed says so. */
  async function commit(owner: string, change: Change): Promise<boolean> {
    const committed = await store.commit(owner, change)
    recordCache.evict(owner)
    return committed
  }

  function putSession(session: Session): Required<Pick<Change, 'put' | 'ttlMs'>> {
    return { put: [sealSession(session)], ttlMs: expiresAtMs(session, limits) + recordRetentionMs - clock.now() }
  }

  async function load(owner: string, fields: readonly string[]): Promise<Array<Versioned<Session | Connection> | undefined>> {
    const read = await store.read(owner, fields)
    return fields.map((field, i) =>
      field.startsWith(sessionPrefix)
        ? openSession(owner, field.slice(sessionPrefix.length), read[i])
        : openConnection(new ConnectionKey(owner, field.slice(connectionPrefix.length)), read[i])
    )
  }

  const dependencies = { store, records, limits, clock, commit }
  const { confirmDelivery, ...delivery } = createSessionDelivery(dependencies)
  const rotation = createSessionRotation(dependencies)
  const acceptance = createInvitationAcceptance(dependencies)
  const deletion = createDeletion({ store, records, commit, evict: recordCache.evict })

  /** @param values the session's record, followed by those of the connections to `providers` */
  function openedFrom(
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
    return present(session, connections, browser)
  }

  function present(
    session: Versioned<Session>,
    connections: OpenedSession['connections'],
    browser: PresentedFlows | undefined
  ): OpenedSession | undefined | Promise<OpenedSession | undefined> {
    const { undelivered, superseded } = session.value
    if (superseded && !isUsable(superseded, connections, browser)) return undefined
    return undelivered ? confirmed(session, connections) : { session, connections }
  }

  /**
   * A copy of the cookie from before the rotation sees nothing that was connected since: neither the connections of the user who signed in
   * there, nor the new connection to a provider that had another one. The browser that still waits for the new cookie sees everything.
   */
  function isUsable(
    { flow, hiddenProviders, isConfirmed }: Superseded,
    connections: Map<string, unknown>,
    browser: PresentedFlows | undefined
  ): boolean {
    if (isAwaitingResponse(flow, browser)) return true
    for (const name of hiddenProviders) connections.delete(name)
    return !isConfirmed
  }

  /** In flight, by session record: the first requests of a session arrive together, and one confirmation serves them all. */
  const confirmations = new WeakMap<Versioned<Session>, Promise<Versioned<Session> | undefined>>()

  async function confirmed(session: Versioned<Session>, connections: OpenedSession['connections']): Promise<OpenedSession | undefined> {
    const confirmation = confirmations.get(session) ?? confirmDelivery(session).catch(keepWhileDown(session))
    confirmations.set(session, confirmation)
    const current = await confirmation
    return current && { session: current, connections }
  }

  /** An outage of the store costs no request here: the predecessor expires by itself. */
  const keepWhileDown = (session: Versioned<Session>) => (error: unknown) => {
    if (!hasCode(error, 'store_unavailable')) throw error
    return session
  }

  /** Sessions whose touch is being or has been written: not every request of a busy session, or during an outage, needs to try. */
  const touched = new WeakSet<Versioned<Session>>()

  return {
    ...delivery,

    open(ref, providers, browser) {
      const fields = [sessionField(ref.id)]
      for (const name of providers) fields.push(connectionField(name))
      const read = recordCache.read(ref.owner, fields, load)
      return read instanceof Promise ? read.then(values => openedFrom(providers, values, browser)) : openedFrom(providers, read, browser)
    },

    async openAll({ owner, id }, browser) {
      const read = await store.readAll(owner)
      const session = live(openSession(owner, id, read.get(sessionField(id))))
      return session && present(session, connectionsIn(owner, read), browser)
    },

    async readConnection(key) {
      const read = await store.readAll(key.owner)
      const hasLiveSession = records.sessionsIn(key.owner, read).sessions.some(live)
      return hasLiveSession ? openConnection(key, read.get(connectionField(key.provider))) : undefined
    },

    async createSession() {
      const session = newSession(newId(), clock.now())
      await commit(session.owner, putSession(session))
      return session
    },

    async replace(key, before, after) {
      const put = sealConnection(key, after)
      const [field, record] = put
      const written = await commit(key.owner, { expect: [expectVersion(field, before.version)], put: [put] })
      return written ? { value: after, version: versionOf(record) } : undefined
    },

    async connect(owner, presented, connection, callback, browser) {
      const result = await rotation.connect(owner, presented, connection, callback, browser)
      const { provider, method } = connection
      if (result.kind === 'session') events.publish('connection.created', { owner: result.session.owner, provider, method })
      if (result.kind === 'joined') events.publish('connection.created', { owner, provider, method })
      return result
    },

    async connectInvited(owner, connection, invitation) {
      const result = await acceptance.connectInvited(owner, connection, invitation)
      const { provider, method } = connection
      if (result) events.publish('connection.created', { owner, provider, method })
      return result
    },

    async disconnect(key) {
      const deleted = await deletion.disconnect(key)
      if (deleted) events.publish('connection.deleted', { owner: key.owner, provider: key.provider })
      return deleted
    },

    async endSession(owner) {
      const deleted = await deletion.endSession(owner)
      for (const { provider } of deleted) events.publish('connection.deleted', { owner, provider })
      return deleted
    },

    touch(session, provider) {
      const { value, version } = session
      // A session that has ended meanwhile is not revived.
      const next = touched.has(session) || !live(session) ? undefined : touchSession(value, limits, clock.now(), provider)
      if (!next) return undefined
      touched.add(session)
      return commit(value.owner, { expect: [expectVersion(sessionField(value.id), version)], ...putSession(next) })
    }
  }
}
