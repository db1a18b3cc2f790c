import type { Connection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import type { Change, Clock, Store } from '../ports.ts'
import type { SessionLimits } from '../session.ts'
import { invitationLifetimeMs } from './invitations.ts'
import { type createRecords, expectRecord, expectVersion, type Version, versionOf } from './records.ts'
import { extendSessions } from './session-extension.ts'

export type InvitationAcceptance = {
  /**
   * Keeps a connection that somebody else made, uses up what allowed it, and keeps the session for as long as an invitation is open, so
   * that whoever it is for finds it. @returns what it took the place of; `undefined`, with nothing kept, when the invitation has changed
   * or is gone, or when the session has ended
   */
  connectInvited(
    owner: string,
    connection: Connection,
    invitation: { field: string; version: Version }
  ): Promise<{ replaced: Connection | undefined } | undefined>
}

/** A session that is noted as seen meanwhile is read again, but not for ever. */
const trials = 10

type AcceptanceParts = {
  store: Store
  records: ReturnType<typeof createRecords>
  limits: SessionLimits
  clock: Clock
  commit(owner: string, change: Change): Promise<boolean>
}

/** What becomes of an invitation that somebody has accepted. */
export function createInvitationAcceptance({ store, records, limits, clock, commit }: AcceptanceParts): InvitationAcceptance {
  return {
    async connectInvited(owner, connection, { field, version }) {
      const put = records.sealConnection(new ConnectionKey(owner, connection.provider), connection)
      const [place] = put
      for (let trial = 0; trial < trials; trial++) {
        const fields = await store.readAll(owner)
        const kept = extendSessions({ records, limits, clock }, owner, fields, clock.now() + invitationLifetimeMs, false)
        if (!kept) return undefined
        const before = fields.get(place)
        const written = await commit(owner, {
          expect: [...kept.expect, expectVersion(field, version), expectRecord(place, before)],
          put: [...kept.put, put],
          remove: [...kept.remove, field],
          ttlMs: kept.ttlMs
        })
        if (written) return { replaced: records.openConnection(new ConnectionKey(owner, connection.provider), before)?.value }
        const invitation = fields.get(field)
        if (!invitation || versionOf(invitation) !== version) return undefined
      }
      return undefined
    }
  }
}
