import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { ReadBody } from '../../../src/core/proxy/proxied-call.ts'
import type { IncomingBody } from '../../hooks/request-body.ts'
import { bodyTooLarge, bodyTruncated, Upload } from './upload.ts'

/** Bodies up to this size are buffered, so that they can be sent a second time. */
const maxBufferedBytes = 64 * 1024

/**
 * Reads a request body: nothing (synchronously), all chunks of a small one, or a stream for a large one, which fails past `maxBytes`.
 * @throws {GatewayError} `body_too_large` when the body declares a length above `maxBytes`
 */
export function readBody(request: IncomingMessage, incoming: IncomingBody | undefined, maxBytes: number): ReadBody | Promise<ReadBody> {
  const { 'content-length': declared, 'transfer-encoding': coding } = request.headers
  const bodyLength = declared === undefined ? undefined : Number(declared)
  if (coding === undefined && !bodyLength) return { body: undefined, bodyLength }
  if (bodyLength !== undefined && bodyLength > maxBytes) throw bodyTooLarge(maxBytes)

  return readStream(request, { maxBytes, bodyLength, onStream: () => incoming?.stream(), discard: () => incoming?.discard() })
}

type StreamOptions = {
  readonly maxBytes: number
  /** Bytes, if they are known. */
  readonly bodyLength: number | undefined
  /** Called when the body is too large to buffer. */
  readonly onStream: () => void
  readonly discard: () => void
}

/** Reads all chunks of a small body, or the start of a large one, which then streams and fails past `maxBytes`. */
export async function readStream(source: Readable, { maxBytes, bodyLength, onStream, discard }: StreamOptions): Promise<ReadBody> {
  const { chunks, isComplete } = await readStart(source, maxBytes, bodyLength)
  if (isComplete) return { body: chunks, bodyLength }
  onStream()
  return { body: new Upload(source, { chunks, maxBytes, discard }), bodyLength }
}

/** Reads to the end, or past `maxBufferedBytes`. Reads nothing of a body that declares more. */
function readStart(request: Readable, maxBytes: number, bodyLength = 0): Promise<{ chunks: Buffer[]; isComplete: boolean }> {
  const chunks: Buffer[] = []
  // A client that disconnected while its session was looked up: no further event follows.
  if (request.destroyed && !request.readableEnded) return Promise.reject(bodyTruncated())
  if (bodyLength > maxBufferedBytes) return Promise.resolve({ chunks, isComplete: false })
  return new Promise((resolve, reject) => {
    let size = 0
    const listeners = {
      data: (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > maxBytes) settle(() => reject(bodyTooLarge(maxBytes)))
        else if (size > maxBufferedBytes) settle(() => resolve({ chunks, isComplete: false }))
      },
      end: () => settle(() => resolve({ chunks, isComplete: true })),
      error: (cause: Error) => settle(() => reject(bodyTruncated(cause))),
      // Without `end` before it: the client has disconnected.
      close: () => settle(() => reject(bodyTruncated()))
    }
    const settle = (settlement: () => void) => {
      request.pause()
      for (const [event, listener] of Object.entries(listeners)) request.off(event, listener)
      settlement()
    }
    for (const [event, listener] of Object.entries(listeners)) request.on(event, listener)
  })
}
