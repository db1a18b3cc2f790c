import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import type { Fleet } from './fleet.ts'
import { type Load, startLoad } from './load.ts'
import { assertServed, medianMs, recoveryMs } from './results.ts'

/** Two sessions under steady load, which an outage of the store treats differently. */
export type Sessions = {
  /** Its access token lives for longer than any outage here: what is in memory suffices for a while. */
  readonly lasting: Load
  /** Its access token is renewed again and again, which needs the store. */
  readonly renewing: Load
  stop(): Promise<void>
}

const lasting = { provider: 'ignition', path: '/proxy/ignition/reporting/clients', callers: 2 }
const renewing = { provider: 'productboard', path: '/proxy/productboard/v2/notes', callers: 3 }
/** Of the sandbox: renewed at half of that. It counts whole seconds, so that one of them may end up to a second before its time. */
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
  /** Left out: it mends itself. */
  recover?(): Promise<void> | void
}

/** Lets it happen under load, with a third session that no instance has in memory, and tells how long it took to be well again. */
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

  // The grace in which what is in memory serves is 30 s.
  assertServed(t, 'a session in memory', sessions.lasting.since(injectMs), [])
  assertServed(t, 'a session whose token is renewed', sessions.renewing.since(injectMs))
  assertServed(t, 'a session in no memory', coldLoad.since(injectMs))
  const recoveryTimesMs = [sessions.renewing, coldLoad].map(load => recoveryMs(load.since(injectMs), recoverMs))
  t.comment(`well again after ${Math.max(...recoveryTimesMs)} ms`)
  if (durationMs > 0)
    t.ok(medianMs(coldLoad.since(injectMs), '503 store_unavailable') < 1000, 'who is in no memory is told to try again, within a second')
}
