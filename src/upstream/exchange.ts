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
import { checkedHeaders, type ResponseHeaders } from './headers.ts'
import type { OriginPool } from './origin-pool.ts'
import { IncomingResponse, type ResponseOwner } from './response.ts'
import type { Semaphore, Waiter } from './semaphore.ts'
import { type StallListener, StallTimeout } from './stall-timeout.ts'

const noBytes = Buffer.alloc(0)
/** RFC 9110 §9.2.2: to do it twice is to do it once. */
const idempotentMethods = new Set<HttpMethod>(['GET', 'HEAD', 'PUT', 'DELETE'])

/** With these a server has read less than the whole request, and mostly closes, whether it says so or not. */
const endsConnection = new Set([408, 413])

/** One request and its answer. */
export class Exchange implements Dispatcher.DispatchHandler, Waiter, ResponseOwner, StallListener {
  readonly #request: UpstreamRequest
  readonly #resolve: (response: UpstreamResponse) => void
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
  #response: IncomingResponse | undefined
  /** A byte of a response has come. */
  #hasBegun = false
  #isRepeated = false
  #isSent = false
  /** Whether the connection may carry another call after this one. */
  #keepsConnection = true

  constructor(
    request: UpstreamRequest,
    resolve: (response: UpstreamResponse) => void,
    reject: (error: GatewayError) => void,
    road: OriginPool
  ) {
    this.#request = request
    this.#upload = isStreamed(request.body) ? request.body : undefined
    this.#resolve = resolve
    this.#reject = reject
    this.#road = road
  }

  /** Its time runs from here on, also while it waits for its place. */
  start(): void {
    const { signal } = this.#request
    if (signal.aborted) {
      this.abort(new ClientDisconnectedError())
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
      this.abort(unexpectedTransferCoding())
      return
    }
    if (isEventStream(head)) {
      if (this.#road.eventStreams.isFull) {
        this.abort(tooManyEventStreams())
        return
      }
      this.#road.eventStreams.add(this)
    }
    this.#response = new IncomingResponse(status, head, controller, this)
    this.#resolve(this.#response)
  }

  onPiped(): void {
    if (!this.#road.eventStreams.has(this)) return
    this.#clear()
    // Streams have connections of their own: however many there are, other calls find theirs.
    this.#leave()
  }

  onDiscarded(): void {
    // An upload is not sent again, so nobody needs the rest of it; an event stream has no end to read to.
    if (this.#upload || this.#road.eventStreams.has(this)) this.abort(new Error('the response was discarded'))
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#limit?.refresh()
    this.#response?.onData(chunk)
  }

  onResponseEnd(): void {
    const connection = this.#connection
    if (connection && this.#keepsConnection) this.#road.clients.release(connection)
    else if (connection) this.#road.clients.discard(connection)
    this.#finish()
    this.#response?.onEnd()
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
    this.abort(error)
    this.#leave()
  }

  /** Ends an event stream for its client, who gets a complete response. */
  endEarly(): void {
    this.#response?.onEnd()
    this.abort(new ClientDisconnectedError())
  }

  #isRepeatable(): boolean {
    return !this.#upload && idempotentMethods.has(this.#request.method)
  }

  /** Whom the exchange waits for now. */
  get waitsFor(): 'provider' | 'sender' | 'reader' {
    if (this.#response?.isFull) return 'reader'
    return this.#upload?.isWaitingForClient ? 'sender' : 'provider'
  }

  /** Whoever reads so slowly holds up nobody else. */
  onSlowReader(): void {
    this.#leave()
  }

  onStalled(): void {
    this.abort(this.waitsFor === 'provider' ? new StallTimeoutError() : new ClientDisconnectedError())
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

  readonly #onGone = (): void => this.abort(new ClientDisconnectedError())

  /** Ends the exchange before its end. */
  abort(error: Error): void {
    if (this.#fault) return
    this.#fault = error
    this.#finish()
    this.#controller?.abort(error)
    if (this.#response) this.#response.onAborted()
    else this.#reject(asGatewayError(error))
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
