import type { Clock, Store } from '../ports.ts'
import { BoundedMap } from '../util/bounded-map.ts'

/** @returns the number of requests in the window, this one included, and the time until the window ends */
export type CountRequest = (
  key: string,
  windowMs: number,
  limit: number
) => Promise<{ readonly current: number; readonly endsInMs: number }>

type Exhausted = { readonly current: number; readonly untilMs: number }

/**
 * Counts requests per key and window in the store that all instances share. A key over its limit is cached until its window ends, so that a
 * flood does not reach the store.
 * @param maxCachedKeys beyond this number the oldest entry is evicted, and its key is counted in the store again
 */
export function createRateCounter(store: Pick<Store, 'increment'>, clock: Clock, maxCachedKeys = 10_000): CountRequest {
  const exhausted = new BoundedMap<string, Exhausted>({ maxEntries: maxCachedKeys, order: 'fifo' })

  return async (key, windowMs, limit) => {
    const cached = exhausted.get(key)
    const leftMs = (cached?.untilMs ?? 0) - clock.now()
    if (cached && leftMs > 0) return { current: cached.current, endsInMs: leftMs }
    exhausted.evict(key)
    const { count: current, endsInMs } = await store.increment(key, windowMs)
    if (current > limit) exhausted.set(key, { current, untilMs: clock.now() + endsInMs })
    return { current, endsInMs }
  }
}
