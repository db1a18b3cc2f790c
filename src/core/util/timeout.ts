/** A limit is waited out in this many pieces. */
const pieces = 5

/**
 * Calls back when something takes too long. Time in which this process stood still (no core, frozen, paused by the garbage collector)
 * counts as one piece of the limit at most: whoever is waited for may have answered long ago, and what has arrived is read before the
 * limit is over.
 */
export class Timeout {
  readonly #callBack: () => void
  readonly #pieceMs: number
  #timer: NodeJS.Timeout
  #left = pieces
  #immediate: NodeJS.Immediate | undefined

  constructor(ms: number, callBack: () => void) {
    this.#callBack = callBack
    this.#pieceMs = ms / pieces
    this.#timer = setTimeout(Timeout.#pieceIsOver, this.#pieceMs, this)
  }

  /** From now on it takes as long again, and a fifth longer at most: to wind up a timer for each sign of life costs more than the sign. */
  refresh(): void {
    this.#left = pieces + 1
  }

  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  static #pieceIsOver(limit: Timeout): void {
    limit.#left--
    // Timers are called before what has arrived is read, and this is called after it.
    if (limit.#left === 0) limit.#immediate = setImmediate(Timeout.#look, limit)
    else Timeout.#look(limit)
  }

  static #look(limit: Timeout): void {
    if (limit.#left === 0) limit.#callBack()
    else limit.#timer = setTimeout(Timeout.#pieceIsOver, limit.#pieceMs, limit)
  }
}

/**
 * What the work comes to, unless it takes longer than the limit.
 * @throws what `fault` says when it takes longer; the work is not ended by that.
 */
export async function withTimeout<T>(
  limitMs: number,
  work: Promise<T>,
  fault = () => new Error(`no answer within ${Math.round(limitMs)} ms`)
): Promise<T> {
  const late = Promise.withResolvers<never>()
  const limit = new Timeout(limitMs, () => late.reject(fault()))
  try {
    return await Promise.race([work, late.promise])
  } finally {
    limit.clear()
  }
}
