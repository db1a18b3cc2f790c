import type { UpstreamRequest } from '../core/proxy/upstream.ts'
import { Timeout } from '../core/util/timeout.ts'

/** Whose turn it is: the provider responds, the client sends its body, or the client reads the response. */
export type Turn = 'provider' | 'sender' | 'reader'

export type StallListener = {
  readonly turn: Turn
  /** The client has read nothing for a while, and has time left. */
  onSlowReader(): void
  /** Nothing has moved for the whole timeout. */
  onStalled(): void
}

/** Times out an exchange in which nothing moves. The timeout depends on whose turn it is. */
export class StallTimeout {
  readonly #timeoutMs: number
  readonly #readTimeoutMs: number
  readonly #listener: StallListener
  #timeout: Timeout
  #currentMs: number
  /** How long the client has read nothing, summed over the timeouts that have passed. */
  #unreadMs = 0

  constructor({ timeoutMs, readTimeoutMs = timeoutMs }: UpstreamRequest, listener: StallListener) {
    this.#timeoutMs = this.#currentMs = timeoutMs
    this.#readTimeoutMs = readTimeoutMs
    this.#listener = listener
    this.#timeout = new Timeout(timeoutMs, this.#onTimeout)
  }

  /** Something has moved. */
  refresh(): void {
    this.#timeout.refresh()
  }

  onFull(): void {
    this.#unreadMs = 0
    if (this.#readTimeoutMs < this.#timeoutMs) this.#start(this.#readTimeoutMs)
  }

  onDrain(): void {
    if (this.#currentMs === this.#timeoutMs) this.#timeout.refresh()
    else this.#start(this.#timeoutMs)
  }

  clear(): void {
    this.#timeout.clear()
  }

  #start(ms: number): void {
    this.#timeout.clear()
    this.#currentMs = ms
    this.#timeout = new Timeout(ms, this.#onTimeout)
  }

  readonly #onTimeout = (): void => {
    const { turn } = this.#listener
    if (turn === 'reader') this.#unreadMs += this.#currentMs
    if (turn === 'sender') {
      // The reader of the body has a timeout for its client (plugins/hooks/request-body.ts).
      this.#start(this.#timeoutMs)
    } else if (turn === 'reader' && this.#unreadMs < this.#readTimeoutMs) {
      this.#listener.onSlowReader()
      this.#start(Math.min(this.#timeoutMs, this.#readTimeoutMs - this.#unreadMs))
    } else this.#listener.onStalled()
  }
}
