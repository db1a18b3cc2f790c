export type Waiter = {
  /** Called once acquired, synchronously where there is room. The waiter may release before it returns. */
  onAcquired(): void
}

/** Counting semaphore with a FIFO queue. Waiters are objects and not promises: each request has one anyway. */
export class Semaphore {
  readonly #limit: number
  readonly #queue = new Set<Waiter>()
  #acquired = 0
  #isDraining = false

  constructor(limit: number) {
    this.#limit = limit
  }

  acquire(waiter: Waiter): void {
    if (this.#acquired < this.#limit && !this.#isDraining) {
      this.#acquired++
      waiter.onAcquired()
    } else this.#queue.add(waiter)
  }

  /** Called once by each waiter, whether it has acquired or still queues. */
  release(waiter: Waiter): void {
    if (this.#queue.size > 0 && this.#queue.delete(waiter)) return
    this.#acquired--
    if (!this.#isDraining) this.#drain()
  }

  /** A loop and no recursion: waiters that release at once would make a stack as deep as the queue is long. */
  #drain(): void {
    this.#isDraining = true
    try {
      for (const waiter of this.#queue) {
        if (this.#acquired >= this.#limit) break
        this.#queue.delete(waiter)
        this.#acquired++
        waiter.onAcquired()
      }
    } finally {
      this.#isDraining = false
    }
  }
}
