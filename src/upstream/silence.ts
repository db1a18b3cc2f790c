/** Waits for a silence: of so many milliseconds since it was last told that something was heard. */
export class Silence {
  readonly #ms: number
  readonly #tell: () => void
  #heardAtMs: number
  #timer: NodeJS.Timeout

  constructor(ms: number, tell: () => void) {
    this.#ms = ms
    this.#tell = tell
    this.#heardAtMs = performance.now()
    this.#timer = setTimeout(this.#look, ms)
  }

  /** A look at the clock and no more: a timer that is wound up anew for each piece of an answer costs more than the piece. */
  heard(): void {
    this.#heardAtMs = performance.now()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  readonly #look = (): void => {
    const leftMs = this.#heardAtMs + this.#ms - performance.now()
    // A timer may be early by a part of a millisecond.
    if (leftMs < 1) this.#tell()
    else this.#timer = setTimeout(this.#look, leftMs)
  }
}
