import type { Dispatcher } from 'undici'
import type { PipeOutcome, ResponseSink, UpstreamResponse } from '../core/proxy/upstream.ts'
import type { ResponseHeaders } from './headers.ts'

/** Node writes a string of up to 16 KiB without going through the event loop; the response head takes its share of that. */
const maxStringBytes = 12 * 1024
/** Read of a body before `pipeTo` is called; then the provider is paused. */
const maxBufferedBytes = 64 * 1024
/** A discarded body is read to its end up to this size, so that its connection can be reused; a longer one costs more than a new connection. */
const maxDiscardedBytes = 64 * 1024

/** The exchange that a response belongs to. */
export type ResponseOwner = {
  /** The body goes to a sink from now on. */
  onPiped(): void
  /** The sink's buffer is full: its client has to read first. */
  onFull(): void
  onDrain(): void
  /** Nobody wants the body. The exchange may abort. */
  onDiscarded(): void
  /** Aborts the exchange, and with it this response. */
  abort(error: Error): void
}

/** A response from its head on. The body is buffered until it is piped or discarded, which its receiver does within the same turn. */
export class IncomingResponse implements UpstreamResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly #controller: Dispatcher.DispatchController
  readonly #owner: ResponseOwner
  readonly #buffer: Buffer[] = []
  #bufferedBytes = 0
  #discardedBytes: number | undefined
  #sink: ResponseSink | undefined
  #isFull = false
  #outcome: PipeOutcome | undefined
  #resolve: ((outcome: PipeOutcome) => void) | undefined

  constructor(status: number, headers: ResponseHeaders, controller: Dispatcher.DispatchController, owner: ResponseOwner) {
    this.status = status
    this.headers = headers
    this.#controller = controller
    this.#owner = owner
  }

  /** Whether the client has to read before more of the body can be sent. */
  get isFull(): boolean {
    return this.#isFull
  }

  pipeTo(sink: ResponseSink): Promise<PipeOutcome> {
    if (sink.destroyed && !this.#outcome) this.#owner.abort(new Error('the sink is closed'))
    if (sink.destroyed || this.#outcome === 'aborted') {
      sink.destroy()
      return Promise.resolve('aborted')
    }
    this.#sink = sink
    if (!this.#outcome) return this.#stream(sink)
    this.#endWithBuffer(sink)
    return Promise.resolve('complete')
  }

  discard(): void {
    if (this.#sink || this.#outcome) return
    this.#owner.onDiscarded()
    this.#discardedBytes = 0
    for (const chunk of this.#buffer.splice(0)) this.#countDiscarded(chunk)
    if (this.#controller.paused) this.#controller.resume()
  }

  onData(chunk: Buffer): void {
    if (this.#outcome) return
    if (this.#sink) this.#write(this.#sink, chunk)
    else if (this.#discardedBytes !== undefined) this.#countDiscarded(chunk)
    else {
      this.#buffer.push(chunk)
      this.#bufferedBytes += chunk.length
      if (this.#bufferedBytes > maxBufferedBytes) this.#controller.pause()
    }
  }

  /** The body is complete. */
  onEnd(): void {
    if (this.#settle('complete')) this.#sink?.end()
  }

  /** The body is not complete, so its sink is destroyed and not ended: a client must not take what it has for the whole. */
  onAborted(): void {
    if (this.#settle('aborted')) this.#sink?.destroy()
  }

  #settle(outcome: PipeOutcome): boolean {
    if (this.#outcome) return false
    this.#outcome = outcome
    this.#resolve?.(outcome)
    return true
  }

  /** A small response is complete by now and leaves as one write, head and body. */
  #endWithBuffer(sink: ResponseSink): void {
    const last = this.#buffer.pop()
    for (const chunk of this.#buffer) sink.write(chunk)
    if (!last) sink.end()
    // Byte for byte: Node joins a string with the head, where a buffer is a second part of a vectored write.
    else if (last.length <= maxStringBytes) sink.end(last.toString('latin1'), 'latin1')
    else sink.end(last)
  }

  #stream(sink: ResponseSink): Promise<PipeOutcome> {
    this.#owner.onPiped()
    // A late body does not hold up the head.
    if (this.#buffer.length === 0) sink.flushHeaders?.()
    for (const chunk of this.#buffer.splice(0)) this.#write(sink, chunk)
    const { promise, resolve } = Promise.withResolvers<PipeOutcome>()
    this.#resolve = resolve
    if (!this.#isFull) this.#controller.resume()
    return promise
  }

  #write(sink: ResponseSink, chunk: Buffer): void {
    if (sink.write(chunk) || this.#isFull) return
    this.#controller.pause()
    this.#isFull = true
    this.#owner.onFull()
    sink.once('drain', () => {
      this.#isFull = false
      this.#owner.onDrain()
      this.#controller.resume()
    })
  }

  #countDiscarded(chunk: Buffer): void {
    this.#discardedBytes = (this.#discardedBytes ?? 0) + chunk.length
    if (this.#discardedBytes > maxDiscardedBytes) this.#owner.abort(new Error('the discarded body is too long'))
  }
}
