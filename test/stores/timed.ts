import { trackSchedulingDelay } from '../chaos/scheduling-delay.ts'

/** @returns the value of the work, and its duration without the time for which the busy machine did not run it */
export async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const lateness = trackSchedulingDelay()
  const startMs = performance.now()
  try {
    const value = await work()
    const endMs = performance.now()
    return { value, ms: Math.round(endMs - startMs - lateness.between(startMs, endMs)) }
  } finally {
    lateness.stop()
  }
}
