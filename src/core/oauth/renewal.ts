import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, isDueForRenewal } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import { renewalPending } from '../connections/errors.ts'
import type { ChangeFeed, HeldLease, Lease } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { withTimeout } from '../util/timeout.ts'
import type { Versioned } from '../vault/records.ts'
import { assertNotBackingOff, createRefresh, type RefreshDependencies, readUsableConnection } from './refresh.ts'

export type RenewalDependencies = Omit<RefreshDependencies, 'pause' | 'closing'> & {
  readonly lease: Lease
  readonly changes: Pick<ChangeFeed, 'waitForChange'>
  /** Replaced by a model of time in tests. */
  readonly pause?: RefreshDependencies['pause']
  readonly timeout?: typeof withTimeout
}

/**
 * Renews a connection: exactly one refresh, however many requests and instances ask for it.
 * @param failed the connection as the caller used it. If the stored one has another credential already, that one is returned.
 * @param aheadMs for a caller whose credential still works: waits until the refresh is this old. Default: waits for 10 s.
 * @returns the connection with a credential newer than the failed one
 * @throws {GatewayError} `reconnect_required`, `connection_required`, `provider_unavailable`, `client_rejected`, `store_unavailable`;
 * `provider_timeout` also while the refresh is still in flight
 */
export type Renew = (key: ConnectionKey, failed: Connection, aheadMs?: number) => Promise<Versioned<Connection>>

export type Renewal = {
  readonly renew: Renew
  /** Resolves when nothing is in flight and every lease is released. After `withinMs` it gives up what is left. */
  settle(withinMs: number): Promise<void>
}

type AcquiredLease = { readonly lease: HeldLease; readonly requestedAtMs: number }

/** One renewal in this process that later callers join (single flight). */
type Flight = {
  readonly from: Secret
  readonly startedAtMs: number
  readonly result: Promise<Versioned<Connection>>
  waiters: number
}

/** Longest token request, to the end of its response: a minute, and a margin for a slow network. */
export const maxRefreshMs = 70_000
/** Longer than a token request: a holder that lost sight of the store must not meet a second holder at the provider. */
const leaseMs = maxRefreshMs + 5_000
/** How long a request waits for a refresh, which continues without it. */
const maxWaitMs = 10_000
/** How often a holder extends its lease. */
const extendEveryMs = 250
/** How often a waiter looks without a change notification: a lease that expires, or whose holder was killed, sends none. */
const pollMs = 100

const sleepUntilAborted: RefreshDependencies['pause'] = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {})

/** Exactly-once renewal: single flight in the process, a lease in the store between processes. */
export function createRenewal(dependencies: RenewalDependencies): Renewal {
  const { vault, clock, lease: leases, changes, pause = sleepUntilAborted, timeout = withTimeout } = dependencies
  const closing = new AbortController()
  // Every token request in flight listens.
  setMaxListeners(0, closing.signal)
  const refresh = createRefresh({ ...dependencies, pause, closing: closing.signal })
  const flights = new Map<string, Flight>()
  /** Refreshed connections that the store has not taken yet. */
  const unsaved = new Map<string, { from: Secret; renewed: Versioned<Connection> }>()
  const background = new Set<Promise<unknown>>()

  /** Not due itself: an outage of the store may last longer than a token that was renewed during it. */
  const isNewer = (current: Connection, failed: Connection) =>
    !current.credential.equals(failed.credential) && !isDueForRenewal(current, clock.now())

  async function renew(key: ConnectionKey, failed: Connection, aheadMs?: number): Promise<Versioned<Connection>> {
    const { id } = key
    const from = failed.credential
    const deadlineMs = clock.now() + maxWaitMs
    const remainingMs = ({ startedAtMs }: Flight) => (aheadMs === undefined ? deadlineMs : startedAtMs + aheadMs) - clock.now()
    const pending = unsaved.get(id)
    if (pending?.from.equals(from) && isNewer(pending.renewed.value, failed)) return pending.renewed
    // Only a flight that started from the same credential has the result: a sign-in may have come in between and be newer.
    for (let flight = flights.get(id); flight; flight = flights.get(id)) {
      if (flight.from.equals(from)) return join(flight, failed, remainingMs(flight))
      await join(flight, failed, remainingMs(flight)).catch(error => {
        if (flights.get(id) === flight) throw error
      })
    }
    const result = startFlight(key, failed).finally(() => flights.delete(id))
    result.catch(() => {}) // All waiters may have timed out.
    const flight = { from, startedAtMs: clock.now(), result, waiters: 0 }
    flights.set(id, flight)
    return join(flight, failed, remainingMs(flight))
  }

  async function join(flight: Flight, { provider }: Connection, withinMs: number): Promise<Versioned<Connection>> {
    if (withinMs <= 0) throw renewalPending(provider)
    flight.waiters++
    try {
      return await timeout(withinMs, flight.result, () => renewalPending(provider))
    } finally {
      flight.waiters--
    }
  }

  async function startFlight(key: ConnectionKey, failed: Connection): Promise<Versioned<Connection>> {
    const acquired = await acquireLease(key, failed)
    if (!('lease' in acquired)) return acquired
    const { promise, resolve, reject } = Promise.withResolvers<Versioned<Connection>>()
    // Waiters get the new token before it is persisted. The lease is held until the write succeeds.
    const resolveUnsaved = (renewed: Versioned<Connection>) => {
      unsaved.set(key.id, { from: failed.credential, renewed })
      resolve(renewed)
    }
    const work = underLease(acquired, async isLeaseHeld => {
      const stored = await readUsableConnection(vault, key)
      resolve(isNewer(stored.value, failed) ? stored : await refresh(key, stored, { isLeaseHeld, resolveUnsaved }))
    })
      .catch(reject)
      .finally(() => {
        unsaved.delete(key.id)
        background.delete(work)
      })
    background.add(work)
    return promise
  }

  async function underLease({ lease, requestedAtMs }: AcquiredLease, work: (isLeaseHeld: () => boolean) => Promise<void>): Promise<void> {
    const done = new AbortController()
    // Counted by our own clock from before the request: a process that stalled finds the lease expired before the store tells it.
    let expiresAtMs = requestedAtMs + leaseMs
    const extending = (async () => {
      for (;;) {
        await pause(extendEveryMs, done.signal)
        if (done.signal.aborted) return
        const extendedAtMs = clock.now()
        // A failed extend is inconclusive; `false` means that the lease is lost.
        const isHeld = await lease.extend(leaseMs).catch(() => undefined)
        if (isHeld === true) expiresAtMs = extendedAtMs + leaseMs
        if (isHeld === false) {
          expiresAtMs = Number.NEGATIVE_INFINITY
          return
        }
      }
    })()
    try {
      await work(() => clock.now() + maxRefreshMs < expiresAtMs)
    } finally {
      done.abort()
      await extending
      // A lease that is not released expires by itself. After a shutdown that gave up, a token request may still be in flight.
      if (!closing.signal.aborted) await lease.release().catch(() => {})
    }
  }

  /** @returns the lease; or the connection, when another instance has renewed it while we waited */
  async function acquireLease(key: ConnectionKey, failed: Connection): Promise<AcquiredLease | Versioned<Connection>> {
    for (let waitedMs = 0; ; ) {
      const requestedAtMs = clock.now()
      // Subscribed before the request, so that a change right after the response is not missed.
      const change = changes.waitForChange(key.owner, pollMs)
      const lease = await leases.acquire(key.owner, `renewal:${key.name}`, leaseMs, waitedMs)
      if (lease) return { lease, requestedAtMs }
      const stored = await readUsableConnection(vault, key)
      if (isNewer(stored.value, failed)) return stored
      assertNotBackingOff(stored.value, clock)
      const hasWaiters = (flights.get(key.id)?.waiters ?? 0) > 0
      if (!hasWaiters || closing.signal.aborted) throw renewalPending(key.provider)
      await change
      waitedMs += Math.max(0, clock.now() - requestedAtMs)
    }
  }

  return {
    renew,
    settle: async withinMs => {
      const timer = setTimeout(() => closing.abort(), withinMs)
      while (flights.size + background.size > 0)
        await Promise.allSettled([...[...flights.values()].map(({ result }) => result), ...background])
      clearTimeout(timer)
    }
  }
}
