import type { Clock, Store } from '../ports.ts'

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
  const exhausted = new Map<string, Exhausted>()

  function cache(key: string, entry: Exhausted): void {
    const [oldest] = exhausted.keys()
    if (exhausted.size >= maxCachedKeys && oldest !== undefined) exhausted.delete(oldest)
    exhausted.set(key, entry)
  }

  return async (key, windowMs, limit) => {
    const cached = exhausted.get(key)
    const leftMs = (cached?.untilMs ?? 0) - clock.now()
    if (cached && leftMs > 0) return { current: cached.current, endsInMs: leftMs }
    exhausted.delete(key)
    const { count: current, endsInMs } = await store.increment(key, windowMs)
    if (current > limit) cache(key, { current, untilMs: clock.now() + endsInMs })
    return { current, endsInMs }
  }
}
