import { type Connection, isIdleSince, isUseDue } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import { isConnectionId } from '../connections/errors.ts'
import { hasCode } from '../errors.ts'
import { createEvents, type Events } from '../events.ts'
import type { Change, Clock, Store } from '../ports.ts'
import {
  isAwaitingResponse,
  isLive,
  isTouchDue,
  newId,
  newSession,
  type PresentedFlows,
  type Session,
  type SessionLimits,
  type Superseded
} from '../session.ts'
import { isUserOwner } from '../users/owner.ts'
import { isSessionRef, type Principal } from '../users/principal.ts'
import type { User } from '../users/user.ts'
import type { Cipher } from './cipher.ts'
import { createDeletion, type Deletion } from './deletion.ts'
import { createInvitationAcceptance, type InvitationAcceptance } from './invitations.ts'
import type { OwnedConnections, StoredConnection } from './owned-connections.ts'
import { createOwnerSessions } from './owner-sessions.ts'
import { createRecordCache, defaultRecordCacheLimits, type RecordCacheLimits } from './record-cache.ts'
import {
  connectionField,
  createRecords,
  defaultField,
  defaultPrefix,
  expectRecord,
  expectVersion,
  type FieldMap,
  keyOfField,
  type Put,
  sessionField,
  sessionPrefix,
  userField,
  type Versioned,
  versionOf
} from './records.ts'
import { createSessionDelivery, type SessionDelivery } from './session-delivery.ts'
import { createSessionRotation, type SessionRotation } from './session-rotation.ts'
import { createTakeover, type Takeover } from './takeover.ts'
import { createUserSessions, type UserSessions } from './user-sessions.ts'

/** Which connection a request means: the one with the id, or the default account's. */
export type ConnectionSelector = { readonly provider: string; readonly id?: string | undefined }

/** What a request acts with. */
export type Opened = {
  readonly owner: string
  /** `undefined` for a user without a browser. */
  readonly session: Versioned<Session> | undefined
}

/** The sealed records of sessions and connections: read together, written only over what was read, deleted in one step. */
export type Vault = Deletion &
  InvitationAcceptance &
  SessionRotation &
  UserSessions &
  Takeover &
  Omit<SessionDelivery, 'confirmDelivery'> & {
    /**
     * Reads the session, if there is one, and a connection in one round trip; from the record cache without one, and then synchronously.
     * Counts as presenting the session's cookie.
     * @param browser who presents it. A session whose id was rotated shows what was connected since only to the browser that signed in.
     * @returns `undefined` when the session has ended
     */
    open(
      principal: Principal,
      selector?: ConnectionSelector,
      browser?: PresentedFlows
    ): OpenedConnection | undefined | Promise<OpenedConnection | undefined>
    /** Opens a connection without presenting a session. @returns `undefined` also when no session of a browser's owner is live */
    openLinked(owner: string, selector: ConnectionSelector): Promise<StoredConnection | undefined>
    /** All connections that have not ended by themselves, without presenting a session. */
    connectionsOf(owner: string): Promise<OwnedConnections>
    /** Reads the session and all connections from the store. Counts as presenting the session's cookie. */
    openAll(principal: Principal, browser?: PresentedFlows): Promise<OpenedConnections | undefined>
    /** Reads from the store. `undefined` also when it has ended with its owner's sessions, or since it was not used for too long. */
    readConnection(key: ConnectionKey): Promise<StoredConnection | undefined>
    /** A session of a new owner, without any connection. */
    createSession(): Promise<Session>
    /** Writes over exactly the version that was read. @returns `undefined`, with nothing written, when that has changed or is gone */
    replace(key: ConnectionKey, before: Versioned<Connection>, after: Connection): Promise<StoredConnection | undefined>
    /** Makes the account the one that requests use which name none. @returns `undefined` when the owner has no such connection */
    setDefault(owner: string, provider: string, id: string): Promise<StoredConnection | undefined>
    /**
     * Records that the session was seen and the connection used, if it was last recorded a while ago. Never extends the absolute limit or
     * revives a session. @returns `undefined` when there is nothing to write
     */
    touch(opened: Opened, connection?: StoredConnection): Promise<unknown> | undefined
  }

export type OpenedConnection = Opened & { readonly connection: StoredConnection | undefined }
export type OpenedConnections = Opened & {
  readonly connections: OwnedConnections
  /** Set for a user owner. */
  readonly user: User | undefined
}

type VaultOptions = {
  store: Store
  cipher: Cipher
  limits: SessionLimits
  connectionIdleMs: number
  clock: Clock
  events?: Events
  cache?: RecordCacheLimits
}

/** A record in the cache, by its field's prefix. */
type Cached = Versioned<Session> | StoredConnection | Versioned<string>

export function createVault({
  store,
  cipher,
  limits,
  connectionIdleMs,
  clock,
  events = createEvents(),
  cache = defaultRecordCacheLimits
}: VaultOptions): Vault {
  const recordCache = createRecordCache<Cached>(store.changes, clock, { ...cache, isAbsenceCached: field => !isNamedByClient(field) })
  const records = createRecords(cipher)
  const { sealSession, openSession, sealConnection, openConnection, connectionsIn } = records

  const live = (session: Versioned<Session> | undefined) => (session && isLive(session.value, limits, clock.now()) ? session : undefined)

  /** A user's connection that nobody has used for too long has ended, whether or not it was deleted yet. */
  const isIdle = ({ key, value }: StoredConnection) => isUserOwner(key.owner) && isIdleSince(value, clock.now() - connectionIdleMs)

  /** With its owner's last session, or since a user has not used it. */
  const hasEnded = (stored: StoredConnection, fields: FieldMap): boolean =>
    isUserOwner(stored.key.owner) ? isIdle(stored) : !records.sessionsIn(stored.key.owner, fields).sessions.some(live)

  /** Evicts, so that the next reader here reads what was written even before the change feed says so. */
  async function commit(owner: string, change: Change): Promise<boolean> {
    const committed = await store.commit(owner, change)
    recordCache.evict(owner)
    return committed
  }

  const dependencies = { store, records, limits, connectionIdleMs, clock, commit }
  const { ttlOf, transact } = createOwnerSessions(dependencies)
  const { confirmDelivery, ...delivery } = createSessionDelivery(dependencies)
  const rotation = createSessionRotation(dependencies)
  const acceptance = createInvitationAcceptance(dependencies)
  const userSessions = createUserSessions(dependencies)
  const deletion = createDeletion({ store, records, commit, evict: recordCache.evict })

  async function load(owner: string, fields: readonly string[]): Promise<Array<Cached | undefined>> {
    const read = await store.read(owner, fields)
    return fields.map((field, i) => {
      if (field.startsWith(sessionPrefix)) return openSession(owner, field.slice(sessionPrefix.length), read[i])
      if (field.startsWith(defaultPrefix)) return records.openDefault(owner, field.slice(defaultPrefix.length), read[i])
      return openConnection(keyOfField(owner, field), read[i])
    })
  }

  /** Where the selected connection may be: in its own slot or the first, or where the record of the default says. */
  function fieldsOf({ owner }: Principal, { provider, id }: ConnectionSelector): [string, string] {
    const first = connectionField(new ConnectionKey(owner, provider))
    if (id === undefined) return [first, defaultField(provider)]
    // The absence of a record is cached too: what can be no id must not fill the cache.
    return [first, isConnectionId(id) ? connectionField(new ConnectionKey(owner, provider, id)) : first]
  }

  /** @param values of `fieldsOf` */
  function select(
    { owner }: Principal,
    { provider, id }: ConnectionSelector,
    values: readonly (Cached | undefined)[]
  ): StoredConnection | undefined | Promise<StoredConnection | undefined> {
    const first = values[0] as StoredConnection | undefined
    if (id !== undefined) return [first, values[1] as StoredConnection | undefined].find(stored => stored?.value.id === id)
    const defaultSlot = values[1] as Versioned<string> | undefined
    // Every connection was stored together with the record of the default.
    if (!defaultSlot) return first
    if (defaultSlot.value === '') return usableOrNext(owner, provider, first)
    const read = recordCache.read(owner, [connectionField(new ConnectionKey(owner, provider, defaultSlot.value))], load)
    return read instanceof Promise
      ? read.then(([other]) => usableOrNext(owner, provider, other as StoredConnection | undefined))
      : usableOrNext(owner, provider, read[0] as StoredConnection | undefined)
  }

  /** The default account, or the next one when its connection has ended by itself or does not open: as the list of connections shows it. */
  function usableOrNext(
    owner: string,
    provider: string,
    stored: StoredConnection | undefined
  ): StoredConnection | undefined | Promise<StoredConnection | undefined> {
    if (stored && !isIdle(stored)) return stored
    return store.readAll(owner).then(read =>
      connectionsIn(owner, read)
        .filter(one => !isIdle(one))
        .get(provider)
    )
  }

  function opened(
    principal: Principal,
    session: Versioned<Session> | undefined,
    connection: StoredConnection | undefined,
    browser: PresentedFlows | undefined
  ): OpenedConnection | undefined | Promise<OpenedConnection | undefined> {
    const { owner } = principal
    const usable = connection && !isIdle(connection) ? connection : undefined
    if (!session) return { owner, session, connection: usable }
    const { undelivered, superseded } = session.value
    if (superseded) {
      const hidden = hiddenProviders(superseded, browser)
      if (!hidden) return undefined
      return { owner, session, connection: usable && hidden.has(usable.key.provider) ? undefined : usable }
    }
    if (!undelivered) return { owner, session, connection: usable }
    return confirmed(session).then(current => current && { owner, session: current, connection: usable })
  }

  /**
   * A copy of the cookie from before the rotation sees nothing that was connected since: neither the connections of the user who signed in
   * there, nor the new connection to a provider that had another one. The browser that still waits for the new cookie sees everything.
   * @returns the providers that a superseded session does not show; `undefined` when it has ended
   */
  function hiddenProviders(
    { flow, hiddenProviders, isConfirmed }: Superseded,
    browser: PresentedFlows | undefined
  ): ReadonlySet<string> | undefined {
    if (isAwaitingResponse(flow, browser)) return nothingHidden
    return isConfirmed ? undefined : new Set(hiddenProviders)
  }

  /** In flight, by session record: the first requests of a session arrive together, and one confirmation serves them all. */
  const confirmations = new WeakMap<Versioned<Session>, Promise<Versioned<Session> | undefined>>()

  function confirmed(session: Versioned<Session>): Promise<Versioned<Session> | undefined> {
    const confirmation = confirmations.get(session) ?? confirmDelivery(session).catch(keepWhileDown(session))
    confirmations.set(session, confirmation)
    return confirmation
  }

  /** An outage of the store costs no request here: the predecessor expires by itself. */
  const keepWhileDown = (session: Versioned<Session>) => (error: unknown) => {
    if (!hasCode(error, 'store_unavailable')) throw error
    return session
  }

  /** Records whose touch is being or has been written: not every request of a busy session, or during an outage, needs to try. */
  const touched = new WeakSet<Versioned<Session> | StoredConnection>()

  const isTouched = (record: Versioned<Session> | StoredConnection | undefined) => record !== undefined && touched.has(record)

  return {
    ...delivery,
    ...userSessions,
    ...createTakeover(dependencies),

    open(principal, selector, browser) {
      const { owner } = principal
      const fields: string[] = selector ? fieldsOf(principal, selector) : []
      if (isSessionRef(principal)) fields.push(sessionField(principal.id))
      const read = recordCache.read(owner, fields, load)
      return read instanceof Promise ? read.then(openRead) : openRead(read)

      function openRead(values: readonly (Cached | undefined)[]) {
        const session = isSessionRef(principal) ? live(values.at(-1) as Versioned<Session> | undefined) : undefined
        if (isSessionRef(principal) && !session) return undefined
        const connection = selector && select(principal, selector, values)
        return connection instanceof Promise
          ? connection.then(found => opened(principal, session, found, browser))
          : opened(principal, session, connection, browser)
      }
    },

    async openAll(principal, browser) {
      const { owner } = principal
      const read = await store.readAll(owner)
      const session = isSessionRef(principal) ? live(openSession(owner, principal.id, read.get(sessionField(principal.id)))) : undefined
      if (isSessionRef(principal) && !session) return undefined
      const result = await opened(principal, session, undefined, browser)
      if (!result) return undefined
      const hidden = session?.value.superseded ? hiddenProviders(session.value.superseded, browser) : nothingHidden
      const connections = connectionsIn(owner, read).filter(stored => !isIdle(stored) && !hidden?.has(stored.key.provider))
      const user = principal.user ?? records.openUser(owner, read.get(userField))?.value
      return { owner, session: result.session, connections, user }
    },

    async openLinked(owner, { provider, id }) {
      const read = await store.readAll(owner)
      const stored = connectionsIn(owner, read).get(provider, id)
      return stored && !hasEnded(stored, read) ? stored : undefined
    },

    async connectionsOf(owner) {
      const read = await store.readAll(owner)
      return connectionsIn(owner, read).filter(stored => !hasEnded(stored, read))
    },

    async readConnection(key) {
      const read = await store.readAll(key.owner)
      const stored = openConnection(key, read.get(connectionField(key)))
      return stored && !hasEnded(stored, read) ? stored : undefined
    },

    async createSession() {
      const session = newSession(newId(), clock.now())
      await commit(session.owner, { put: [sealSession(session)], ttlMs: ttlOf(session.owner, session) })
      return session
    },

    async replace(key, before, after) {
      const put = sealConnection(key, after)
      const [field, record] = put
      const written = await commit(key.owner, { expect: [expectVersion(field, before.version)], put: [put] })
      return written ? { key, value: after, version: versionOf(record) } : undefined
    },

    setDefault: (owner, provider, id) =>
      transact<StoredConnection | undefined>(owner, fields => {
        const stored = connectionsIn(owner, fields).get(provider, id)
        if (!stored || isIdle(stored)) return { outcome: undefined }
        const field = defaultField(provider)
        const expect = [
          expectRecord(connectionField(stored.key), fields.get(connectionField(stored.key))),
          expectRecord(field, fields.get(field))
        ]
        return { change: { expect, put: [records.sealDefault(owner, provider, stored.key.slot)] }, outcome: stored }
      }),

    async connect(owner, presented, connection, options) {
      const result = await rotation.connect(owner, presented, connection, options)
      if ('stored' in result) publishCreated(result.stored)
      return result
    },

    async connectInvited(owner, connection, invitation) {
      const result = await acceptance.connectInvited(owner, connection, invitation)
      if (result && result !== 'full') publishCreated(result.stored)
      return result
    },

    async disconnect(owner, provider, id) {
      const deleted = await deletion.disconnect(owner, provider, id)
      publishDeleted(owner, deleted)
      return deleted
    },

    async deleteOwner(owner) {
      const deleted = await deletion.deleteOwner(owner)
      publishDeleted(owner, deleted)
      return deleted
    },

    async deleteConnections(owner) {
      const deleted = await userSessions.deleteConnections(owner)
      publishDeleted(owner, deleted)
      return deleted
    },

    touch({ owner, session }, connection) {
      const nowMs = clock.now()
      // A session that has ended meanwhile is not revived.
      if (isTouched(session) || isTouched(connection) || session?.value.superseded || (session && !live(session))) return undefined
      const idleMs = isUserOwner(owner) ? connectionIdleMs : limits.idleMs
      const isDue = (session && isTouchDue(session.value, limits, nowMs)) || (connection && isUseDue(connection.value, idleMs, nowMs))
      if (!isDue) return undefined
      const change = { expect: [] as Array<readonly [string, Buffer]>, put: [] as Put[] }
      if (session) {
        touched.add(session)
        change.expect.push(expectVersion(sessionField(session.value.id), session.version))
        change.put.push(sealSession({ ...session.value, lastSeenAtMs: nowMs }))
      }
      if (connection) {
        touched.add(connection)
        change.expect.push(expectVersion(connectionField(connection.key), connection.version))
        change.put.push(sealConnection(connection.key, { ...connection.value, lastUsedAtMs: nowMs }))
      }
      return commit(owner, { ...change, ttlMs: ttlOf(owner, session && { ...session.value, lastSeenAtMs: nowMs }) })
    }
  }

  function publishCreated({ key: { owner, provider }, value: { method } }: Pick<StoredConnection, 'key' | 'value'>): void {
    events.publish('connection.created', { owner, provider, method })
  }

  function publishDeleted(owner: string, deleted: readonly Connection[] = []): void {
    for (const { provider } of deleted) events.publish('connection.deleted', { owner, provider })
  }
}

const nothingHidden: ReadonlySet<string> = new Set()

/** A client can ask for as many connection ids as it likes. */
const isNamedByClient = (field: string): boolean => field.includes('@')
