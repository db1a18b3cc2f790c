import type { ClientPool } from './client-pool.ts'
import type { Exchange } from './exchange.ts'
import type { Semaphore } from './semaphore.ts'

/** The open ones of one origin. */
export class EventStreams extends Set<Exchange> {
  readonly #most: number

  constructor(most: number) {
    super()
    this.#most = most
  }

  get isFull(): boolean {
    return this.size >= this.#most
  }
}

/** What leads to one origin. */
export type OriginPool = { readonly clients: ClientPool; readonly semaphore: Semaphore; readonly eventStreams: EventStreams }
