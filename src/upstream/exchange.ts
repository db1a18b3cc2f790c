import type { Dispatcher } from 'undici'
import type { GatewayError } from '../core/errors.ts'
import type { HttpMethod } from '../core/provider/definition.ts'
import {
  isEventStream,
  isStreamed,
  type OnResponse,
  type SendOutcome,
  type StreamedBody,
  type UpstreamRequest
} from '../core/proxy/forward.ts'
import type { PooledClient } from './client-pool.ts'
import {
  asGatewayError,
  ClientDisconnectedError,
  isConnectionClosed,
  StallTimeoutError,
  tooManyEventStreams,
  unexpectedTransferCoding
} from './errors.ts'
import { checkedHeaders, type ResponseHeaders } from './headers.ts'
import type { OriginPool } from './origin-pool.ts'
import { type BackpressureListener, ResponseWriter } from './response-writer.ts'
import type { Semaphore, Waiter } from './semaphore.ts'
import { type StallListener, StallTimeout } from './stall-timeout.ts'

/** A dropped answer is read to its end up to here, so that its connection can serve again; a longer one is not worth that. */
const dropBytes = 64 * 1024
const noBytes = Buffer.alloc(0)
/** RFC 9110 §9.2.2: to do it twice is to do it once. */
const idempotentMethods = new Set<HttpMethod>(['GET', 'HEAD', 'PUT', 'DELETE'])

/** With these a server has read less than the whole request, and mostly closes, whether it says so or not. */
const endsConnection = new Set([408, 413])

/** One request and its answer. */
export class Exchange implements Dispatcher.DispatchHandler, Waiter, BackpressureListener, StallListener {
  readonly #request: UpstreamRequest
  readonly #take: OnResponse
  readonly #resolve: (outcome: SendOutcome) => void
  readonly #reject: (error: GatewayError) => void
  readonly #road: OriginPool
  /** The body, when it is sent as it comes. */
  readonly #upload: StreamedBody | undefined
  /** Once undici has it, so that its place is taken until undici has let go of it. */
  #connection: PooledClient | undefined
  /** While it has its place there, or waits for it. */
  #lane: Semaphore | undefined
  #limit: StallTimeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #fault: Error | undefined
  #delivery: ResponseWriter | undefined
  #dropped: number | undefined
  /** A byte of a response has come. */
  #hasBegun = false
  #isRepeated = false
  #isSent = false
  /** Whether the connection may carry another call after this one. */
  #keepsConnection = true

  constructor(
    request: UpstreamRequest,
    take: OnResponse,
    resolve: (outcome: SendOutcome) => void,
    reject: (error: GatewayError) => void,
    road: OriginPool
  ) {
    this.#request = request
    this.#upload = isStreamed(request.body) ? request.body : undefined
    this.#take = take
    this.#resolve = resolve
    this.#reject = reject
    this.#road = road
  }

  /** Its time runs from here on, also while it waits for its place. */
  start(): void {
    const { signal } = this.#request
    if (signal.aborted) {
      this.#fail(new ClientDisconnectedError())
      return
    }
    signal.addEventListener('abort', this.#onGone)
    this.#limit = new StallTimeout(this.#request, this)
    // How long an upload takes is its client's to say: it takes no place from calls. Whoever sends it has counted it.
    if (this.#upload) this.onAcquired()
    else {
      this.#lane = this.#road.semaphore
      this.#lane.acquire(this)
    }
  }

  onAcquired(): void {
    this.#dispatch(this.#road.clients.acquire(this.#isRepeatable()))
  }

  #dispatch(connection: PooledClient): void {
    this.#connection = connection
    const { method, path, headers, body, bodyLength } = this.#request
    const kept = Array.isArray(body) ? (body as readonly Buffer[]) : undefined
    const length = kept ? kept.reduce((bytes, { length }) => bytes + length, 0) : bodyLength
    const sized = length === undefined ? headers : [...headers, 'content-length', String(length)]
    // One piece, or none, is sent with less ado.
    const sent = kept && kept.length < 2 ? (kept[0] ?? noBytes) : body
    if (sent && sent !== kept?.[0]) connection.deferWriteErrors()
    connection.client.dispatch({ method, path, headers: sized, body: (sent ?? null) as Dispatcher.DispatchOptions['body'] & null }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#fault) {
      controller.abort(this.#fault)
      this.#leave()
    } else this.#limit?.refresh()
  }

  onBodySent(): void {
    this.#limit?.refresh()
  }

  onRequestSent(): void {
    this.#isSent = true
  }

  onResponseStarted(): void {
    this.#hasBegun = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (this.#fault) return // An answer that nobody waits for any more.
    // RFC 9110 §15.2: an interim response is not for the client, and says that the final one is on its way.
    this.#limit?.refresh()
    if (status < 200) return
    // Who refuses an upload, or does not wait for its end, may never read the rest of it, nor what follows on its connection.
    if (endsConnection.has(status) || (this.#upload && (!this.#isSent || status >= 400))) this.#keepsConnection = false
    const head = checkedHeaders(headers)
    if (!head) {
      this.#fail(unexpectedTransferCoding())
      return
    }
    const isStream = isEventStream(head)
    if (isStream && this.#road.eventStreams.isFull) {
      this.#fail(tooManyEventStreams())
      return
    }
    const sink = this.#take({ status, headers: head })
    if (!sink) {
      this.#dropped = 0
      this.#resolve('dropped')
      // It will not be sent again, so nobody needs the rest of it.
      if (this.#upload) this.#fail(new ClientDisconnectedError())
      return
    }
    this.#delivery = new ResponseWriter(sink, controller, this)
    if (sink.destroyed) {
      this.#fail(new ClientDisconnectedError())
      return
    }
    if (isStream) {
      this.#clear()
      this.#road.eventStreams.add(this)
      // Streams have connections of their own: however many there are, other calls find theirs.
      this.#leave()
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#limit?.refresh()
    if (this.#delivery) {
      this.#delivery.write(chunk)
      return
    }
    this.#dropped = (this.#dropped ?? 0) + chunk.length
    if (this.#dropped > dropBytes) controller.abort(new ClientDisconnectedError())
  }

  onResponseEnd(): void {
    const connection = this.#connection
    if (connection && this.#keepsConnection) this.#road.clients.release(connection)
    else if (connection) this.#road.clients.discard(connection)
    this.#finish()
    this.#delivery?.end()
    this.#resolve('streamed')
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const connection = this.#connection
    if (connection) this.#road.clients.discard(connection)
    // RFC 9112 §9.3.1: its server may have ended the connection before the request came to it, and this is how one is told of that.
    if (
      connection?.hasServed &&
      !this.#hasBegun &&
      !this.#fault &&
      !this.#isRepeated &&
      this.#isRepeatable() &&
      isConnectionClosed(error)
    ) {
      this.#isRepeated = true
      this.#controller = undefined
      this.#dispatch(this.#road.clients.open())
      return
    }
    this.#fail(error)
    this.#leave()
  }

  /** The client gets a whole answer: the stream up to here. */
  endEarly(): void {
    const delivery = this.#delivery
    this.#delivery = undefined
    this.#dropped = dropBytes
    this.#fail(new ClientDisconnectedError())
    delivery?.end()
    this.#resolve('streamed')
  }

  #isRepeatable(): boolean {
    return !this.#upload && idempotentMethods.has(this.#request.method)
  }

  /** Whom the exchange waits for now. */
  get waitsFor(): 'provider' | 'sender' | 'reader' {
    if (this.#delivery?.isFull) return 'reader'
    return this.#upload?.isWaitingForClient ? 'sender' : 'provider'
  }

  /** Whoever reads so slowly holds up nobody else. */
  onSlowReader(): void {
    this.#leave()
  }

  onStalled(): void {
    this.#fail(this.waitsFor === 'provider' ? new StallTimeoutError() : new ClientDisconnectedError())
  }

  onFull(): void {
    // An event stream has no limit until its client is waited for.
    this.#limit ??= new StallTimeout(this.#request, this)
    this.#limit.readerIsAwaited()
  }

  onDrain(): void {
    if (this.#road.eventStreams.has(this)) this.#clear()
    else this.#limit?.readerHasRead()
  }

  readonly #onGone = (): void => this.#fail(new ClientDisconnectedError())

  #fail(error: Error): void {
    if (this.#fault) return
    this.#fault = error
    this.#finish()
    this.#controller?.abort(error)
    if (this.#dropped !== undefined) return
    if (this.#delivery) {
      this.#delivery.destroy()
      this.#resolve('cut')
    } else {
      this.#reject(asGatewayError(error))
    }
  }

  #finish(): void {
    this.#clear()
    this.#upload?.release()
    if (!this.#connection || this.#controller) this.#leave()
    this.#road.eventStreams.delete(this)
    this.#request.signal.removeEventListener('abort', this.#onGone)
  }

  #leave(): void {
    const lane = this.#lane
    this.#lane = undefined
    lane?.release(this)
  }

  #clear(): void {
    this.#limit?.clear()
    this.#limit = undefined
  }
}
