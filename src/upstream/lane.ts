/** Who wants through. */
export type Entrant = {
  /** Called when there is room, at once if there is some. It may leave before it returns. */
  go(): void
}

/** Lets so many through at once. The others wait in the order of their coming. Entrants are no closures: each call is one. */
export class Lane {
  readonly #width: number
  readonly #waiting = new Set<Entrant>()
  #inside = 0

  constructor(width: number) {
    this.#width = width
  }

  enter(entrant: Entrant): void {
    if (this.#inside < this.#width) this.#letIn(entrant)
    else this.#waiting.add(entrant)
  }

  /** To be called once by each that has entered, when it needs no room any more, whether it was given or not. */
  leave(entrant: Entrant): void {
    if (this.#waiting.size > 0 && this.#waiting.delete(entrant)) return
    this.#inside--
    const [next] = this.#waiting
    if (next && this.#waiting.delete(next)) this.#letIn(next)
  }

  #letIn(entrant: Entrant): void {
    this.#inside++
    entrant.go()
  }
}
