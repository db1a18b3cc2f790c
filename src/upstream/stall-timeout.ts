import type { UpstreamRequest } from '../core/proxy/forward.ts'
import { TimeLimit } from '../core/util/timeout.ts'

/** What must not stand still for too long. */
export type Awaiting = {
  readonly awaits: 'provider' | 'sender' | 'reader'
  /** The client has read nothing for a while, and still may. */
  onSlowReader(): void
  /** Nothing has moved for as long as it may. */
  onLate(): void
}

/** Ends what does not move: how long it may stand still depends on whose turn it is. */
export class IdleLimit {
  readonly #timeoutMs: number
  readonly #readTimeoutMs: number
  readonly #awaiting: Awaiting
  #limit: TimeLimit
  #limitMs: number
  /** How long the client has read nothing, by limits that have passed. */
  #unreadMs = 0

  constructor({ timeoutMs, readTimeoutMs = timeoutMs }: UpstreamRequest, awaiting: Awaiting) {
    this.#timeoutMs = this.#limitMs = timeoutMs
    this.#readTimeoutMs = readTimeoutMs
    this.#awaiting = awaiting
    this.#limit = new TimeLimit(timeoutMs, this.#onOver)
  }

  /** Something has moved. */
  renew(): void {
    this.#limit.renew()
  }

  readerIsAwaited(): void {
    this.#unreadMs = 0
    if (this.#readTimeoutMs < this.#timeoutMs) this.#begin(this.#readTimeoutMs)
  }

  readerHasRead(): void {
    if (this.#limitMs === this.#timeoutMs) this.#limit.renew()
    else this.#begin(this.#timeoutMs)
  }

  end(): void {
    this.#limit.end()
  }

  #begin(ms: number): void {
    this.#limit.end()
    this.#limitMs = ms
    this.#limit = new TimeLimit(ms, this.#onOver)
  }

  readonly #onOver = (): void => {
    const { awaits } = this.#awaiting
    if (awaits === 'reader') this.#unreadMs += this.#limitMs
    if (awaits === 'sender') {
      // Whoever reads a body has a limit for its client (plugins/hooks/request-body.ts).
      this.#begin(this.#timeoutMs)
    } else if (awaits === 'reader' && this.#unreadMs < this.#readTimeoutMs) {
      this.#awaiting.onSlowReader()
      this.#begin(Math.min(this.#timeoutMs, this.#readTimeoutMs - this.#unreadMs))
    } else this.#awaiting.onLate()
  }
}
