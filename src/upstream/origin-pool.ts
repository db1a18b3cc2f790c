import type { ClientPool } from './client-pool.ts'
import type { Semaphore } from './semaphore.ts'

/** An event stream that shutdown ends, since it would not end by itself. */
type Endable = { endEarly(): void }

/** The open event streams of one origin. */
export class EventStreams extends Set<Endable> {
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
