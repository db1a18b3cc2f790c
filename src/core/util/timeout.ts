/** A timeout is counted in this many steps. */
const steps = 5

/**
 * Calls back when the time is over. Time in which the process stood still (no CPU, frozen, garbage collection) counts as one step at
 * most: the other side may have responded long ago, and what has arrived is read before the callback is called.
 */
export class Timeout {
  readonly #callback: () => void
  readonly #stepMs: number
  #timer: NodeJS.Timeout
  #stepsLeft = steps
  #immediate: NodeJS.Immediate | undefined

  constructor(ms: number, callback: () => void) {
    this.#callback = callback
    this.#stepMs = ms / steps
    this.#timer = setTimeout(Timeout.#endStep, this.#stepMs, this)
  }

  /** Restarts the time, which is then up to one step longer. A new timer for each sign of life would cost more than handling the sign. */
  refresh(): void {
    this.#stepsLeft = steps + 1
  }

  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  static #endStep(timeout: Timeout): void {
    timeout.#stepsLeft--
    // The event loop calls timers before it polls for I/O, and immediates after it.
    if (timeout.#stepsLeft === 0) timeout.#immediate = setImmediate(Timeout.#continue, timeout)
    else Timeout.#continue(timeout)
  }

  static #continue(timeout: Timeout): void {
    if (timeout.#stepsLeft === 0) timeout.#callback()
    else timeout.#timer = setTimeout(Timeout.#endStep, timeout.#stepMs, timeout)
  }
}

/** The work took longer than its timeout. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'

  constructor(timeoutMs: number) {
    super(`timed out after ${Math.round(timeoutMs)} ms`)
  }
}

/**
 * Settles as `work` does, unless that takes longer than `timeoutMs`. The work is not cancelled, and a later rejection of it is ignored.
 * @param createError the error of a timeout
 * @throws {TimeoutError} unless `createError` is given
 */
export async function withTimeout<T>(
  timeoutMs: number,
  work: Promise<T>,
  createError: () => Error = () => new TimeoutError(timeoutMs)
): Promise<T> {
  const expired = Promise.withResolvers<never>()
  const timeout = new Timeout(timeoutMs, () => expired.reject(createError()))
  try {
    return await Promise.race([work, expired.promise])
  } finally {
    timeout.clear()
  }
}
