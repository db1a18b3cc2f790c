import type { Connection } from '../connections/connection.ts'
import type { Clock, Store } from '../ports.ts'
import { newId } from '../session.ts'
import type { Cipher } from '../vault/cipher.ts'
import type { Version } from '../vault/records.ts'
import { RevocationError } from './revocation-error.ts'
import { createRevocationQueue, isSameGrant, maxPendingMs, type PendingRevocation, tokenToRevoke } from './revocation-queue.ts'
import type { TokenEndpoint } from './token-endpoint.ts'

/** How long somebody who disconnects waits for the provider's yes. */
const patienceMs = 2_000
/** After each try that failed; the last one again and again. */
const retryDelaysMs = [5_000, 60_000, 10 * 60_000, 60 * 60_000]
/** For so long a try is one instance's own. Longer than a call to a provider may take: another instance tries when this one has died. */
const heldMs = 2 * 60_000
/** How often it is looked for what other instances have left behind. */
const lookEveryMs = 60_000
const firstLookMs = 1_000
/** So many at once, and so many in a look: a provider that is back is not flooded. */
const abreast = 4
const maxInALook = 100

export type RevocationDependencies = {
  readonly store: Store
  readonly cipher: Cipher
  readonly clock: Clock
  readonly endpointOf: (provider: string) => TokenEndpoint | undefined
  /** What a revocation at this provider ends, see `OAuth2Method.revocation`; `undefined` when it has none. */
  readonly scopeOf: (provider: string) => 'token' | 'grant' | undefined
  readonly onFailed: (failure: RevocationFailure) => void
}

export type RevocationFailure = {
  readonly provider: string
  readonly status: number | undefined
  readonly code: string | undefined
  readonly message: string
  /** Milliseconds until the next try; `undefined` when it is given up. */
  readonly nextTryMs: number | undefined
}

/** Revocations that are kept already, and not begun yet. */
type Planned = { readonly size: number; carryOut(): Promise<void>; cancel(): Promise<void> }

export type Revocation = {
  /** Resolves when the provider has answered, or when waiting for it would keep a person too long. Never rejects. */
  revoke(connection: Connection): Promise<void>
  /** The same in the background for what has been replaced, where that does not end what has taken its place. */
  revokeReplaced(before: Connection | undefined, after: Connection): void
  /** For connections of sessions that have ended, where nobody else's end with them. @throws {GatewayError} `store_unavailable` */
  plan(connections: Iterable<Connection>): Promise<Planned>
  /** How many were waiting when it was last looked. */
  pendingCount(): number
  /** Looks for what is due, now and from time to time. */
  start(): void
  /** Begins no more; resolves when what is under way has ended, or after `withinMs`. What is left is in the store. */
  close(withinMs: number): Promise<void>
}

/**
 * Revokes grants at their providers (RFC 7009) after they are gone here. What is to be revoked is in the store before its provider is
 * asked, and until it has said yes: whichever instance finds it due asks again. So one may be asked twice, which RFC 7009 §2.2 allows.
 */
export function createRevocation({ store, cipher, clock, endpointOf, scopeOf, onFailed }: RevocationDependencies): Revocation {
  const pendings = createRevocationQueue(store, cipher)
  /** Those that the store has not taken yet. */
  const unstored = new Map<string, PendingRevocation>()
  const working = new Set<Promise<unknown>>()
  let isOver = false
  let waiting = 0
  let timer: NodeJS.Timeout | undefined
  let timerAtMs = Number.POSITIVE_INFINITY

  function pendingOf(connection: Connection): PendingRevocation | undefined {
    const { provider } = connection
    const nowMs = clock.now()
    const revocable = scopeOf(provider) === undefined ? undefined : tokenToRevoke(connection, nowMs)
    return revocable && { ...revocable, id: newId(), provider, createdAtMs: nowMs, failures: 0, dueAtMs: nowMs + heldMs }
  }

  /** Until the store has it, it is in memory. @param version see `pendings.put` */
  async function keep(pending: PendingRevocation, version?: Version): Promise<Version | undefined> {
    try {
      return await pendings.put(pending, version)
    } catch {
      if (version === undefined) unstored.set(pending.id, pending)
      return undefined
    }
  }

  async function attempt(pending: PendingRevocation, version: Version | undefined): Promise<void> {
    try {
      const endpoint = endpointOf(pending.provider)
      if (!endpoint) throw new RevocationError('its OAuth is off here')
      await endpoint.revoke(pending)
      await forget(pending)
    } catch (error) {
      if (error instanceof RevocationError && error.isGone) await forget(pending)
      else await postpone(pending, version, error as Error)
    }
  }

  async function forget({ id }: PendingRevocation): Promise<void> {
    unstored.delete(id)
    // What the store does not forget is asked for once more, in vain.
    await pendings.remove(id).catch(() => {})
  }

  async function postpone(pending: PendingRevocation, version: Version | undefined, error: Error): Promise<void> {
    const { status, code, isFinal } = error instanceof RevocationError ? error : new RevocationError(error.name)
    const delayMs = retryDelaysMs[pending.failures] ?? (retryDelaysMs.at(-1) as number)
    const next = { ...pending, failures: pending.failures + 1, dueAtMs: clock.now() + delayMs }
    const isGivenUp = isFinal || next.dueAtMs > pending.createdAtMs + maxPendingMs
    onFailed({ provider: pending.provider, status, code, message: error.message, nextTryMs: isGivenUp ? undefined : delayMs })
    if (isGivenUp) return forget(pending)
    if (unstored.has(next.id)) unstored.set(next.id, next)
    else await keep(next, version)
    lookBy(next.dueAtMs)
  }

  function lookBy(atMs: number): void {
    if (isOver || atMs >= timerAtMs) return
    clearTimeout(timer)
    timerAtMs = atMs
    timer = setTimeout(
      () => {
        timerAtMs = Number.POSITIVE_INFINITY
        void tracked(look()).finally(() => lookBy(clock.now() + lookEveryMs))
      },
      Math.max(atMs - clock.now(), 0)
    )
    timer.unref()
  }

  async function look(): Promise<void> {
    try {
      for (const pending of unstored.values()) {
        await pendings.put(pending)
        unstored.delete(pending.id)
      }
      const found = await pendings.list()
      waiting = found.length
      const nowMs = clock.now()
      const due = found.filter(({ value }) => value.dueAtMs <= nowMs).slice(0, maxInALook)
      for (let i = 0; i < due.length && !isOver; i += abreast) await Promise.all(due.slice(i, i + abreast).map(take))
      for (const { value } of found) if (value.dueAtMs > nowMs) lookBy(value.dueAtMs)
    } catch {
      // The store is down, and says so wherever it is asked for more than this: the next look finds them.
    }
  }

  /** Of all who find it due, one has it. */
  async function take({ value, version }: { value: PendingRevocation; version: Version }): Promise<void> {
    const taken = { ...value, dueAtMs: clock.now() + heldMs }
    const held = await pendings.put(taken, version)
    if (held !== undefined) await attempt(taken, held)
  }

  function tracked<T>(work: Promise<T>): Promise<T> {
    working.add(work)
    const done = () => void working.delete(work)
    work.then(done, done)
    return work
  }

  const begin = (pending: PendingRevocation) => tracked(keep(pending).then(version => attempt(pending, version)))

  async function within(ms: number, work: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const patience = setTimeout(resolve, ms)
    await Promise.race([work, promise])
    clearTimeout(patience)
  }

  return {
    async revoke(connection) {
      const pending = pendingOf(connection)
      if (pending) await within(patienceMs, begin(pending))
    },

    revokeReplaced(before, after) {
      const pending = before && pendingOf(before)
      if (!pending || isSameGrant(before, after)) return
      if (after.method === 'oauth2' && scopeOf(before.provider) !== 'token') return
      void begin(pending)
    },

    async plan(connections) {
      const planned = [...connections]
        .filter(({ provider }) => scopeOf(provider) === 'token')
        .map(pendingOf)
        .filter(pending => pending !== undefined)
      const versions = await Promise.all(planned.map(pending => pendings.put(pending)))
      waiting += planned.length
      return {
        size: planned.length,
        carryOut: async () => void (await tracked(Promise.all(planned.map((pending, i) => attempt(pending, versions[i]))))),
        cancel: async () => void (await Promise.all(planned.map(({ id }) => pendings.remove(id))))
      }
    },

    pendingCount: () => waiting,

    start: () => lookBy(clock.now() + firstLookMs),

    async close(withinMs) {
      isOver = true
      clearTimeout(timer)
      await within(withinMs, Promise.allSettled(working))
    }
  }
}
