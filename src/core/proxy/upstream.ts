import type { Writable } from 'node:stream'
import type { HttpMethod } from '../provider/definition.ts'

/**
 * No body, buffered chunks that can be sent again, or a stream that can be sent once. Chunks are not concatenated: for 64 KiB that costs
 * more than everything else that is done for the request.
 */
export type RequestBody = undefined | readonly Buffer[] | StreamedBody

export type StreamedBody = AsyncIterable<Uint8Array> & {
  /** Whether everything received so far is read, so that it is the client's turn. */
  readonly isWaitingForClient: boolean
  /** Ends the iteration. The rest of the body is read and discarded, so that its client reads the response. */
  release(): void
}

export const isStreamed = (body: RequestBody): body is StreamedBody => body !== undefined && !Array.isArray(body)

export type UpstreamRequest = {
  /** Its name: providers that share an origin do not share connections. */
  readonly provider: string
  readonly origin: string
  readonly method: HttpMethod
  /** Path and query, raw. */
  readonly path: string
  /** Name, value, name, value. */
  readonly headers: string[]
  readonly body: RequestBody
  /** Bytes of a streamed body, if the client has sent a Content-Length. */
  readonly bodyLength: number | undefined
  /** Longest wait for the response head, and longest pause within the body, while it is the provider's turn. */
  readonly timeoutMs: number
  /** Longest time in which the client may read nothing of the response; defaults to `timeoutMs`. */
  readonly readTimeoutMs?: number
  /** Aborts when the client no longer waits for the response. */
  readonly signal: AbortSignalLike
}

/** The three members of AbortSignal that are needed. */
export type AbortSignalLike = {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export type ResponseHead = { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>> }

/** Server-sent events (HTML, "Server-sent events"): they may be silent for as long as they like. */
export const isEventStream = ({ 'content-type': type }: ResponseHead['headers']): boolean =>
  type !== undefined && /^text\/event-stream\b/i.test(String(type))

/** Takes a response body. `flushHeaders` is called when the body is late. */
export type ResponseSink = Writable & { flushHeaders?(): void }

/** `aborted`: the provider or the client broke off; the sink was destroyed, so that a part of the body is not taken for the whole. */
export type PipeOutcome = 'complete' | 'aborted'

/** A response from its head on. Its receiver calls `pipeTo`, `discard` or `peek` before it waits for anything else. */
export type UpstreamResponse = {
  readonly status: number
  /** By lower-case name. The receiver may change them. */
  readonly headers: Record<string, string | string[] | undefined>
  /**
   * Waits for the whole body, which stays in the response for `pipeTo` or `discard`.
   * @returns `undefined` as soon as it is longer than `maxBytes`
   * @throws {GatewayError} `provider_unavailable`, `provider_timeout` when the provider breaks off
   */
  peek(maxBytes: number): Promise<Buffer | undefined>
  /** Streams the body with backpressure and ends the sink. Resolves at the end of the body; never rejects. */
  pipeTo(sink: ResponseSink): Promise<PipeOutcome>
  /** Reads the body if it is short, so that the connection can be reused; else aborts. Has no effect once the body is piped. */
  discard(): void
}

/**
 * Sends one request. Resolves with the response head.
 * @throws {GatewayError} `provider_unavailable`, `provider_timeout`, or `rate_limited` with too many open event streams
 */
export type Send = (request: UpstreamRequest) => Promise<UpstreamResponse>
