import type { Client, Dispatcher } from 'undici'
import type { GatewayError } from '../core/errors.ts'
import type { Outcome, Take, UpstreamRequest } from '../core/forward.ts'
import { TimeLimit } from '../core/time-limit.ts'
import type { Connections } from './connections.ts'
import { Delivery } from './delivery.ts'
import { asGatewayError, ClientGone, Stalled, tooManyEventStreams } from './faults.ts'
import type { Entrant, Lane } from './lane.ts'

/** A dropped answer is read to its end up to here, so that its connection can serve again; a longer one is not worth that. */
const dropBytes = 64 * 1024
const noBytes = Buffer.alloc(0)

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
  /** Once undici has it, so that its place is taken until undici has let go of it. */
  #client: Client | undefined
  /** While it has its place there, or waits for it. */
  #lane: Lane | undefined
  #silence: TimeLimit | undefined
  #controller: Dispatcher.DispatchController | undefined
  #fault: Error | undefined
  #delivery: Delivery | undefined
  #dropped: number | undefined

  constructor(
    request: UpstreamRequest,
    take: Take,
    resolve: (outcome: Outcome) => void,
    reject: (error: GatewayError) => void,
    road: Road
  ) {
    this.#request = request
    this.#take = take
    this.#resolve = resolve
    this.#reject = reject
    this.#road = road
  }

  /** Its time runs from here on, also while it waits for its place. */
  start(): void {
    const { signal, timeoutMs } = this.#request
    if (signal.aborted) {
      this.#fail(new ClientGone())
      return
    }
    signal.addEventListener('abort', this.#onGone)
    this.#silence = new TimeLimit(timeoutMs, () => this.#fail(new Stalled()))
    this.#lane = this.#road.lane
    this.#lane.enter(this)
  }

  go(): void {
    const { method, path, headers, body, bodyLength } = this.#request
    const kept = Array.isArray(body) ? (body as readonly Buffer[]) : undefined
    const length = kept ? kept.reduce((bytes, { length }) => bytes + length, 0) : bodyLength
    const sized = length === undefined ? headers : [...headers, 'content-length', String(length)]
    // One piece, or none, is sent with less ado.
    const sent = kept && kept.length < 2 ? (kept[0] ?? noBytes) : body
    this.#client = this.#road.connections.take()
    this.#client.dispatch({ method, path, headers: sized, body: (sent ?? null) as Dispatcher.DispatchOptions['body'] & null }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#fault) {
      controller.abort(this.#fault)
      this.#leave()
    } else this.#silence?.renew()
  }

  onBodySent(): void {
    this.#silence?.renew()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200 || this.#fault) return // 103 and the like; and an answer that nobody waits for any more.
    this.#silence?.renew()
    // RFC-less but universal: server-sent events may be silent for as long as they like.
    const isEventStream = /^text\/event-stream\b/i.test(String(headers['content-type']))
    if (isEventStream && this.#road.eventStreams.isFull) {
      this.#fail(tooManyEventStreams())
      return
    }
    const sink = this.#take({ status, headers })
    if (!sink) {
      this.#dropped = 0
      this.#resolve('dropped')
      return
    }
    this.#delivery = new Delivery(sink, controller, this.#onRoom)
    if (sink.destroyed) {
      this.#fail(new ClientGone())
      return
    }
    if (isEventStream) {
      this.#clear()
      this.#road.eventStreams.add(this)
      // Streams have connections of their own: however many there are, other calls find theirs.
      this.#leave()
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#silence?.renew()
    if (this.#delivery) {
      this.#delivery.write(chunk)
      return
    }
    this.#dropped = (this.#dropped ?? 0) + chunk.length
    if (this.#dropped > dropBytes) controller.abort(new ClientGone())
  }

  onResponseEnd(): void {
    if (this.#client) this.#road.connections.giveBack(this.#client)
    this.#finish()
    this.#delivery?.end()
    this.#resolve('streamed')
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#client) this.#road.connections.drop(this.#client)
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

  readonly #onRoom = (): void => this.#silence?.renew()

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
    if (!this.#client || this.#controller) this.#leave()
    this.#road.eventStreams.delete(this)
    this.#request.signal.removeEventListener('abort', this.#onGone)
  }

  #leave(): void {
    const lane = this.#lane
    this.#lane = undefined
    lane?.leave(this)
  }

  #clear(): void {
    this.#silence?.end()
    this.#silence = undefined
  }
}
