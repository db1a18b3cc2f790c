import { GatewayError } from '../errors.ts'
import type { Change, Clock, Store } from '../ports.ts'
import { afterlifeMs, endsAtMs, isLive, type Session, type SessionLimits, type Ticket } from '../session.ts'
import { type createRecords, sessionField, sessionPrefix, unchanged, type Versioned } from './records.ts'

export type OwnerParts = {
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

export const stands = ({ value: { id }, version }: Versioned<Session>) => unchanged(sessionField(id), version)
export const exists = ({ id }: Ticket) => [sessionField(id), anyVersion] as const
/** Written anew, so that whatever was to happen when an earlier response is lost does not. */
export const carriedAgain = (session: Session): Session =>
  session.unshown ? { ...session, unshown: { ...session.unshown, given: session.unshown.given + 1 } } : session

/** The sessions among all records of an owner, and changes that are decided from them. */
export function createOwners({ store, records: { openSession }, limits, clock, commit }: OwnerParts) {
  const sessionIn = (records: Records, { owner, id }: Ticket) => openSession(owner, id, records.get(sessionField(id)))

  function liveIn(records: Records, ticket: Ticket): Versioned<Session> | undefined {
    const session = sessionIn(records, ticket)
    return session && isLive(session.value, limits, clock.now()) ? session : undefined
  }

  return {
    sessionIn,
    liveIn,

    ttlOf: (session: Session) => endsAtMs(session, limits) + afterlifeMs - clock.now(),

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
    async settled<T>(owner: string, decide: (records: Records) => Step<T> | { readonly outcome: T }): Promise<T> {
      for (let trial = 0; trial < trials; trial++) {
        const step = decide(await store.readAll(owner))
        if (!('change' in step) || (await commit(owner, step.change))) return step.outcome
      }
      throw new GatewayError('store_unavailable', 'Too much has changed in this session at once. Try again.', { retryAfter: 1 })
    }
  }
}
