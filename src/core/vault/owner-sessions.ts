import { GatewayError } from '../errors.ts'
import type { Change, Clock, Store } from '../ports.ts'
import { expiresAtMs, extendSession, isLive, recordRetentionMs, type Session, type SessionLimits, type SessionRef } from '../session.ts'
import { type createRecords, expectVersion, type Fields, sessionField, sessionPrefix, type Versioned } from './records.ts'

export type VaultDependencies = {
  store: Store
  records: ReturnType<typeof createRecords>
  limits: SessionLimits
  clock: Clock
  commit(owner: string, change: Change): Promise<boolean>
}

export type Records = ReadonlyMap<string, Buffer>

/** A change of an owner's records, and what it comes to when it is made. */
export type Step<T> = { readonly change: Change; readonly outcome: T }

/** What changes while it is decided about is read again; somebody else gets on at each. */
const trials = 20

/** Every record begins with no bytes: an expectation that it exists, in whatever version. */
const anyVersion = Buffer.alloc(0)

export const expectUnchanged = ({ value: { id }, version }: Versioned<Session>) => expectVersion(sessionField(id), version)
export const expectExists = ({ id }: SessionRef) => [sessionField(id), anyVersion] as const
/** Written anew, so that whatever was to happen when an earlier response is lost does not. */
export const markResent = (session: Session): Session =>
  session.undelivered ? { ...session, undelivered: { ...session.undelivered, sendCount: session.undelivered.sendCount + 1 } } : session

/** The sessions among all records of an owner, and changes that are decided from them. */
export function createOwnerSessions({ store, records: { openSession }, limits, clock, commit }: VaultDependencies) {
  const sessionIn = (records: Records, { owner, id }: SessionRef) => openSession(owner, id, records.get(sessionField(id)))

  function liveIn(records: Records, ticket: SessionRef): Versioned<Session> | undefined {
    const session = sessionIn(records, ticket)
    return session && isLive(session.value, limits, clock.now()) ? session : undefined
  }

  return {
    sessionIn,
    liveIn,

    ttlOf: (session: Session) => expiresAtMs(session, limits) + recordRetentionMs - clock.now(),

    /** Those that live, but for the ones whose ids have turned. */
    sessionsIn: (owner: string, records: Records): Array<Versioned<Session>> =>
      [...records.keys()]
        .filter(field => field.startsWith(sessionPrefix))
        .map(field => liveIn(records, { owner, id: field.slice(sessionPrefix.length) }))
        .filter(session => session !== undefined)
        .filter(({ value }) => !value.superseded),

    /** Of those that do not live any more: nothing needs them. */
    endedIn: (owner: string, records: Records): string[] =>
      [...records.keys()].filter(
        field => field.startsWith(sessionPrefix) && !liveIn(records, { owner, id: field.slice(sessionPrefix.length) })
      ),

    /** Takes the step that the owner's records ask for, and decides anew when they have changed meanwhile. */
    async commitDecided<T>(owner: string, decide: (records: Records) => Step<T> | { readonly outcome: T }): Promise<T> {
      for (let trial = 0; trial < trials; trial++) {
        const step = decide(await store.readAll(owner))
        if (!('change' in step) || (await commit(owner, step.change))) return step.outcome
      }
      throw new GatewayError('store_unavailable', 'Too much has changed in this session at once. Try again.', { retryAfter: 1 })
    }
  }
}

type Kept = Required<Omit<Change, 'expectNone'>> & {
  /** Until when that holds: no session outlives its absolute limit. */
  readonly untilMs: number
}

/**
 * A session that is kept for nearly as long already is not written again: commits of many at once would each undo what another one has
 * read.
 */
const slackMs = 60_000

/**
 * For a commit by which all living sessions of an owner are kept until then, give or take a minute, and those that have ended are erased.
 * @param seen whether the person was here for it
 * @returns `undefined` when none lives
 */
export function extendSessions(
  { records, limits, clock }: Pick<VaultDependencies, 'records' | 'limits' | 'clock'>,
  owner: string,
  fields: Fields,
  untilMs: number,
  seen: boolean
): Kept | undefined {
  const nowMs = clock.now()
  const { sessions } = records.sessionsIn(owner, fields)
  const living = sessions.filter(({ value }) => isLive(value, limits, nowMs))
  if (living.length === 0) return undefined
  const isKept = ({ extendedUntilMs = 0 }: Session) => extendedUntilMs >= untilMs - slackMs
  const changed = living.filter(({ value }) => !isKept(value))
  const after = (session: Session) =>
    isKept(session) ? session : extendSession(seen ? { ...session, lastSeenAtMs: nowMs } : session, untilMs)
  const kept = living.map(({ value }) => after(value))
  return {
    expect: living.map(({ value, version }) => (isKept(value) ? expectExists(value) : expectVersion(sessionField(value.id), version))),
    put: changed.map(({ value }) => records.sealSession(after(value))),
    remove: sessions.filter(session => !living.includes(session)).map(({ value }) => sessionField(value.id)),
    ttlMs: latestEndMs(kept, limits) + recordRetentionMs - nowMs,
    untilMs: Math.min(untilMs, latestEndMs(kept, limits))
  }
}

const latestEndMs = (sessions: readonly Session[], limits: SessionLimits): number =>
  Math.max(...sessions.map(session => expiresAtMs(session, limits)))
