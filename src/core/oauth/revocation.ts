import type { Connection } from '../connections/connection.ts'
import type { Events } from '../events.ts'
import type { Clock, Store } from '../ports.ts'
import { newId } from '../session.ts'
import { withTimeout } from '../util/timeout.ts'
import type { Cipher } from '../vault/cipher.ts'
import type { Version } from '../vault/records.ts'
import { RevocationError } from './revocation-error.ts'
import { createRevocationQueue, grantToRevoke, isSameGrant, maxPendingMs, type PendingRevocation } from './revocation-queue.ts'
import type { CredentialEndpoint } from './token-endpoint.ts'

/** How long a user who disconnects waits for the provider's confirmation. */
const maxWaitMs = 2_000
/** After each failed attempt; the last one repeats. */
const retryDelaysMs = [5_000, 60_000, 10 * 60_000, 60 * 60_000]
/** For so long an attempt belongs to one instance. Longer than a request to a provider may take: another instance retries if this one died. */
const claimMs = 2 * 60_000
/** How often the queue is read for what other instances have left behind. */
const pollMs = 60_000
const firstPollMs = 1_000
/** Attempts at once, and in one poll: a provider that is back is not flooded. */
const concurrency = 4
const maxPerPoll = 100

const nothing: ReadonlySet<string> = new Set()

/** Where a credential comes from. */
export type MadeWith = Pick<Connection, 'provider' | 'method'>

export type RevocationDependencies = {
  readonly store: Store
  readonly cipher: Cipher
  readonly clock: Clock
  readonly events: Events
  readonly endpointOf: (made: MadeWith) => Pick<CredentialEndpoint, 'revoke'> | undefined
  /** What a revocation ends at this provider, see `OAuth2Method.revocation`; `undefined` when it has no revocation. */
  readonly scopeOf: (made: MadeWith) => 'token' | 'grant' | undefined
  /** See `revocationNeeds`. Default: the token alone. */
  readonly needsOf?: (made: MadeWith) => ReadonlySet<string>
}

/** Revocations that are queued in the store and not attempted yet. */
type PlannedRevocations = { readonly size: number; carryOut(): Promise<void>; cancel(): Promise<void> }

export type Revocation = {
  /** Resolves when the provider has responded, or after 2 s. Never rejects; failed attempts are retried for 7 days. */
  revoke(connection: Connection): Promise<void>
  /** Revokes in the background a connection that was replaced, where that cannot end its replacement. */
  revokeReplaced(before: Connection | undefined, after: Connection): void
  /**
   * Queues a connection's revocation for the case that it is not taken in time, also after a restart.
   * @returns what `cancel` takes; `undefined` when there is nothing to revoke
   * @throws {GatewayError} `store_unavailable`
   */
  prepare(connection: Connection, dueInMs: number): Promise<string | undefined>
  /** Queues the revocation for a gateway that knows the provider. @throws {GatewayError} `store_unavailable` */
  leaveToOthers(connection: Connection): Promise<void>
  /** @throws {GatewayError} `store_unavailable`: then it will be revoked */
  cancel(id: string): Promise<void>
  /**
   * Queues connections that have ended by themselves, where a revocation ends no other one's.
   * @param options `isLastUse`: they were a user's, who has no other session with the same grant.
   * @throws {GatewayError} `store_unavailable`
   */
  plan(connections: Iterable<Connection>, options?: { readonly isLastUse?: boolean }): Promise<PlannedRevocations>
  /** Length of the queue when it was last read. */
  pendingCount(): number
  /** Polls the queue, now and from time to time. */
  start(): void
  /** Starts no more attempts; resolves when those in flight have ended, or after `withinMs`. The rest stays in the store. */
  close(withinMs: number): Promise<void>
}

/**
 * Revokes grants at their providers (RFC 7009) after they are deleted here. A revocation is in the store before its provider is asked and
 * until the provider confirms it: whichever instance finds it due retries. A token may thus be revoked twice, which RFC 7009 §2.2 allows.
 */
export function createRevocation(dependencies: RevocationDependencies): Revocation {
  const { store, cipher, clock, events, endpointOf, scopeOf, needsOf = () => nothing } = dependencies
  const queue = createRevocationQueue(store, cipher)
  /** Revocations that the store has not taken yet. */
  const unstored = new Map<string, PendingRevocation>()
  const inFlight = new Set<Promise<unknown>>()
  let isClosed = false
  let pendingCount = 0
  let timer: NodeJS.Timeout | undefined
  let timerAtMs = Number.POSITIVE_INFINITY

  function pendingOf(connection: Connection): PendingRevocation | undefined {
    const { provider } = connection
    const nowMs = clock.now()
    const revocable = scopeOf(connection) === undefined ? undefined : grantToRevoke(connection, nowMs, needsOf(connection))
    return revocable && { ...revocable, id: newId(), provider, createdAtMs: nowMs, failures: 0, dueAtMs: nowMs + claimMs }
  }

  /** Held in memory until the store has it. @param version see `queue.put` */
  async function enqueue(pending: PendingRevocation, version?: Version): Promise<Version | undefined> {
    try {
      return await queue.put(pending, version)
    } catch {
      if (version === undefined) unstored.set(pending.id, pending)
      return undefined
    }
  }

  async function attempt(pending: PendingRevocation, version: Version | undefined): Promise<void> {
    try {
      const { provider, method = 'oauth2' } = pending
      const endpoint = endpointOf({ provider, method })
      if (!endpoint) throw new RevocationError('its OAuth is off here')
      await endpoint.revoke(pending)
      await dequeue(pending)
    } catch (error) {
      if (error instanceof RevocationError && error.isGone) await dequeue(pending)
      else await postpone(pending, version, error as Error)
    }
  }

  async function dequeue({ id }: PendingRevocation): Promise<void> {
    unstored.delete(id)
    // If the store fails here, the provider is asked once more, in vain.
    await queue.remove(id).catch(() => {})
  }

  async function postpone(pending: PendingRevocation, version: Version | undefined, error: Error): Promise<void> {
    const { status, code, isFinal } = error instanceof RevocationError ? error : new RevocationError(error.name)
    const delayMs = retryDelaysMs[pending.failures] ?? (retryDelaysMs.at(-1) as number)
    const { renewed } = error instanceof RevocationError ? error : {}
    const next = { ...pending, ...renewed, failures: pending.failures + 1, dueAtMs: clock.now() + delayMs }
    const isGivenUp = isFinal || next.dueAtMs > pending.createdAtMs + maxPendingMs
    const nextTryMs = isGivenUp ? undefined : delayMs
    events.publish('revocation.failed', { provider: pending.provider, status, code, message: error.message, nextTryMs })
    if (isGivenUp) return dequeue(pending)
    if (unstored.has(next.id)) unstored.set(next.id, next)
    else await enqueue(next, version)
    pollBy(next.dueAtMs)
  }

  function pollBy(atMs: number): void {
    if (isClosed || atMs >= timerAtMs) return
    clearTimeout(timer)
    timerAtMs = atMs
    timer = setTimeout(
      () => {
        timerAtMs = Number.POSITIVE_INFINITY
        void tracked(poll()).finally(() => pollBy(clock.now() + pollMs))
      },
      Math.max(atMs - clock.now(), 0)
    )
    timer.unref()
  }

  async function poll(): Promise<void> {
    try {
      for (const pending of unstored.values()) {
        await queue.put(pending)
        unstored.delete(pending.id)
      }
      const found = await queue.list()
      pendingCount = found.length
      const nowMs = clock.now()
      const due = found.filter(({ value }) => value.dueAtMs <= nowMs).slice(0, maxPerPoll)
      for (let i = 0; i < due.length && !isClosed; i += concurrency) await Promise.all(due.slice(i, i + concurrency).map(claimAndAttempt))
      for (const { value } of found) if (value.dueAtMs > nowMs) pollBy(value.dueAtMs)
    } catch {
      // The store is down, which is logged elsewhere: the next poll finds them.
    }
  }

  /** Claims a due revocation, so that one instance attempts it. */
  async function claimAndAttempt({ value, version }: { value: PendingRevocation; version: Version }): Promise<void> {
    const claimed = { ...value, dueAtMs: clock.now() + claimMs }
    const claimedVersion = await queue.put(claimed, version)
    if (claimedVersion !== undefined) await attempt(claimed, claimedVersion)
  }

  function tracked<T>(work: Promise<T>): Promise<T> {
    inFlight.add(work)
    const done = () => void inFlight.delete(work)
    work.then(done, done)
    return work
  }

  const begin = (pending: PendingRevocation) => tracked(enqueue(pending).then(version => attempt(pending, version)))

  /** Resolves when the work has ended, or after `ms`. */
  const settled = (ms: number, work: Promise<unknown>): Promise<unknown> => withTimeout(ms, work).catch(() => undefined)

  return {
    async revoke(connection) {
      const pending = pendingOf(connection)
      if (pending) await settled(maxWaitMs, begin(pending))
    },

    revokeReplaced(before, after) {
      const pending = before && pendingOf(before)
      if (!pending || isSameGrant(before, after)) return
      if (after.method === 'oauth2' && scopeOf(before) !== 'token') return
      void begin(pending)
    },

    async plan(connections, { isLastUse = false } = {}) {
      const planned = [...connections]
        .filter(connection => isLastUse || scopeOf(connection) === 'token')
        .map(pendingOf)
        .filter(pending => pending !== undefined)
      const versions = await Promise.all(planned.map(pending => queue.put(pending)))
      pendingCount += planned.length
      return {
        size: planned.length,
        carryOut: async () => void (await tracked(Promise.all(planned.map((pending, i) => attempt(pending, versions[i]))))),
        cancel: async () => void (await Promise.all(planned.map(({ id }) => queue.remove(id))))
      }
    },

    async prepare(connection, dueInMs) {
      const pending = pendingOf(connection)
      if (!pending) return undefined
      await queue.put({ ...pending, dueAtMs: clock.now() + dueInMs })
      return pending.id
    },

    async leaveToOthers(connection) {
      const nowMs = clock.now()
      const revocable = grantToRevoke(connection, nowMs)
      const { provider } = connection
      if (revocable) await queue.put({ ...revocable, id: newId(), provider, createdAtMs: nowMs, failures: 0, dueAtMs: nowMs })
    },

    cancel: id => queue.remove(id),

    pendingCount: () => pendingCount,

    start: () => pollBy(clock.now() + firstPollMs),

    async close(withinMs) {
      isClosed = true
      clearTimeout(timer)
      await settled(withinMs, Promise.allSettled(inFlight))
    }
  }
}
