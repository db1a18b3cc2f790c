import type { Change, Clock } from './ports.ts'
import { type createRecords, type Fields, sessionField, unchanged } from './records.ts'
import { afterlifeMs, endsAtMs, isLive, keptUntil, type Session, type SessionLimits } from './session.ts'

type Parts = { readonly records: ReturnType<typeof createRecords>; readonly limits: SessionLimits; readonly clock: Clock }

type Kept = Required<Omit<Change, 'expectNone'>> & {
  /** The latest time until which that can hold: no session outlives its absolute limit. */
  readonly latestMs: number
}

/**
 * For a commit by which all living sessions of an owner are kept until then, and those that have ended are erased; as long as none of
 * them has changed in between.
 * @param seen whether the person was here for it
 * @returns `undefined` when none lives
 */
export function keepSessions(
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
  const kept = living.map(({ value }) => keptUntil(seen ? { ...value, seenAtMs: nowMs } : value, untilMs))
  return {
    expect: living.map(({ value, version }) => unchanged(sessionField(value.id), version)),
    put: kept.map(records.sealSession),
    erase: sessions.filter(session => !living.includes(session)).map(({ value }) => sessionField(value.id)),
    ttlMs: latestEndMs(kept, limits) + afterlifeMs - nowMs,
    latestMs: Math.max(...kept.map(({ createdAtMs }) => createdAtMs + limits.maxMs))
  }
}

const latestEndMs = (sessions: readonly Session[], limits: SessionLimits): number =>
  Math.max(...sessions.map(session => endsAtMs(session, limits)))
