import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import type { Fleet } from './fleet.ts'
import { type Load, startLoad } from './load.ts'
import { keepsFaith, medianMs, wellAfterMs } from './results.ts'

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
  const start = async ({ provider, ...options }: typeof lasting) => startLoad(t, fleet.urls, await fleet.signedIn(provider), options)
  const loads = { lasting: await start(lasting), renewing: await start(renewing) }
  const both = Object.values(loads)
  const startMs = performance.now()
  await Promise.all(both.map(load => load.well(startMs)))
  return { ...loads, stop: async () => void (await Promise.all(both.map(load => load.stop()))) }
}

export async function nextRenewal({ sandbox }: Fleet): Promise<void> {
  const { counts } = sandbox.vendor(renewing.provider)
  const before = counts.tokenRequests.refresh_token ?? 0
  await eventually('a renewal', async () => (counts.tokenRequests.refresh_token ?? 0) > before)
}

export type Outage = {
  begin(): Promise<void> | void
  lastsMs?: number
  /** Left out: it mends itself. */
  mend?(): Promise<void> | void
}

/** Lets it happen under load, with a third session that no instance has in memory, and tells how long it took to be well again. */
export async function goThrough(t: Test, fleet: Fleet, sessions: Sessions, { begin, lastsMs = 0, mend = () => {} }: Outage): Promise<void> {
  const stranger = await fleet.signedIn(lasting.provider)
  const beginMs = performance.now()
  await begin()
  const cold = startLoad(t, fleet.urls, stranger, { path: lasting.path, callers: 1 })
  await sleep(lastsMs)
  await mend()
  const mendMs = performance.now()
  await nextRenewal(fleet)
  await Promise.all([sessions.lasting, sessions.renewing, cold].map(load => load.well(mendMs)))
  await cold.stop()

  // The grace in which what is in memory serves is 30 s.
  keepsFaith(t, 'a session in memory', sessions.lasting.since(beginMs), [])
  keepsFaith(t, 'a session whose token is renewed', sessions.renewing.since(beginMs))
  keepsFaith(t, 'a session in no memory', cold.since(beginMs))
  const wellMs = [sessions.renewing, cold].map(load => wellAfterMs(load.since(beginMs), mendMs))
  t.comment(`well again after ${Math.max(...wellMs)} ms`)
  if (lastsMs > 0)
    t.ok(medianMs(cold.since(beginMs), '503 store_unavailable') < 1000, 'who is in no memory is told to try again, within a second')
}
