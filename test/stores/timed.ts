import { watchLateness } from '../chaos/lateness.ts'

/** What the work came to, and how long it took, in milliseconds, without the time for which the machine was too busy for it. */
export async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const lateness = watchLateness()
  const startMs = performance.now()
  try {
    const value = await work()
    const endMs = performance.now()
    return { value, ms: Math.round(endMs - startMs - lateness.between(startMs, endMs)) }
  } finally {
    lateness.stop()
  }
}
