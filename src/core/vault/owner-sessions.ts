import { GatewayError } from '../errors.ts'
import type { Change, Clock, Store } from '../ports.ts'
import { expiresAtMs, extendSession, isLive, recordRetentionMs, type Session, type SessionLimits, type SessionRef } from '../session.ts'
import { isUserOwner } from '../users/owner.ts'
import { type createRecords, expectVersion, type FieldMap, loginField, sessionField, sessionPrefix, type Versioned } from './records.ts'

/** What the parts of the vault work with. */
export type VaultDependencies = {
  store: Store
  records: ReturnType<typeof createRecords>
  limits: SessionLimits
  /** A user's connection ends when nobody has used it for so long, in milliseconds. */
  connectionIdleMs: number
  clock: Clock
  /** `Store.commit`, followed by the owner's eviction from the record cache. */
  commit(owner: string, change: Change): Promise<boolean>
}

/** A change of an owner's records, if one is needed, and the result once it is committed. */
export type Decision<T> = { readonly change?: Change; readonly outcome: T }

/** Each conflict means that another writer has succeeded. */
const maxAttempts = 20

/** Every record begins with the empty prefix: it must exist, in any version. */
const anyVersion = Buffer.alloc(0)

export const expectUnchanged = ({ value: { id }, version }: Versioned<Session>) => expectVersion(sessionField(id), version)
export const expectExists = ({ id }: SessionRef) => [sessionField(id), anyVersion] as const

/** Counts one more response with the session's cookie, so that the loss of an earlier one has no effect. */
export const markResent = (session: Session): Session =>
  session.undelivered ? { ...session, undelivered: { ...session.undelivered, sendCount: session.undelivered.sendCount + 1 } } : session

export const tooManyConflicts = () =>
  new GatewayError('store_unavailable', 'This session was changed too often at the same time. Try again.', { retryAfter: 1 })

/** Finds sessions among all records of an owner, and commits changes that depend on them. */
export function createOwnerSessions({ store, records: { openSession }, limits, connectionIdleMs, clock, commit }: VaultDependencies) {
  const findSession = (fields: FieldMap, { owner, id }: SessionRef) => openSession(owner, id, fields.get(sessionField(id)))

  function findLive(fields: FieldMap, ref: SessionRef): Versioned<Session> | undefined {
    const session = findSession(fields, ref)
    return session && isLive(session.value, limits, clock.now()) ? session : undefined
  }

  const sessionIds = (fields: FieldMap): string[] =>
    [...fields.keys()].filter(field => field.startsWith(sessionPrefix)).map(field => field.slice(sessionPrefix.length))

  return {
    findSession,
    findLive,

    /** Until an owner's records expire, whose longest session this is. A user's do not depend on a session. */
    ttlOf: (owner: string, session?: Session): number =>
      isUserOwner(owner)
        ? userTtlMs({ limits, connectionIdleMs })
        : session
          ? expiresAtMs(session, limits) + recordRetentionMs - clock.now()
          : 0,

    /** The live sessions, without superseded ones. */
    currentSessions: (owner: string, fields: FieldMap): Array<Versioned<Session>> =>
      sessionIds(fields)
        .map(id => findLive(fields, { owner, id }))
        .filter(session => session !== undefined)
        .filter(({ value }) => !value.superseded),

    expiredFields: (owner: string, fields: FieldMap): string[] =>
      sessionIds(fields)
        .filter(id => !findLive(fields, { owner, id }))
        .flatMap(id => [sessionField(id), loginField(id)]),

    /**
     * An optimistic transaction: reads the owner's records, commits the change that is decided from them, and starts over when a
     * concurrent write has changed them.
     * @throws {GatewayError} `store_unavailable` after too many conflicts
     */
    async transact<T>(owner: string, decide: (fields: FieldMap) => Decision<T>): Promise<T> {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const { change, outcome } = decide(await store.readAll(owner))
        if (!change || (await commit(owner, change))) return outcome
      }
      throw tooManyConflicts()
    }
  }
}

type SessionExtension = Required<Omit<Change, 'expectNone'>> & {
  /** When the extension ends: no session outlives its absolute limit. */
  readonly untilMs: number
}

/** How long an invitation is open, and how long the inviter has to return after it was accepted. */
export const invitationLifetimeMs = 7 * 24 * 60 * 60_000

/** A user's records last for as long as anything among them may: each write starts this time anew. */
export const userTtlMs = ({ limits, connectionIdleMs }: Pick<VaultDependencies, 'limits' | 'connectionIdleMs'>): number =>
  Math.max(connectionIdleMs, limits.maxMs, invitationLifetimeMs) + recordRetentionMs

/** A session that is extended for nearly as long already is not written again: concurrent extensions would conflict with each other. */
const extensionSlackMs = 60_000

/**
 * The change that extends all live sessions of an owner to `untilMs`, to a minute's precision, and deletes the expired ones.
 * @param isSeen whether the user is present, so that the sessions count as seen now
 * @returns `undefined` when no session is live
 */
export function extendSessions(
  { records, limits, connectionIdleMs, clock }: Pick<VaultDependencies, 'records' | 'limits' | 'connectionIdleMs' | 'clock'>,
  owner: string,
  fields: FieldMap,
  untilMs: number,
  isSeen: boolean
): SessionExtension | undefined {
  const nowMs = clock.now()
  // A user's records need no session.
  if (isUserOwner(owner)) return { expect: [], put: [], remove: [], ttlMs: userTtlMs({ limits, connectionIdleMs }), untilMs }
  const { sessions } = records.sessionsIn(owner, fields)
  const live = sessions.filter(({ value }) => isLive(value, limits, nowMs))
  if (live.length === 0) return undefined
  const extensions = live.map(session => {
    const { value } = session
    if ((value.extendedUntilMs ?? 0) >= untilMs - extensionSlackMs) return { value, expect: expectExists(value) }
    const extended = extendSession(isSeen ? { ...value, lastSeenAtMs: nowMs } : value, untilMs)
    return { value: extended, expect: expectUnchanged(session), put: records.sealSession(extended) }
  })
  const latestEndMs = Math.max(...extensions.map(({ value }) => expiresAtMs(value, limits)))
  return {
    expect: extensions.map(({ expect }) => expect),
    put: extensions.map(({ put }) => put).filter(put => put !== undefined),
    remove: sessions.filter(session => !live.includes(session)).map(({ value }) => sessionField(value.id)),
    ttlMs: latestEndMs + recordRetentionMs - nowMs,
    untilMs: Math.min(untilMs, latestEndMs)
  }
}
