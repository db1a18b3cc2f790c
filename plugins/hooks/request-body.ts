import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { GatewayError } from '../../src/core/errors.ts'
import type { Linked } from '../../src/core/util/linked-list.ts'

export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
}

/** How slowly a client may send a body. */
export type BodyPace = {
  /** Longest pause, in milliseconds. */
  readonly idleMs: number
  /** Minimum average rate, from `idleMs` on. A slower client holds a place that others need. */
  readonly bytesPerSecond: number
}

type DiscardLimits = { readonly idleMs: number; readonly totalMs: number; readonly bytes: number }

/** How much of a discarded body is read. Its client may read no response before it has sent everything. */
const discardLimits: DiscardLimits = { idleMs: 5_000, totalMs: 30_000, bytes: 32 * 1024 * 1024 }
/** The same for a body that was too slow: its client has used up its time. */
const slowDiscardLimits: DiscardLimits = { idleMs: 1_000, totalMs: 2_000, bytes: 1024 * 1024 }
/** The connection is kept open when the rest of the body is known to be no longer than this. */
const maxKeepAliveBytes = 1024 * 1024

/** A request body in transit, until its last byte is read or its connection ends. */
export class IncomingBody implements Linked<IncomingBody> {
  readonly #raw: IncomingMessage
  readonly #socket: Socket
  #pace: BodyPace
  /** `bytesRead` of the socket when the present limits began to count, and at the last check. */
  #startBytes: number
  #lastBytes: number
  #idleMs = 0
  #totalMs = 0
  #isStreamed = false
  #isSlow = false
  #isDiscarded = false
  #isResponseSent = false
  previous: IncomingBody | undefined
  next: IncomingBody | undefined

  constructor(raw: IncomingMessage, pace: BodyPace) {
    this.#raw = raw
    this.#socket = raw.socket
    this.#pace = pace
    this.#startBytes = this.#lastBytes = raw.socket.bytesRead
  }

  /** Whether no byte of it is left to arrive. */
  get isOver(): boolean {
    return this.#socket.destroyed || (this.#raw.complete && (!this.#isResponseSent || !this.#socket.writableEnded))
  }

  /** Sets the longest pause for a provider whose definition has one. */
  allowIdle(idleMs: number): void {
    this.#pace = { ...this.#pace, idleMs }
  }

  /** The body is sent to the provider as it arrives. */
  stream(): void {
    this.#isStreamed = true
  }

  /** Reads the rest of the body and discards it. */
  discard(): void {
    if (!this.#isDiscarded) {
      this.#isDiscarded = true
      this.#idleMs = this.#totalMs = 0
      this.#startBytes = this.#lastBytes
    }
    if (this.#raw.complete) return
    this.#raw.removeAllListeners('data').resume()
  }

  /**
   * Called when the response head is written.
   * @returns whether the response closes the connection, because the rest of the body is long or of unknown length
   */
  closesConnection(): boolean {
    if (this.#raw.complete) return false
    // After a response with `Connection: close` Node would destroy the socket, and the reset would discard the response in transit
    // (RFC 9112 §9.6). This ends the writable side only; the readable side ends with the client's, or at a discard limit.
    this.#socket.destroySoon = this.#socket.end
    if (this.#isStreamed || this.#isSlow) return true
    const length = this.#raw.headers['content-length']
    // A chunked body that was read in part was too large. One that was not read at all has an unknown length, and most are short.
    return length === undefined ? this.#raw.readableDidRead : Number(length) > maxKeepAliveBytes
  }

  onResponseSent(): void {
    this.#isResponseSent = true
    this.discard()
  }

  /** Restores the socket for its next request. */
  detach(): void {
    if (Object.hasOwn(this.#socket, 'destroySoon')) this.#socket.destroySoon = Socket.prototype.destroySoon
  }

  /** @param elapsedMs time since the last check, as far as it counts */
  check(elapsedMs: number): void {
    const bytes = this.#socket.bytesRead
    // With unread bytes in the buffer it is not the client's turn.
    const isOurTurn = !this.#isDiscarded && (this.#raw.isPaused() || this.#raw.readableLength > 0)
    if (!isOurTurn) this.#totalMs += elapsedMs
    this.#idleMs = isOurTurn || bytes > this.#lastBytes ? 0 : this.#idleMs + elapsedMs
    this.#lastBytes = bytes
    if (this.#isDiscarded) this.#checkDiscarded(bytes - this.#startBytes)
    else this.#checkPace(bytes - this.#startBytes)
  }

  #checkPace(received: number): void {
    const { idleMs, bytesPerSecond } = this.#pace
    this.#isSlow = this.#idleMs >= idleMs || received < ((this.#totalMs - idleMs) / 1000) * bytesPerSecond
    // The reader of the body responds to the client.
    if (this.#isSlow && this.#raw.listenerCount('error') > 0) this.#raw.emit('error', tooSlow())
  }

  #checkDiscarded(received: number): void {
    const limits = this.#isSlow ? slowDiscardLimits : discardLimits
    if (this.#idleMs < limits.idleMs && this.#totalMs < limits.totalMs && received < limits.bytes) return
    if (this.#isResponseSent) this.#socket.destroy()
    else this.#raw.pause()
  }
}

const tooSlow = () =>
  new GatewayError('request_timeout', 'The request body arrived too slowly or stopped, so the request was ended. Send it again.')
