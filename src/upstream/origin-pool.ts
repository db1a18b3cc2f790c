import type { ClientPool } from './client-pool.ts'
import type { Exchange } from './exchange.ts'
import type { Semaphore } from './semaphore.ts'

/** The open event streams of one origin. */
export class EventStreams extends Set<Exchange> {
  readonly #limit: number

  constructor(limit: number) {
    super()
    this.#limit = limit
  }

  get isFull(): boolean {
    return this.size >= this.#limit
  }
}

/** Connections and limits for one origin of one provider. */
export type OriginPool = { readonly clients: ClientPool; readonly semaphore: Semaphore; readonly eventStreams: EventStreams }
