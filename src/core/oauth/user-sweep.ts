import { isIdleSince } from '../connections/connection.ts'
import type { Clock, Store } from '../ports.ts'
import { isLive, type SessionLimits } from '../session.ts'
import { isUserOwner } from '../users/owner.ts'
import type { Cipher } from '../vault/cipher.ts'
import { userTtlMs } from '../vault/owner-sessions.ts'
import {
  connectionField,
  connectionPrefix,
  createRecords,
  expectRecord,
  type FieldMap,
  invitationPrefix,
  loginField,
  sessionPrefix
} from '../vault/records.ts'
import type { Revocation } from './revocation.ts'

/** What a sweep of one owner did. */
type Swept = { readonly isDeleted: boolean; readonly grants: number }

export type UserSweep = {
  /**
   * Deletes what has ended of a user: sessions, and connections that nobody has used for too long, whose grants are revoked. Deletes the
   * user's other records when nothing is left that needs them.
   */
  sweepOwner(owner: string): Promise<Swept>
  /**
   * Sweeps all users, slowly: of all instances that share the store, one does it in each interval.
   * @returns `undefined` when another instance has
   */
  runOnce(): Promise<{ readonly owners: number; readonly grants: number } | undefined>
  /** Between two sweeps, in milliseconds. */
  readonly intervalMs: number
  close(): void
}

export type UserSweepOptions = {
  readonly store: Store
  readonly cipher: Cipher
  readonly limits: SessionLimits
  readonly connectionIdleMs: number
  readonly clock: Clock
  readonly revocation: Pick<Revocation, 'plan' | 'pendingCount'>
  /** Between two batches. Replaced in tests. */
  readonly pause: (ms: number) => Promise<void>
}

const maxIntervalMs = 24 * 60 * 60_000
const minIntervalMs = 5_000
/** A million users take an hour in which the store reads some 300 of them a second. */
const batchSize = 30
const pauseMs = 100
/** With this many pending revocations a provider is down: the next sweep goes on. */
const maxPendingRevocations = 1_000

export function createUserSweep({ store, cipher, limits, connectionIdleMs, clock, revocation, pause }: UserSweepOptions): UserSweep {
  const records = createRecords(cipher)
  const intervalMs = Math.min(Math.max(connectionIdleMs / 10, minIntervalMs), maxIntervalMs)
  let isClosed = false

  const isEndedSession = (owner: string, fields: FieldMap, field: string): boolean => {
    const id = field.slice(sessionPrefix.length)
    const session = records.openSession(owner, id, fields.get(field))
    // Another instance may have the key that is missing here.
    return session !== undefined && !isLive(session.value, limits, clock.now())
  }

  async function sweepOwner(owner: string): Promise<Swept> {
    const fields = await store.readAll(owner)
    const nowMs = clock.now()
    const idle = [...records.connectionsIn(owner, fields)].filter(({ value }) => isIdleSince(value, nowMs - connectionIdleMs))
    const endedSessions = [...fields.keys()].filter(field => field.startsWith(sessionPrefix) && isEndedSession(owner, fields, field))
    const ended = new Set([
      ...idle.map(({ key }) => connectionField(key)),
      ...endedSessions.flatMap(field => [field, loginField(field.slice(sessionPrefix.length))]),
      ...[...fields.keys()].filter(field => field.startsWith(invitationPrefix) && isEndedInvitation(owner, fields, field, nowMs))
    ])
    // The user's own record and the default accounts are of no use without the rest.
    const hasUse = [...fields.keys()].some(field => !ended.has(field) && isOfUse(field))
    const remove = hasUse ? [...ended].filter(field => fields.has(field)) : [...fields.keys()]
    if (remove.length === 0) return { isDeleted: false, grants: 0 }
    // Queued before the records with the tokens are deleted, so that a token is in the store at any moment.
    const planned = await revocation.plan(
      idle.map(({ value }) => value),
      { isLastUse: true }
    )
    const expect = remove.map(field => expectRecord(field, fields.get(field)))
    const ttl = hasUse ? { ttlMs: userTtlMs({ limits, connectionIdleMs }) } : {}
    if (!(await store.commit(owner, { expect, remove, ...ttl }))) {
      await planned.cancel()
      return { isDeleted: false, grants: 0 }
    }
    await planned.carryOut()
    return { isDeleted: !hasUse, grants: planned.size }
  }

  function isEndedInvitation(owner: string, fields: FieldMap, field: string, nowMs: number): boolean {
    const invitation = records.open(owner, field, fields.get(field), plain => JSON.parse(plain.toString()) as { expiresAtMs: number })
    return invitation !== undefined && invitation.value.expiresAtMs <= nowMs
  }

  async function sweepAll() {
    const result = { owners: 0, grants: 0 }
    for await (const found of store.scanOwners()) {
      const owners = found.filter(isUserOwner)
      for (let i = 0; i < owners.length; i += batchSize) {
        if (isClosed || revocation.pendingCount() >= maxPendingRevocations) return result
        for (const owner of owners.slice(i, i + batchSize)) {
          const { isDeleted, grants } = await sweepOwner(owner)
          result.owners += isDeleted ? 1 : 0
          result.grants += grants
        }
        await pause(pauseMs)
      }
    }
    return result
  }

  return {
    sweepOwner,
    intervalMs,
    // A little less than the interval: the clocks of two instances differ.
    runOnce: async () => ((await store.claim('user sweep', intervalMs * 0.8)) ? sweepAll() : undefined),
    close: () => {
      isClosed = true
    }
  }
}

const isOfUse = (field: string): boolean =>
  field.startsWith(sessionPrefix) || field.startsWith(connectionPrefix) || field.startsWith(invitationPrefix)
