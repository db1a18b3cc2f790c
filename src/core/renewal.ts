import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, isDueForRenewal } from './connection.ts'
import type { Hold, Lease, Watch } from './ports.ts'
import type { Versioned } from './records.ts'
import { createRefresh, keptConnection, type RefreshParts, throwWhileBackingOff } from './refresh.ts'
import type { Secret } from './secret.ts'

export type RenewalParts = Omit<RefreshParts, 'onLost' | 'pause' | 'over'> &
  Partial<Pick<RefreshParts, 'onLost' | 'pause'>> & {
    readonly lease: Lease
    readonly watch: Pick<Watch, 'nextChange'>
  }

/**
 * Exactly one refresh, however many ask.
 * @param failed the connection as the caller used it. When the kept one carries another credential already, that is the answer.
 * @returns the connection with a credential that is newer than the failed one
 * @throws {GatewayError} `reconnect_required`, `connection_required`, `provider_unavailable`, `provider_timeout`, `store_unavailable`
 */
export type Renew = (owner: string, failed: Connection) => Promise<Versioned<Connection>>

export type Renewal = {
  readonly renew: Renew
  /** Resolves when what is under way has ended and every lease has been given back; after `withinMs` what is not saved is given up. */
  settle(withinMs: number): Promise<void>
}

type Taken = { readonly hold: Hold; readonly askedAtMs: number }

/** Longer than a token call may take: a holder that lost sight of the store does not meet a second one at the provider. */
const leaseMs = 15_000
/** How often a holder says that it lives. */
const extendMs = 250
/** How often one who waits looks, though no change was told: the end of a lease by death or time is told by nobody. */
const lookMs = 100

const pauseFor: RefreshParts['pause'] = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {})

export function createRenewal({ lease, watch, onLost = () => {}, pause = pauseFor, ...parts }: RenewalParts): Renewal {
  const { vault, clock } = parts
  const over = new AbortController()
  const refresh = createRefresh({ ...parts, onLost, pause, over: over.signal })
  const flights = new Map<string, { from: Secret; outcome: Promise<Versioned<Connection>> }>()
  /** Refreshed, and not yet taken by the store. */
  const unsaved = new Map<string, { from: Secret; fresh: Versioned<Connection> }>()
  const working = new Set<Promise<unknown>>()

  /** Newer, and not due itself: an outage of the store may outlast what was renewed in it. */
  const isAnswer = (kept: Connection, failed: Connection) =>
    !kept.credential.equals(failed.credential) && !isDueForRenewal(kept, clock.now())

  async function renew(owner: string, failed: Connection): Promise<Versioned<Connection>> {
    const key = `${owner}:${failed.provider}`
    const from = failed.credential
    const held = unsaved.get(key)
    if (held?.from.equals(from) && isAnswer(held.fresh.value, failed)) return held.fresh
    // Only what began with the same credential is an answer: a sign-in may have come in between, and be the newer one.
    for (let flight = flights.get(key); flight; flight = flights.get(key)) {
      if (flight.from.equals(from)) return flight.outcome
      await flight.outcome.catch(() => {})
    }
    const outcome = fly(key, owner, failed).finally(() => flights.delete(key))
    flights.set(key, { from, outcome })
    return outcome
  }

  async function fly(key: string, owner: string, failed: Connection): Promise<Versioned<Connection>> {
    const taken = await takeLease(owner, failed)
    if (!('hold' in taken)) return taken
    const { promise, resolve, reject } = Promise.withResolvers<Versioned<Connection>>()
    // The work may go on after who waits has the answer, while the store does not take it; and with it the lease.
    const answerNow = (fresh: Versioned<Connection>) => {
      unsaved.set(key, { from: failed.credential, fresh })
      resolve(fresh)
    }
    const work = underLease(taken, async stillHeld => {
      const kept = await keptConnection(vault, owner, failed.provider)
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
      await work(() => clock.now() < endsAtMs)
    } finally {
      done.abort()
      await extending
      await hold.release().catch(() => {}) // The lease ends by itself; the outcome is what counts.
    }
  }

  /** The right to refresh; or the connection, when another instance has refreshed it while we waited. */
  async function takeLease(owner: string, failed: Connection): Promise<Taken | Versioned<Connection>> {
    for (let waitedMs = 0; ; ) {
      const sinceMs = clock.now()
      // Before we ask, so that a change which comes right after the answer is not missed.
      const change = watch.nextChange(owner, lookMs)
      const hold = await lease.acquire(owner, `renewal:${failed.provider}`, leaseMs, waitedMs)
      if (hold) return { hold, askedAtMs: sinceMs }
      const kept = await keptConnection(vault, owner, failed.provider)
      if (isAnswer(kept.value, failed)) return kept
      throwWhileBackingOff(kept.value, clock)
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
