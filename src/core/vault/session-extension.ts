import type { Change, Clock } from '../ports.ts'
import { expiresAtMs, extendSession, isLive, recordRetentionMs, type Session, type SessionLimits } from '../session.ts'
import { expectExists } from './owner-sessions.ts'
import { type createRecords, expectVersion, type Fields, sessionField } from './records.ts'

type Parts = { readonly records: ReturnType<typeof createRecords>; readonly limits: SessionLimits; readonly clock: Clock }

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
  { records, limits, clock }: Parts,
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
