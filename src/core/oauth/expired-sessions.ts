import type { Clock, Store } from '../ports.ts'
import { expiresAtMs, isLive, recordRetentionMs, type SessionLimits } from '../session.ts'
import { isUserOwner } from '../users/owner.ts'
import type { Cipher } from '../vault/cipher.ts'
import { ownerNamesOwner } from '../vault/owner-names.ts'
import { createRecords, expectRecord, expectVersion, movedField, pendingOwner, sessionField } from '../vault/records.ts'
import type { Vault } from '../vault/vault.ts'
import type { Revocation } from './revocation.ts'
import type { UserSweep } from './user-sweep.ts'

type SweepResult = {
  /** Owners that were deleted, since all their sessions had expired. */
  readonly owners: number
  /** Their grants that are being revoked. */
  readonly grants: number
}

export type ExpiredSessionSweep = {
  /** @returns `undefined` when another instance has run the sweep of this interval */
  runOnce(): Promise<SweepResult | undefined>
  /** Between two sweeps, in milliseconds. */
  readonly intervalMs: number
  close(): void
}

export type ExpiredSessionSweepOptions = {
  readonly store: Store
  readonly cipher: Cipher
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly revocation: Pick<Revocation, 'plan' | 'pendingCount' | 'revokeReplaced'>
  readonly sweepUser: UserSweep['sweepOwner']
  readonly resumeTakeover: Vault['resumeTakeover']
}

const maxIntervalMs = 10 * 60_000
const minIntervalMs = 5_000
/** The next sweep deletes the rest. */
const maxOwners = 500
/** With this many pending revocations a provider is down: further grants stay where they are for now. */
const maxPendingRevocations = 1_000
const concurrency = 4

/**
 * Finds owners whose sessions have all expired, has their grants revoked and deletes them. Records outlast their sessions for this. Of all
 * instances that share the store, one runs each sweep.
 */
export function createExpiredSessionSweep({
  store,
  cipher,
  limits,
  clock,
  revocation,
  sweepUser,
  resumeTakeover
}: ExpiredSessionSweepOptions): ExpiredSessionSweep {
  const records = createRecords(cipher)
  const intervalMs = Math.min(Math.max(limits.idleMs / 10, minIntervalMs), maxIntervalMs)
  let isClosed = false

  /** @returns the number of its grants; `undefined` if the owner is still live or cannot be judged here */
  async function deleteExpired(owner: string): Promise<number | undefined> {
    if (isUserOwner(owner)) return deleteEndedUser(owner)
    const fields = await store.readAll(owner)
    if (fields.has(movedField)) return finishTakeover(owner)
    const { sessions, unreadable } = records.sessionsIn(owner, fields)
    // Another instance may have the key that is missing here.
    if (fields.size === 0 || unreadable > 0) return undefined
    if (sessions.some(({ value }) => isLive(value, limits, clock.now()))) {
      // The limits were raised since the record was written, so that it would expire before its session.
      const endMs = Math.max(...sessions.map(({ value }) => expiresAtMs(value, limits)))
      const expect = sessions.map(({ value, version }) => expectVersion(sessionField(value.id), version))
      await store.commit(owner, { expect, ttlMs: endMs + recordRetentionMs - clock.now() })
      return undefined
    }
    // Queued before the records with the tokens are deleted, so that a token is in the store at any moment.
    const connections = [...records.connectionsIn(owner, fields)].map(({ value }) => value)
    const planned = await revocation.plan(connections)
    const expect = [...fields].map(([field, record]) => expectRecord(field, record))
    if (!(await store.commit(owner, { expect, remove: [...fields.keys()] }))) {
      await planned.cancel()
      return undefined
    }
    await planned.carryOut()
    return planned.size
  }

  /** The sessions of such an owner have ended before their time, and so say nothing about its connections. */
  async function finishTakeover(owner: string): Promise<number | undefined> {
    const taken = await resumeTakeover(owner)
    if (!taken) return undefined
    for (const { before, after } of taken.replaced) revocation.revokeReplaced(before, after)
    const planned = await revocation.plan(taken.left, { isLastUse: true })
    await planned.carryOut()
    return planned.size
  }

  /** A user's records that are about to expire. */
  async function deleteEndedUser(owner: string): Promise<number | undefined> {
    const { isDeleted, grants } = await sweepUser(owner)
    return isDeleted ? grants : undefined
  }

  async function sweep(): Promise<SweepResult> {
    const result = { owners: 0, grants: 0 }
    const deadlineMs = clock.now() + intervalMs / 2
    for await (const batch of store.scanOwners(recordRetentionMs)) {
      const owners = batch.filter(owner => owner !== pendingOwner && owner !== ownerNamesOwner)
      for (let i = 0; i < owners.length; i += concurrency) {
        if (isClosed || result.owners >= maxOwners || clock.now() > deadlineMs) return result
        if (revocation.pendingCount() >= maxPendingRevocations) return result
        for (const grants of await Promise.all(owners.slice(i, i + concurrency).map(deleteExpired))) {
          result.owners += grants === undefined ? 0 : 1
          result.grants += grants ?? 0
        }
      }
    }
    return result
  }

  return {
    intervalMs,
    // A little less than the interval: the clocks of two instances differ.
    runOnce: async () => ((await store.claim('sweep', intervalMs * 0.8)) ? sweep() : undefined),
    close: () => {
      isClosed = true
    }
  }
}
