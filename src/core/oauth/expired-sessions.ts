import type { Clock, Store } from '../ports.ts'
import { expiresAtMs, isLive, recordRetentionMs, type SessionLimits } from '../session.ts'
import type { Cipher } from '../vault/cipher.ts'
import { createRecords, expectRecord, expectVersion, pendingOwner, sessionField } from '../vault/records.ts'
import type { Revocation } from './revocation.ts'

type Swept = {
  /** Owners whose sessions had all ended, and who are gone now. */
  readonly owners: number
  /** Grants of theirs that their providers have been told of, or will be. */
  readonly grants: number
}

export type ExpiredSessionSweep = {
  /** @returns `undefined` when another instance has had this turn */
  runOnce(): Promise<Swept | undefined>
  /** From one round to the next, in milliseconds. */
  readonly intervalMs: number
  close(): void
}

type Parts = {
  readonly store: Store
  readonly cipher: Cipher
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly revocation: Pick<Revocation, 'plan' | 'pendingCount'>
}

const defaultEveryMs = 10 * 60_000
const minEveryMs = 5_000
/** What is left goes with the next round. */
const maxOwners = 500
/** With so many revocations waiting, a provider is down: what it has to be told of stays where it is for now. */
const maxWaiting = 1_000
const abreast = 4

/**
 * Finds owners whose sessions have all ended, has their grants revoked, and erases them: nobody can use them any more. Their records
 * outlast the sessions for that. A round is one instance's, of all that share the store.
 */
export function createExpiredSessionSweep({ store, cipher, limits, clock, revocation }: Parts): ExpiredSessionSweep {
  const records = createRecords(cipher)
  const intervalMs = Math.min(Math.max(limits.idleMs / 10, minEveryMs), defaultEveryMs)
  let isOver = false

  /** @returns how many grants it had; `undefined` when it is not over, or is none of ours to judge */
  async function ofOwner(owner: string): Promise<number | undefined> {
    const fields = await store.readAll(owner)
    const { sessions, unreadable } = records.sessionsIn(owner, fields)
    // A key that is not here may be on another instance, which knows better.
    if (fields.size === 0 || unreadable > 0) return undefined
    if (sessions.some(({ value }) => isLive(value, limits, clock.now()))) {
      // It ends sooner than by the limits as they are now: they were raised since it was written.
      const endMs = Math.max(...sessions.map(({ value }) => expiresAtMs(value, limits)))
      const expect = sessions.map(({ value, version }) => expectVersion(sessionField(value.id), version))
      await store.commit(owner, { expect, ttlMs: endMs + recordRetentionMs - clock.now() })
      return undefined
    }
    // Kept before the records go that hold the tokens, so that they are in the store at any moment.
    const connections = [...records.connectionsIn(owner, fields).values()].map(({ value }) => value)
    const planned = await revocation.plan(connections)
    const expect = [...fields].map(([field, record]) => expectRecord(field, record))
    if (!(await store.commit(owner, { expect, remove: [...fields.keys()] }))) {
      await planned.cancel()
      return undefined
    }
    await planned.carryOut()
    return planned.size
  }

  async function sweep(): Promise<Swept> {
    const sum = { owners: 0, grants: 0 }
    const untilMs = clock.now() + intervalMs / 2
    for await (const owners of store.scanOwners(recordRetentionMs)) {
      const found = owners.filter(owner => owner !== pendingOwner)
      for (let i = 0; i < found.length; i += abreast) {
        if (isOver || sum.owners >= maxOwners || clock.now() > untilMs) return sum
        if (revocation.pendingCount() >= maxWaiting) return sum
        const grants = await Promise.all(found.slice(i, i + abreast).map(ofOwner))
        for (const count of grants) {
          sum.owners += count === undefined ? 0 : 1
          sum.grants += count ?? 0
        }
      }
    }
    return sum
  }

  return {
    intervalMs,
    // A little less than a turn, since no two instances count it alike.
    runOnce: async () => ((await store.claim('sweep', intervalMs * 0.8)) ? sweep() : undefined),
    close: () => {
      isOver = true
    }
  }
}
