import type { Clock, Store } from '../ports.ts'

/** @returns how often, this time included, and in how many milliseconds it begins anew */
export type CountRequest = (key: string, withinMs: number, most: number) => Promise<{ readonly current: number; readonly endsInMs: number }>

type Full = { readonly current: number; readonly untilMs: number }

/**
 * Counts in the store that all instances share. A key that has had its `most` is answered from memory until its time is over, so that
 * a flood costs no more than its answers.
 * @param maxRemembered keys; of more, those that were full first are asked for again
 */
export function createRateCounter(store: Pick<Store, 'increment'>, clock: Clock, maxRemembered = 10_000): CountRequest {
  const full = new Map<string, Full>()

  function remember(key: string, what: Full): void {
    const [first] = full.keys()
    if (full.size >= maxRemembered && first !== undefined) full.delete(first)
    full.set(key, what)
  }

  return async (key, withinMs, most) => {
    const known = full.get(key)
    const leftMs = (known?.untilMs ?? 0) - clock.now()
    if (known && leftMs > 0) return { current: known.current, endsInMs: leftMs }
    full.delete(key)
    const { count: current, endsInMs } = await store.increment(key, withinMs)
    if (current > most) remember(key, { current, untilMs: clock.now() + endsInMs })
    return { current, endsInMs }
  }
}
