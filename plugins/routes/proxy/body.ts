import type { IncomingMessage } from 'node:http'
import type { RequestBody } from '../../../src/core/proxy/upstream.ts'
import type { IncomingBody } from '../../hooks/request-body.ts'
import { bodyTooLarge, bodyTruncated, Upload } from './upload.ts'

/** Bodies up to this many bytes are kept, so that they can be sent a second time. */
const keptBytes = 64 * 1024

type Read = { readonly body: RequestBody; readonly bodyLength: number | undefined }

/**
 * A request's body: nothing, and then it is no promise; its pieces when they are few; else a stream that ends with an error past `maxBytes`.
 * @throws {GatewayError} `body_too_large` when that is known from the start
 */
export function readBody(request: IncomingMessage, coming: IncomingBody | undefined, maxBytes: number): Read | Promise<Read> {
  const { 'content-length': declared, 'transfer-encoding': coding } = request.headers
  const bodyLength = declared === undefined ? undefined : Number(declared)
  if (coding === undefined && !bodyLength) return { body: undefined, bodyLength }
  if (bodyLength !== undefined && bodyLength > maxBytes) throw bodyTooLarge(maxBytes)

  return beginningOf(request, maxBytes, bodyLength).then(({ kept, isWhole }) => {
    if (isWhole) return { body: kept, bodyLength }
    coming?.stream()
    return { body: new Upload(request, { begun: kept, maxBytes, discard: () => coming?.discard() }), bodyLength }
  })
}

/** What comes until the end, or until it is more than is kept. Of a body that will be more, nothing. */
function beginningOf(request: IncomingMessage, maxBytes: number, bodyLength = 0): Promise<{ kept: Buffer[]; isWhole: boolean }> {
  const kept: Buffer[] = []
  // Whoever has gone while their session was looked up says nothing more, not even that.
  if (request.destroyed && !request.readableEnded) return Promise.reject(bodyTruncated())
  if (bodyLength > keptBytes) return Promise.resolve({ kept, isWhole: false })
  return new Promise((resolve, reject) => {
    let size = 0
    const listeners = {
      data: (chunk: Buffer) => {
        kept.push(chunk)
        size += chunk.length
        if (size > maxBytes) settle(() => reject(bodyTooLarge(maxBytes)))
        else if (size > keptBytes) settle(() => resolve({ kept, isWhole: false }))
      },
      end: () => settle(() => resolve({ kept, isWhole: true })),
      error: (cause: Error) => settle(() => reject(bodyTruncated(cause))),
      // Without an end: the client has gone.
      close: () => settle(() => reject(bodyTruncated()))
    }
    const settle = (how: () => void) => {
      request.pause()
      for (const [event, listener] of Object.entries(listeners)) request.off(event, listener)
      how()
    }
    for (const [event, listener] of Object.entries(listeners)) request.on(event, listener)
  })
}
