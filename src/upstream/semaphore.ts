/** Who wants through. */
export type Waiter = {
  /** Called when there is room, at once if there is some. It may leave before it returns. */
  onAcquired(): void
}

/** Lets so many through at once; the others wait in the order of their coming. Who enters is an object, since each call is one already. */
export class Semaphore {
  readonly #width: number
  readonly #waiting = new Set<Waiter>()
  #inside = 0
  #isLettingIn = false

  constructor(width: number) {
    this.#width = width
  }

  acquire(entrant: Waiter): void {
    if (this.#inside < this.#width && !this.#isLettingIn) {
      this.#inside++
      entrant.onAcquired()
    } else this.#waiting.add(entrant)
  }

  /** To be called once by each that has entered, when it needs no room any more, whether it was given or not. */
  release(entrant: Waiter): void {
    if (this.#waiting.size > 0 && this.#waiting.delete(entrant)) return
    this.#inside--
    if (!this.#isLettingIn) this.#letIn()
  }

  /** One after the other, also those that leave at once: each inside of the one before would be a stack as deep as the queue is long. */
  #letIn(): void {
    this.#isLettingIn = true
    try {
      for (const next of this.#waiting) {
        if (this.#inside >= this.#width) break
        this.#waiting.delete(next)
        this.#inside++
        next.onAcquired()
      }
    } finally {
      this.#isLettingIn = false
    }
  }
}
