import type { Writable } from 'node:stream'
import type { HttpMethod } from '../provider/definition.ts'

/**
 * Nothing, pieces that are kept and can be sent again, or a stream that can be sent once. Pieces stay as they came: to make one of them
 * costs more than all else that is done for a call of 64 KiB.
 */
export type RequestBody = undefined | readonly Buffer[] | StreamedBody

export type StreamedBody = AsyncIterable<Uint8Array> & {
  /** Whether the client is waited for: all that has come of it is taken. */
  readonly isWaitingForClient: boolean
  /** Nobody takes any more of it. What still comes is read and thrown away, so that its client reads the response. */
  release(): void
}

export const isStreamed = (body: RequestBody): body is StreamedBody => body !== undefined && !Array.isArray(body)

export type UpstreamRequest = {
  /** Its name: providers that share an origin are kept apart. */
  readonly provider: string
  readonly origin: string
  readonly method: HttpMethod
  /** Path and query, raw. */
  readonly path: string
  /** Name, value, name, value. */
  readonly headers: string[]
  readonly body: RequestBody
  /** Bytes of a streamed body, when the client has said. */
  readonly bodyLength: number | undefined
  /** Longest wait for the answer's head, and longest silence inside its body, in which the provider is waited for. */
  readonly timeoutMs: number
  /** Longest time in which the client may read nothing of the answer; `timeoutMs` when left out. */
  readonly readTimeoutMs?: number
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignalLike
}

/** Of an AbortSignal, which is one, the three parts that are needed. */
export type AbortSignalLike = {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export type ResponseHead = { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>> }

/** RFC-less but universal: server-sent events may be silent for as long as they like. */
export const isEventStream = ({ 'content-type': type }: ResponseHead['headers']): boolean =>
  type !== undefined && /^text\/event-stream\b/i.test(String(type))

/** Where an answer goes. One that can tell its head from its body is told when the body keeps its client waiting. */
export type ResponseSink = Writable & { flushHeaders?(): void }

/** `aborted`: the body could not be sent to its end, on either side; the sink was destroyed, so that nobody takes it for complete. */
export type PipeOutcome = 'complete' | 'aborted'

/** A response from its head on. Its receiver calls `pipeTo` or `discard` at once, before anything that takes time. */
export type UpstreamResponse = {
  readonly status: number
  /** By lower-case name; the receiver's own, to change. */
  readonly headers: Record<string, string | string[] | undefined>
  /** Streams the body with backpressure, and ends the sink. Resolves when the body has ended; never rejects. */
  pipeTo(sink: ResponseSink): Promise<PipeOutcome>
  /** Reads a short rest of the body, so that the connection can be reused, and aborts a longer one. Does nothing once the body is piped. */
  discard(): void
}

/**
 * Sends one request. Resolves with the head of its response.
 * @throws {GatewayError} `provider_unavailable`, `provider_timeout`, or `rate_limited` when there are too many event streams
 */
export type Send = (request: UpstreamRequest) => Promise<UpstreamResponse>
