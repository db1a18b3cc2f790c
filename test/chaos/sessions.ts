import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import type { Fleet } from './fleet.ts'
import { type Load, startLoad } from './load.ts'
import { assertServed, medianMs, recoveryMs } from './results.ts'

/** Two sessions under steady load that a store outage affects differently. */
export type Sessions = {
  /** Its access token outlives every outage here, so the record cache suffices for a while. */
  readonly lasting: Load
  /** Its access token expires every few seconds, and each renewal needs the store. */
  readonly renewing: Load
  stop(): Promise<void>
}

const lasting = { provider: 'ignition', path: '/proxy/ignition/reporting/clients', callers: 2 }
const renewing = { provider: 'productboard', path: '/proxy/productboard/v2/notes', callers: 3 }
/** The gateway renews after half of the lifetime. The sandbox counts whole seconds, so a token may expire up to a second early. */
export const switches = { productboard: { accessTokenSeconds: 3 } }

export async function startSessions(t: Test, fleet: Fleet): Promise<Sessions> {
  const start = async ({ provider, ...options }: typeof lasting) => startLoad(t, fleet.urls, await fleet.signIn(provider), options)
  const loads = { lasting: await start(lasting), renewing: await start(renewing) }
  const both = Object.values(loads)
  const startMs = performance.now()
  await Promise.all(both.map(load => load.recovered(startMs)))
  return { ...loads, stop: async () => void (await Promise.all(both.map(load => load.stop()))) }
}

export async function nextRenewal({ sandbox }: Fleet): Promise<void> {
  const { counts } = sandbox.vendor(renewing.provider)
  const before = counts.tokenRequests.refresh_token ?? 0
  await eventually('a renewal', async () => (counts.tokenRequests.refresh_token ?? 0) > before)
}

export type Outage = {
  inject(): Promise<void> | void
  durationMs?: number
  /** Left out when the store recovers by itself. */
  recover?(): Promise<void> | void
}

/**
 * Runs the outage under load, with a third session that no instance has cached. Asserts that every request is served and reports the
 * recovery time.
 */
export async function surviveOutage(
  t: Test,
  fleet: Fleet,
  sessions: Sessions,
  { inject, durationMs = 0, recover = () => {} }: Outage
): Promise<void> {
  const uncached = await fleet.signIn(lasting.provider)
  const injectMs = performance.now()
  await inject()
  const coldLoad = startLoad(t, fleet.urls, uncached, { path: lasting.path, clients: 1 })
  await sleep(durationMs)
  await recover()
  const recoverMs = performance.now()
  await nextRenewal(fleet)
  await Promise.all([sessions.lasting, sessions.renewing, coldLoad].map(load => load.recovered(recoverMs)))
  await coldLoad.stop()

  // Cached records are served for 30 s without the store.
  assertServed(t, 'cached session', sessions.lasting.since(injectMs), [])
  assertServed(t, 'session with renewals', sessions.renewing.since(injectMs))
  assertServed(t, 'uncached session', coldLoad.since(injectMs))
  const recoveryTimesMs = [sessions.renewing, coldLoad].map(load => recoveryMs(load.since(injectMs), recoverMs))
  t.comment(`recovered after ${Math.max(...recoveryTimesMs)} ms`)
  if (durationMs > 0)
    t.ok(medianMs(coldLoad.since(injectMs), '503 store_unavailable') < 1000, 'an uncached session gets its 503 within a second')
}
