import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { GatewayError } from '../../src/core/errors.ts'

/** With clients that send a body slowly. */
export type BodyPace = {
  /** Longest time in which nothing comes, in milliseconds. */
  readonly idleMs: number
  /** What comes over all, from that time on. Who sends less holds a place that others need. */
  readonly bytesPerSecond: number
}

/** How much of a body that nobody needs is read, so that its client, which may read nothing before it has sent all, sees the response. */
const unneeded = { idleMs: 5_000, allMs: 30_000, bytes: 32 * 1024 * 1024 }
/** The same of one that came too slowly: its client has had its time. */
const unneededSlow = { idleMs: 1_000, allMs: 2_000, bytes: 1024 * 1024 }
/** What is left of a body is read to its end for the sake of the connection when it is known to be no more than this. */
const keptFor = 1024 * 1024

/** A request's body while it comes, until its last byte is read or its connection ends. */
export class IncomingBody {
  readonly #raw: IncomingMessage
  readonly #socket: Socket
  #pace: BodyPace
  #movedTo: number
  #from: number
  #idleMs = 0
  #allMs = 0
  #isStreamed = false
  #isSlow = false
  #isNeeded = true
  #isAnswered = false

  constructor(raw: IncomingMessage, pace: BodyPace) {
    this.#raw = raw
    this.#socket = raw.socket
    this.#pace = pace
    this.#from = this.#movedTo = raw.socket.bytesRead
  }

  /** Nothing of it is left to come. */
  get isOver(): boolean {
    return this.#socket.destroyed || (this.#raw.complete && (!this.#isAnswered || !this.#socket.writableEnded))
  }

  /** A definition knows its provider's uploads. */
  allowIdle(idleMs: number): void {
    this.#pace = { ...this.#pace, idleMs }
  }

  /** From now on it is sent up as it comes. */
  stream(): void {
    this.#isStreamed = true
  }

  /** Nobody reads it any more: what still comes is thrown away. */
  discard(): void {
    if (this.#isNeeded) {
      this.#isNeeded = false
      this.#idleMs = this.#allMs = 0
      this.#from = this.#movedTo
    }
    if (this.#raw.complete) return
    this.#raw.removeAllListeners('data').resume()
  }

  /**
   * To be asked when the head of the response is written.
   * @returns whether the connection ends with the response, which says so: nobody can tell how much would have to be read to keep it
   */
  closesConnection(): boolean {
    if (this.#raw.complete) return false
    // Node would end both ways at once when the response says that it closes, and the reset that follows takes the response with it
    // (RFC 9112 §9.6). This ends ours; the other ends with the client's, or when it takes too long.
    this.#socket.destroySoon = this.#socket.end
    if (this.#isStreamed || this.#isSlow) return true
    const length = this.#raw.headers['content-length']
    // In chunks: what was not read to its end was too large. Of what nobody has read nothing is known, and most is small.
    return length === undefined ? this.#raw.readableDidRead : Number(length) > keptFor
  }

  onResponseSent(): void {
    this.#isAnswered = true
    this.discard()
  }

  /** The next request on this connection is one like any other. */
  leaveConnection(): void {
    if (Object.hasOwn(this.#socket, 'destroySoon')) this.#socket.destroySoon = Socket.prototype.destroySoon
  }

  /** @param sinceMs time since it was looked at last, as far as it counts */
  look(sinceMs: number): void {
    const bytes = this.#socket.bytesRead
    // What has come is not read: it is not the client that is waited for.
    const isOurTurn = this.#isNeeded && (this.#raw.isPaused() || this.#raw.readableLength > 0)
    if (!isOurTurn) this.#allMs += sinceMs
    this.#idleMs = isOurTurn || bytes > this.#movedTo ? 0 : this.#idleMs + sinceMs
    this.#movedTo = bytes
    if (this.#isNeeded) this.#lookAtPace(bytes - this.#from)
    else this.#lookAtRest(bytes - this.#from)
  }

  #lookAtPace(come: number): void {
    const { idleMs, bytesPerSecond } = this.#pace
    this.#isSlow = this.#idleMs >= idleMs || come < ((this.#allMs - idleMs) / 1000) * bytesPerSecond
    // Whoever reads it gives the client its answer.
    if (this.#isSlow && this.#raw.listenerCount('error') > 0) this.#raw.emit('error', tooSlow())
  }

  #lookAtRest(come: number): void {
    const most = this.#isSlow ? unneededSlow : unneeded
    if (this.#idleMs < most.idleMs && this.#allMs < most.allMs && come < most.bytes) return
    if (this.#isAnswered) this.#socket.destroy()
    else this.#raw.pause()
  }
}

const tooSlow = () =>
  new GatewayError('request_timeout', 'The body came too slowly, or not at all for too long, so the call was ended. Send it again.')
