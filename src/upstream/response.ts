import type { Dispatcher } from 'undici'
import type { PipeOutcome, ResponseSink, UpstreamResponse } from '../core/proxy/upstream.ts'
import { asGatewayError, ClientDisconnectedError } from './errors.ts'

export type ResponseHeaders = Record<string, string | string[] | undefined>

/** Node writes a string of up to 16 KiB without going through the event loop; the response head takes its share of that. */
const maxStringBytes = 12 * 1024
/** Of a body that is not piped yet. Past this size the provider is paused. */
const maxBufferedBytes = 64 * 1024
/** A discarded body is read to its end up to this size, so that its connection can be reused; a longer one costs more than a new connection. */
const maxDiscardedBytes = 64 * 1024

/** The exchange of a response. */
export type ResponseListener = {
  /** The body goes to a sink from now on. */
  onPiped(): void
  /** The sink's buffer is full: its client has to read. */
  onFull(): void
  onDrain(): void
  /** The body is not wanted. The listener may abort. */
  onDiscarded(): void
  /** Aborts the exchange, which then calls `onAborted`. */
  abort(error: Error): void
}

/** A response from its head on. It buffers the body until that is piped or discarded, which its receiver does within the same tick or after a peek. */
export class IncomingResponse implements UpstreamResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly #controller: Dispatcher.DispatchController
  readonly #listener: ResponseListener
  readonly #buffer: Buffer[] = []
  #bufferedBytes = 0
  /** `undefined` unless the body is discarded. */
  #discardedBytes: number | undefined
  #sink: ResponseSink | undefined
  #isFull = false
  #outcome: PipeOutcome | undefined
  #resolve: ((outcome: PipeOutcome) => void) | undefined
  #peek: (PromiseWithResolvers<Buffer | undefined> & { readonly maxBytes: number }) | undefined
  #error: Error | undefined

  constructor(status: number, headers: ResponseHeaders, controller: Dispatcher.DispatchController, listener: ResponseListener) {
    this.status = status
    this.headers = headers
    this.#controller = controller
    this.#listener = listener
  }

  /** Whether the client has to read before more of the body can be sent. */
  get isFull(): boolean {
    return this.#isFull
  }

  pipeTo(sink: ResponseSink): Promise<PipeOutcome> {
    if (sink.destroyed && !this.#outcome) this.#listener.abort(new ClientDisconnectedError())
    if (sink.destroyed || this.#outcome === 'aborted') {
      sink.destroy()
      return Promise.resolve('aborted')
    }
    this.#sink = sink
    if (!this.#outcome) return this.#stream(sink)
    this.#endWithBuffer(sink)
    return Promise.resolve('complete')
  }

  peek(maxBytes: number): Promise<Buffer | undefined> {
    const peek = { ...Promise.withResolvers<Buffer | undefined>(), maxBytes }
    this.#peek = peek
    this.#answerPeek()
    return peek.promise
  }

  #answerPeek(): void {
    if (!this.#peek) return
    const { resolve, reject, maxBytes } = this.#peek
    if (this.#outcome === 'aborted') reject(asGatewayError(this.#error ?? new ClientDisconnectedError()))
    else if (this.#bufferedBytes > maxBytes) resolve(undefined)
    else if (this.#outcome === 'complete') resolve(Buffer.concat(this.#buffer))
    else return
    this.#peek = undefined
  }

  discard(): void {
    if (this.#sink || this.#outcome) return
    this.#listener.onDiscarded()
    this.#discardedBytes = 0
    for (const chunk of this.#buffer.splice(0)) this.#discardChunk(chunk)
    if (this.#controller.paused) this.#controller.resume()
  }

  onData(chunk: Buffer): void {
    if (this.#outcome) return
    if (this.#sink) this.#write(this.#sink, chunk)
    else if (this.#discardedBytes !== undefined) this.#discardChunk(chunk)
    else {
      this.#buffer.push(chunk)
      this.#bufferedBytes += chunk.length
      if (this.#bufferedBytes > maxBufferedBytes) this.#controller.pause()
      this.#answerPeek()
    }
  }

  /** The body is complete. */
  onEnd(): void {
    if (this.#settle('complete')) this.#sink?.end()
  }

  /** Destroys the sink and does not end it: the client must not take a part of the body for the whole. */
  onAborted(error: Error): void {
    this.#error = error
    if (this.#settle('aborted')) this.#sink?.destroy()
  }

  #settle(outcome: PipeOutcome): boolean {
    if (this.#outcome) return false
    this.#outcome = outcome
    this.#resolve?.(outcome)
    this.#answerPeek()
    return true
  }

  /** For a body that is complete before it is piped, as small ones are: it leaves with the head as one write. */
  #endWithBuffer(sink: ResponseSink): void {
    const last = this.#buffer.pop()
    for (const chunk of this.#buffer) sink.write(chunk)
    if (!last) sink.end()
    // Latin-1 keeps each byte. Node concatenates a string with the head, but writes a buffer as a second part (writev).
    else if (last.length <= maxStringBytes) sink.end(last.toString('latin1'), 'latin1')
    else sink.end(last)
  }

  #stream(sink: ResponseSink): Promise<PipeOutcome> {
    const { promise, resolve } = Promise.withResolvers<PipeOutcome>()
    this.#resolve = resolve
    this.#listener.onPiped()
    // The head does not wait for a late body.
    if (this.#buffer.length === 0) sink.flushHeaders?.()
    for (const chunk of this.#buffer.splice(0)) this.#write(sink, chunk)
    if (!this.#isFull) this.#controller.resume()
    return promise
  }

  #write(sink: ResponseSink, chunk: Buffer): void {
    if (sink.write(chunk) || this.#isFull) return
    this.#controller.pause()
    this.#isFull = true
    this.#listener.onFull()
    sink.once('drain', () => {
      this.#isFull = false
      this.#listener.onDrain()
      this.#controller.resume()
    })
  }

  #discardChunk(chunk: Buffer): void {
    this.#discardedBytes = (this.#discardedBytes ?? 0) + chunk.length
    if (this.#discardedBytes > maxDiscardedBytes) this.#listener.abort(new ClientDisconnectedError())
  }
}
