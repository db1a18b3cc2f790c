import type { Dispatcher } from 'undici'
import type { GatewayError } from '../core/errors.ts'
import { isEventStream, isStreamed, type Outcome, type StreamedBody, type Take, type UpstreamRequest } from '../core/forward.ts'
import type { HttpMethod } from '../core/provider.ts'
import { TimeLimit } from '../core/time-limit.ts'
import type { Connection, Connections } from './connections.ts'
import { Delivery } from './delivery.ts'
import { asGatewayError, ClientGone, isEndOfConnection, Stalled, tooManyEventStreams, unknownCoding } from './faults.ts'
import { checkedHeaders, type ResponseHeaders } from './headers.ts'
import type { Entrant, Lane } from './lane.ts'

/** A dropped answer is read to its end up to here, so that its connection can serve again; a longer one is not worth that. */
const dropBytes = 64 * 1024
const noBytes = Buffer.alloc(0)
/** RFC 9110 §9.2.2: to do it twice is to do it once. */
const idempotentMethods = new Set<HttpMethod>(['GET', 'HEAD', 'PUT', 'DELETE'])

/** With these a server has read less than the whole request, and mostly closes, whether it says so or not. */
const endsConnection = new Set([408, 413])

/** The open ones of one origin. */
export class EventStreams extends Set<Exchange> {
  readonly #most: number

  constructor(most: number) {
    super()
    this.#most = most
  }

  get isFull(): boolean {
    return this.size >= this.#most
  }
}

/** What leads to one origin. */
export type Road = { readonly connections: Connections; readonly lane: Lane; readonly eventStreams: EventStreams }

/** One request and its answer. */
export class Exchange implements Dispatcher.DispatchHandler, Entrant {
  readonly #request: UpstreamRequest
  readonly #take: Take
  readonly #resolve: (outcome: Outcome) => void
  readonly #reject: (error: GatewayError) => void
  readonly #road: Road
  /** The body, when it is sent as it comes. */
  readonly #upload: StreamedBody | undefined
  /** Once undici has it, so that its place is taken until undici has let go of it. */
  #connection: Connection | undefined
  /** While it has its place there, or waits for it. */
  #lane: Lane | undefined
  #limit: TimeLimit | undefined
  #limitMs = 0
  /** How long the client has read nothing, by limits that have passed. */
  #unreadMs = 0
  #controller: Dispatcher.DispatchController | undefined
  #fault: Error | undefined
  #delivery: Delivery | undefined
  #dropped: number | undefined
  /** A byte of a response has come. */
  #hasBegun = false
  #isRepeated = false
  #isSent = false
  /** Whether the connection may carry another call after this one. */
  #keepsConnection = true

  constructor(
    request: UpstreamRequest,
    take: Take,
    resolve: (outcome: Outcome) => void,
    reject: (error: GatewayError) => void,
    road: Road
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
      this.#fail(new ClientGone())
      return
    }
    signal.addEventListener('abort', this.#onGone)
    this.#await()
    // How long an upload takes is its client's to say: it takes no place from calls. Whoever sends it has counted it.
    if (this.#upload) this.go()
    else {
      this.#lane = this.#road.lane
      this.#lane.enter(this)
    }
  }

  go(): void {
    this.#dispatch(this.#road.connections.take(this.#isRepeatable()))
  }

  #dispatch(connection: Connection): void {
    this.#connection = connection
    const { method, path, headers, body, bodyLength } = this.#request
    const kept = Array.isArray(body) ? (body as readonly Buffer[]) : undefined
    const length = kept ? kept.reduce((bytes, { length }) => bytes + length, 0) : bodyLength
    const sized = length === undefined ? headers : [...headers, 'content-length', String(length)]
    // One piece, or none, is sent with less ado.
    const sent = kept && kept.length < 2 ? (kept[0] ?? noBytes) : body
    if (sent && sent !== kept?.[0]) connection.holdWriteErrors()
    connection.client.dispatch({ method, path, headers: sized, body: (sent ?? null) as Dispatcher.DispatchOptions['body'] & null }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#fault) {
      controller.abort(this.#fault)
      this.#leave()
    } else this.#limit?.renew()
  }

  onBodySent(): void {
    this.#limit?.renew()
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
    this.#limit?.renew()
    if (status < 200) return
    // Who refuses an upload, or does not wait for its end, may never read the rest of it, nor what follows on its connection.
    if (endsConnection.has(status) || (this.#upload && (!this.#isSent || status >= 400))) this.#keepsConnection = false
    const head = checkedHeaders(headers)
    if (!head) {
      this.#fail(unknownCoding())
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
      if (this.#upload) this.#fail(new ClientGone())
      return
    }
    this.#delivery = new Delivery(sink, controller, this.#onFull, this.#onRoom)
    if (sink.destroyed) {
      this.#fail(new ClientGone())
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
    this.#limit?.renew()
    if (this.#delivery) {
      this.#delivery.write(chunk)
      return
    }
    this.#dropped = (this.#dropped ?? 0) + chunk.length
    if (this.#dropped > dropBytes) controller.abort(new ClientGone())
  }

  onResponseEnd(): void {
    const connection = this.#connection
    if (connection && this.#keepsConnection) this.#road.connections.giveBack(connection)
    else if (connection) this.#road.connections.drop(connection)
    this.#finish()
    this.#delivery?.end()
    this.#resolve('streamed')
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const connection = this.#connection
    if (connection) this.#road.connections.drop(connection)
    // RFC 9112 §9.3.1: its server may have ended the connection before the request came to it, and this is how one is told of that.
    if (connection?.hasServed && !this.#hasBegun && !this.#fault && !this.#isRepeated && this.#isRepeatable() && isEndOfConnection(error)) {
      this.#isRepeated = true
      this.#controller = undefined
      this.#dispatch(this.#road.connections.open())
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
    this.#fail(new ClientGone())
    delivery?.end()
    this.#resolve('streamed')
  }

  #isRepeatable(): boolean {
    return !this.#upload && idempotentMethods.has(this.#request.method)
  }

  #await(ms = this.#request.timeoutMs): void {
    this.#limit?.end()
    this.#limitMs = ms
    this.#limit = new TimeLimit(ms, this.#onLimit)
  }

  /** Nothing has moved for as long as it may. Whose turn it is says whose fault that is. */
  readonly #onLimit = (): void => {
    const { timeoutMs, readTimeoutMs = timeoutMs } = this.#request
    if (this.#delivery?.isFull) {
      // Whoever reads as slowly as that holds up nobody else.
      this.#leave()
      this.#unreadMs += this.#limitMs
      if (this.#unreadMs < readTimeoutMs) this.#await(Math.min(timeoutMs, readTimeoutMs - this.#unreadMs))
      else this.#fail(new ClientGone())
    } else if (this.#upload?.isAwaited)
      this.#await() // Whoever reads the body has a limit for its client.
    else this.#fail(new Stalled())
  }

  readonly #onFull = (): void => {
    const { timeoutMs, readTimeoutMs = timeoutMs } = this.#request
    this.#unreadMs = 0
    // An event stream has no limit until its client is waited for.
    if (!this.#limit || readTimeoutMs < timeoutMs) this.#await(Math.min(timeoutMs, readTimeoutMs))
  }

  readonly #onRoom = (): void => {
    if (this.#road.eventStreams.has(this)) this.#clear()
    else if (this.#limitMs === this.#request.timeoutMs) this.#limit?.renew()
    else if (this.#limit) this.#await()
  }

  readonly #onGone = (): void => this.#fail(new ClientGone())

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
    lane?.leave(this)
  }

  #clear(): void {
    this.#limit?.end()
    this.#limit = undefined
  }
}
