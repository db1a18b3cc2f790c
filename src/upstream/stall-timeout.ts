import type { UpstreamRequest } from '../core/proxy/upstream.ts'
import { Timeout } from '../core/util/timeout.ts'

/** What must not stand still for too long. */
export type StallListener = {
  readonly waitsFor: 'provider' | 'sender' | 'reader'
  /** The client has read nothing for a while, and still may. */
  onSlowReader(): void
  /** Nothing has moved for as long as it may. */
  onStalled(): void
}

/** Ends what does not move: how long it may stand still depends on whose turn it is. */
export class StallTimeout {
  readonly #timeoutMs: number
  readonly #readTimeoutMs: number
  readonly #awaiting: StallListener
  #limit: Timeout
  #limitMs: number
  /** How long the client has read nothing, by limits that have passed. */
  #unreadMs = 0

  constructor({ timeoutMs, readTimeoutMs = timeoutMs }: UpstreamRequest, awaiting: StallListener) {
    this.#timeoutMs = this.#limitMs = timeoutMs
    this.#readTimeoutMs = readTimeoutMs
    this.#awaiting = awaiting
    this.#limit = new Timeout(timeoutMs, this.#onOver)
  }

  /** Something has moved. */
  refresh(): void {
    this.#limit.refresh()
  }

  readerIsAwaited(): void {
    this.#unreadMs = 0
    if (this.#readTimeoutMs < this.#timeoutMs) this.#begin(this.#readTimeoutMs)
  }

  readerHasRead(): void {
    if (this.#limitMs === this.#timeoutMs) this.#limit.refresh()
    else this.#begin(this.#timeoutMs)
  }

  clear(): void {
    this.#limit.clear()
  }

  #begin(ms: number): void {
    this.#limit.clear()
    this.#limitMs = ms
    this.#limit = new Timeout(ms, this.#onOver)
  }

  readonly #onOver = (): void => {
    const { waitsFor } = this.#awaiting
    if (waitsFor === 'reader') this.#unreadMs += this.#limitMs
    if (waitsFor === 'sender') {
      // Whoever reads a body has a limit for its client (plugins/hooks/request-body.ts).
      this.#begin(this.#timeoutMs)
    } else if (waitsFor === 'reader' && this.#unreadMs < this.#readTimeoutMs) {
      this.#awaiting.onSlowReader()
      this.#begin(Math.min(this.#timeoutMs, this.#readTimeoutMs - this.#unreadMs))
    } else this.#awaiting.onStalled()
  }
}
