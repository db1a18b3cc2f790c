import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, isDueForRenewal } from '../connections/connection.ts'
import { renewalPending } from '../connections/errors.ts'
import type { ChangeFeed, HeldLease, Lease } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { withTimeout } from '../util/timeout.ts'
import type { Versioned } from '../vault/records.ts'
import { assertNotBackingOff, createRefresh, type RefreshDependencies, readUsableConnection } from './refresh.ts'

type Told = 'onOvertaken' | 'onLost' | 'onAbandoned' | 'onFailed' | 'onEnded'

export type RenewalDependencies = Omit<RefreshDependencies, Told | 'pause' | 'closing'> &
  Partial<Pick<RefreshDependencies, Told | 'pause'>> & {
    readonly lease: Lease
    readonly watch: Pick<ChangeFeed, 'waitForChange'>
    /** What the work comes to, unless that takes longer; the work goes on. */
    readonly patience?: typeof withTimeout
  }

/**
 * Exactly one refresh, however many ask.
 * @param failed the connection as the caller used it. When the kept one carries another credential already, that is the answer.
 * @param aheadMs for who could go on with the old credential: how long after its beginning the refresh is waited for. Left out: 10 s from now.
 * @returns the connection with a credential that is newer than the failed one
 * @throws {GatewayError} `reconnect_required`, `connection_required`, `provider_unavailable`, `client_rejected`, `store_unavailable`, and
 * `provider_timeout` also while the refresh goes on
 */
export type Renew = (owner: string, failed: Connection, aheadMs?: number) => Promise<Versioned<Connection>>

export type Renewal = {
  readonly renew: Renew
  /** Resolves when what is under way has ended and every lease has been given back; after `withinMs` what is left is given up. */
  settle(withinMs: number): Promise<void>
}

type Taken = { readonly hold: HeldLease; readonly askedAtMs: number }

type Flight = {
  readonly from: Secret
  readonly sinceMs: number
  readonly outcome: Promise<Versioned<Connection>>
  /** How many wait for it. */
  waiting: number
}

/** How long a token call may take, to the end of its response: a minute, and a little more on a slow way. */
export const maxRefreshMs = 70_000
/** Longer than that, so that a holder which lost sight of the store does not meet a second one at the provider. */
const leaseMs = maxRefreshMs + 5_000
/** How long a call waits for a refresh, which goes on without it. */
const waitMs = 10_000
/** How often a holder says that it lives. */
const extendMs = 250
/** How often one who waits looks, though no change was told: the end of a lease by death or time is told by nobody. */
const lookMs = 100

const pauseFor: RefreshDependencies['pause'] = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {})

export function createRenewal({ lease, watch, pause = pauseFor, patience = withTimeout, ...given }: RenewalDependencies): Renewal {
  const unheard = { onOvertaken: () => {}, onLost: () => {}, onAbandoned: () => {}, onFailed: () => {}, onEnded: () => {} }
  const parts = { ...unheard, ...given }
  const { vault, clock } = parts
  const over = new AbortController()
  // Each token call under way has one.
  setMaxListeners(0, over.signal)
  const refresh = createRefresh({ ...parts, pause, closing: over.signal })
  const flights = new Map<string, Flight>()
  /** Refreshed, and not yet taken by the store. */
  const unsaved = new Map<string, { from: Secret; fresh: Versioned<Connection> }>()
  const working = new Set<Promise<unknown>>()

  /** Newer, and not due itself: an outage of the store may outlast what was renewed in it. */
  const isAnswer = (kept: Connection, failed: Connection) =>
    !kept.credential.equals(failed.credential) && !isDueForRenewal(kept, clock.now())

  async function renew(owner: string, failed: Connection, aheadMs?: number): Promise<Versioned<Connection>> {
    const key = `${owner}:${failed.provider}`
    const from = failed.credential
    const untilMs = clock.now() + waitMs
    const limitMs = ({ sinceMs }: Flight) => (aheadMs === undefined ? untilMs : sinceMs + aheadMs) - clock.now()
    const held = unsaved.get(key)
    if (held?.from.equals(from) && isAnswer(held.fresh.value, failed)) return held.fresh
    // Only what began with the same credential is an answer: a sign-in may have come in between, and be the newer one.
    for (let flight = flights.get(key); flight; flight = flights.get(key)) {
      if (flight.from.equals(from)) return landing(flight, failed, limitMs(flight))
      await landing(flight, failed, limitMs(flight)).catch(error => {
        if (flights.get(key) === flight) throw error
      })
    }
    const outcome = fly(key, owner, failed).finally(() => flights.delete(key))
    outcome.catch(() => {}) // Nobody may wait for it any more.
    const flight = { from, sinceMs: clock.now(), outcome, waiting: 0 }
    flights.set(key, flight)
    return landing(flight, failed, limitMs(flight))
  }

  async function landing(flight: Flight, { provider }: Connection, limitMs: number): Promise<Versioned<Connection>> {
    if (limitMs <= 0) throw renewalPending(provider)
    flight.waiting++
    try {
      return await patience(limitMs, flight.outcome, () => renewalPending(provider))
    } finally {
      flight.waiting--
    }
  }

  async function fly(key: string, owner: string, failed: Connection): Promise<Versioned<Connection>> {
    const taken = await takeLease(owner, failed, () => (flights.get(key)?.waiting ?? 0) > 0)
    if (!('hold' in taken)) return taken
    const { promise, resolve, reject } = Promise.withResolvers<Versioned<Connection>>()
    // The work may go on after who waits has the answer, while the store does not take it; and with it the lease.
    const answerNow = (fresh: Versioned<Connection>) => {
      unsaved.set(key, { from: failed.credential, fresh })
      resolve(fresh)
    }
    const work = underLease(taken, async stillHeld => {
      const kept = await readUsableConnection(vault, owner, failed.provider)
      resolve(isAnswer(kept.value, failed) ? kept : await refresh(owner, kept, { stillHeld, answerNow }))
    })
      .catch(reject)
      .finally(() => {
        unsaved.delete(key)
        working.delete(work)
      })
    working.add(work)
    return promise
  }

  async function underLease({ hold, askedAtMs }: Taken, work: (stillHeld: () => boolean) => Promise<void>): Promise<void> {
    const done = new AbortController()
    // Counted from before we asked, by our own clock: a process that stood still finds the lease ended before anyone tells it.
    let endsAtMs = askedAtMs + leaseMs
    const extending = (async () => {
      for (;;) {
        await pause(extendMs, done.signal)
        if (done.signal.aborted) return
        const askedAtMs = clock.now()
        // Without an answer nobody knows; an answer that says no is the end of it.
        const isHeld = await hold.extend(leaseMs).catch(() => undefined)
        if (isHeld === true) endsAtMs = askedAtMs + leaseMs
        if (isHeld === false) endsAtMs = Number.NEGATIVE_INFINITY
        if (isHeld === false) return
      }
    })()
    try {
      await work(() => clock.now() + maxRefreshMs < endsAtMs)
    } finally {
      done.abort()
      await extending
      // The lease ends by itself; the outcome is what counts. A token call that was given up may still be under way.
      if (!over.signal.aborted) await hold.release().catch(() => {})
    }
  }

  /** The right to refresh; or the connection, when another instance has refreshed it while we waited. */
  async function takeLease(owner: string, failed: Connection, isWaitedFor: () => boolean): Promise<Taken | Versioned<Connection>> {
    for (let waitedMs = 0; ; ) {
      const sinceMs = clock.now()
      // Before we ask, so that a change which comes right after the answer is not missed.
      const change = watch.waitForChange(owner, lookMs)
      const hold = await lease.acquire(owner, `renewal:${failed.provider}`, leaseMs, waitedMs)
      if (hold) return { hold, askedAtMs: sinceMs }
      const kept = await readUsableConnection(vault, owner, failed.provider)
      if (isAnswer(kept.value, failed)) return kept
      assertNotBackingOff(kept.value, clock)
      if (!isWaitedFor() || over.signal.aborted) throw renewalPending(failed.provider)
      await change
      waitedMs += Math.max(0, clock.now() - sinceMs)
    }
  }

  return {
    renew,
    settle: async withinMs => {
      const timer = setTimeout(() => over.abort(), withinMs)
      while (flights.size + working.size > 0) await Promise.allSettled([...[...flights.values()].map(({ outcome }) => outcome), ...working])
      clearTimeout(timer)
    }
  }
}
