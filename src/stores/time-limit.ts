/** A limit is waited out in this many pieces. */
const pieces = 5

/**
 * What the work comes to, unless it takes longer than the limit. Time in which this process stood still (no core, frozen, paused by
 * the garbage collector) counts as a fifth of the limit at most: whoever we wait for may have answered long ago, and an answer that
 * has arrived is read before the limit is called.
 *
 * @throws Error when it takes longer; the work is not ended by that.
 */
export async function before<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const cancel = after(limitMs, () => late.reject(new Error(`no answer within ${Math.round(limitMs)} ms`)))
  try {
    return await Promise.race([work, late.promise])
  } finally {
    cancel()
  }
}

/**
 * Calls back when the limit is over, reckoned as by `before`.
 * @returns what ends it
 */
export function after(limitMs: number, callBack: () => void): () => void {
  let left = pieces
  let immediate: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    if (--left > 0) timer.refresh()
    // Timers are called before what has arrived is read, and this is called after it.
    else immediate = setImmediate(callBack)
  }, limitMs / pieces)
  return () => {
    left = 0
    clearTimeout(timer)
    clearImmediate(immediate)
  }
}
