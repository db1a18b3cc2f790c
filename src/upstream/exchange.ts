import type { Dispatcher } from 'undici'
import type { GatewayError } from '../core/errors.ts'
import type { HttpMethod } from '../core/provider/definition.ts'
import { isEventStream, isStreamed, type StreamedBody, type UpstreamRequest, type UpstreamResponse } from '../core/proxy/upstream.ts'
import type { PooledClient } from './client-pool.ts'
import {
  asGatewayError,
  ClientDisconnectedError,
  isConnectionClosed,
  StallTimeoutError,
  tooManyEventStreams,
  unexpectedTransferCoding
} from './errors.ts'
import { normalizeHeaders } from './headers.ts'
import type { OriginPool } from './origin-pool.ts'
import { IncomingResponse, type ResponseHeaders, type ResponseListener } from './response.ts'
import type { Semaphore, Waiter } from './semaphore.ts'
import { type StallListener, StallTimeout, type Turn } from './stall-timeout.ts'

const emptyBody = Buffer.alloc(0)
/** RFC 9110 §9.2.2, without methods that are not proxied. */
const idempotentMethods = new Set<HttpMethod>(['GET', 'HEAD', 'PUT', 'DELETE'])
/** A server that responds with these has not read the whole request, and mostly closes the connection, with or without saying so. */
const closingStatuses = new Set([408, 413])

/** One request to a provider and its response, from the queue to the end of the body. */
export class Exchange implements Dispatcher.DispatchHandler, Waiter, ResponseListener, StallListener {
  readonly #request: UpstreamRequest
  readonly #resolve: (response: UpstreamResponse) => void
  readonly #reject: (error: GatewayError) => void
  readonly #pool: OriginPool
  /** The body, when it is streamed. */
  readonly #upload: StreamedBody | undefined
  #client: PooledClient | undefined
  /** While this exchange holds a place in it, or queues for one. Once dispatched, it holds the place until undici has let go. */
  #semaphore: Semaphore | undefined
  #timeout: StallTimeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #error: Error | undefined
  #response: IncomingResponse | undefined
  #hasResponseBytes = false
  #isRetried = false
  #isRequestSent = false
  #canReuseConnection = true

  constructor(
    request: UpstreamRequest,
    resolve: (response: UpstreamResponse) => void,
    reject: (error: GatewayError) => void,
    pool: OriginPool
  ) {
    this.#request = request
    this.#upload = isStreamed(request.body) ? request.body : undefined
    this.#resolve = resolve
    this.#reject = reject
    this.#pool = pool
  }

  /** The timeout includes the wait in the queue. */
  start(): void {
    const { signal } = this.#request
    if (signal.aborted) {
      this.abort(new ClientDisconnectedError())
      return
    }
    signal.addEventListener('abort', this.#onClientDisconnected)
    this.#timeout = new StallTimeout(this.#request, this)
    // The client decides how long an upload takes, so it does not count among the requests; src/core/proxy/concurrency-limits.ts limits it.
    if (this.#upload) this.onAcquired()
    else {
      this.#semaphore = this.#pool.semaphore
      this.#semaphore.acquire(this)
    }
  }

  onAcquired(): void {
    this.#dispatch(this.#pool.clients.acquire(this.#isRetryable()))
  }

  #dispatch(client: PooledClient): void {
    this.#client = client
    const { method, path, headers, body, bodyLength } = this.#request
    const chunks = Array.isArray(body) ? (body as readonly Buffer[]) : undefined
    const length = chunks ? chunks.reduce((bytes, { length }) => bytes + length, 0) : bodyLength
    const sentHeaders = length === undefined ? headers : [...headers, 'content-length', String(length)]
    // A single buffer is cheaper for undici than an iterable.
    const sentBody = chunks && chunks.length < 2 ? (chunks[0] ?? emptyBody) : body
    if (sentBody && sentBody !== chunks?.[0]) client.deferWriteErrors()
    const options = { method, path, headers: sentHeaders, body: (sentBody ?? null) as Dispatcher.DispatchOptions['body'] & null }
    client.client.dispatch(options, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#error) {
      controller.abort(this.#error)
      this.#releaseSemaphore()
    } else this.#timeout?.refresh()
  }

  onBodySent(): void {
    this.#timeout?.refresh()
  }

  onRequestSent(): void {
    this.#isRequestSent = true
  }

  onResponseStarted(): void {
    this.#hasResponseBytes = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, rawHeaders: ResponseHeaders): void {
    if (this.#error) return
    this.#timeout?.refresh()
    // RFC 9110 §15.2: an interim response is not for the client. The final one follows.
    if (status < 200) return
    // A server that refuses an upload, or does not wait for its end, may never read the rest, nor the next request on the connection.
    if (closingStatuses.has(status) || (this.#upload && (!this.#isRequestSent || status >= 400))) this.#canReuseConnection = false
    const headers = normalizeHeaders(rawHeaders)
    if (!headers) {
      this.abort(unexpectedTransferCoding())
      return
    }
    const isStream = isEventStream(headers)
    if (isStream && this.#pool.eventStreams.isFull) {
      this.abort(tooManyEventStreams())
      return
    }
    if (isStream) this.#pool.eventStreams.add(this)
    this.#response = new IncomingResponse(status, headers, controller, this)
    this.#resolve(this.#response)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#timeout?.refresh()
    this.#response?.onData(chunk)
  }

  onResponseEnd(): void {
    const client = this.#client
    if (client && this.#canReuseConnection) this.#pool.clients.release(client)
    else if (client) this.#pool.clients.discard(client)
    this.#finish()
    this.#response?.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const client = this.#client
    if (client) this.#pool.clients.discard(client)
    if (client?.hasServed && this.#canRetryAfter(error)) {
      this.#isRetried = true
      this.#controller = undefined
      this.#dispatch(this.#pool.clients.open())
      return
    }
    this.abort(error)
    this.#releaseSemaphore()
  }

  /** RFC 9112 §9.3.1: the server may have closed a reused connection before the request reached it; the client sees that only now. */
  #canRetryAfter(error: Error): boolean {
    return !this.#hasResponseBytes && !this.#error && !this.#isRetried && this.#isRetryable() && isConnectionClosed(error)
  }

  #isRetryable(): boolean {
    return !this.#upload && idempotentMethods.has(this.#request.method)
  }

  onPiped(): void {
    if (!this.#pool.eventStreams.has(this)) return
    // An event stream may be silent for as long as it likes, and must not take a place from requests.
    this.#clearTimeout()
    this.#releaseSemaphore()
  }

  onDiscarded(): void {
    // An upload is not sent again, so the rest of it is not needed; an event stream has no end to read to.
    if (this.#upload || this.#pool.eventStreams.has(this)) this.abort(new ClientDisconnectedError())
  }

  get turn(): Turn {
    if (this.#response?.isFull) return 'reader'
    return this.#upload?.isWaitingForClient ? 'sender' : 'provider'
  }

  /** A slow reader must not block other requests. */
  onSlowReader(): void {
    this.#releaseSemaphore()
  }

  onStalled(): void {
    this.abort(this.turn === 'provider' ? new StallTimeoutError() : new ClientDisconnectedError())
  }

  onFull(): void {
    // An event stream has no timeout until its client has to read.
    this.#timeout ??= new StallTimeout(this.#request, this)
    this.#timeout.onFull()
  }

  onDrain(): void {
    if (this.#pool.eventStreams.has(this)) this.#clearTimeout()
    else this.#timeout?.onDrain()
  }

  /** Ends an event stream: the client gets a complete response. */
  endEarly(): void {
    this.#response?.onEnd()
    this.abort(new ClientDisconnectedError())
  }

  readonly #onClientDisconnected = (): void => this.abort(new ClientDisconnectedError())

  abort(error: Error): void {
    if (this.#error) return
    this.#error = error
    this.#finish()
    this.#controller?.abort(error)
    if (this.#response) this.#response.onAborted(error)
    else this.#reject(asGatewayError(error))
  }

  #finish(): void {
    this.#clearTimeout()
    this.#upload?.release()
    if (!this.#client || this.#controller) this.#releaseSemaphore()
    this.#pool.eventStreams.delete(this)
    this.#request.signal.removeEventListener('abort', this.#onClientDisconnected)
  }

  #releaseSemaphore(): void {
    const semaphore = this.#semaphore
    this.#semaphore = undefined
    semaphore?.release(this)
  }

  #clearTimeout(): void {
    this.#timeout?.clear()
    this.#timeout = undefined
  }
}
