import type { Dispatcher } from 'undici'
import type { ResponseSink } from '../core/proxy/forward.ts'

/** A string of up to 16 KiB is written without a detour through the event loop; the answer's head has its part of it. */
const stringBytes = 12 * 1024

/** Told of who is waited for. */
export type BackpressureListener = {
  /** The sink takes no more for now. */
  onFull(): void
  /** It does again. */
  onDrain(): void
}

/** The way of one answer's body to where it is taken. */
export class ResponseWriter {
  readonly #sink: ResponseSink
  readonly #controller: Dispatcher.DispatchController
  readonly #receiver: BackpressureListener
  #isFull = false
  /** Head or body have gone to the sink. */
  #begun = false
  /** The beginning of the body, until the next tick shows whether it is all of it. */
  #first: Buffer | undefined

  constructor(sink: ResponseSink, controller: Dispatcher.DispatchController, receiver: BackpressureListener) {
    this.#sink = sink
    this.#controller = controller
    this.#receiver = receiver
    // A small answer comes in one piece, before the next tick, and leaves as one write. A body that is late holds up nothing.
    process.nextTick(() => {
      if (!this.#begun && !sink.destroyed) this.#begin()
    })
  }

  /** Whether the client is waited for: it has to read before more of the answer can go on. */
  get isFull(): boolean {
    return this.#isFull
  }

  write(chunk: Buffer): void {
    if (!this.#begun && !this.#first) {
      this.#first = chunk
      return
    }
    if (!this.#begun) this.#begin()
    this.#pass(chunk)
  }

  end(): void {
    const whole = this.#begun ? undefined : this.#first
    this.#begun = true
    if (!whole) this.#sink.end()
    // Byte for byte: as a string it joins the head, and one write without a list of parts takes both.
    else if (whole.length <= stringBytes) this.#sink.end(whole.toString('latin1'), 'latin1')
    else this.#sink.end(whole)
  }

  /** So that nobody takes for whole what came so far. */
  destroy(): void {
    this.#sink.destroy()
  }

  #begin(): void {
    this.#begun = true
    const first = this.#first
    this.#first = undefined
    if (first) this.#pass(first)
    else this.#sink.flushHeaders?.()
  }

  #pass(chunk: Buffer): void {
    if (this.#sink.write(chunk) || this.#controller.paused) return
    this.#controller.pause()
    this.#isFull = true
    this.#receiver.onFull()
    this.#sink.once('drain', () => {
      this.#isFull = false
      this.#receiver.onDrain()
      this.#controller.resume()
    })
  }
}
