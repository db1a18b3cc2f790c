import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../src/core/errors.ts'
import type { Body } from '../../src/core/forward.ts'

/** Bodies up to this many bytes are kept, so that they can be sent a second time. */
const keptBytes = 64 * 1024

/** RFC 9112 §6.3: there is one when a length above 0 or a coding says so. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Of a request without one: its declared length, when it says 0, goes up as it is. */
export const noBody = ({ headers }: IncomingMessage): ReadBody => ({
  body: undefined,
  bodyLength: headers['content-length'] === undefined ? undefined : 0
})

type ReadBody = { readonly body: Body; readonly bodyLength: number | undefined }

/**
 * A request's body: the bytes when they are few, else a stream that ends with an error past `maxBytes`.
 * @throws {GatewayError} `body_too_large` when that is known from the start
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const { 'content-length': declared } = request.headers
  const bodyLength = declared === undefined ? undefined : Number(declared)
  if (bodyLength !== undefined && bodyLength > maxBytes) throw tooLarge(maxBytes)

  // Not destroyed on return: whoever stops reading still owes the client an answer on that socket.
  const chunks: AsyncIterator<Buffer> = request.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]()
  const kept: Buffer[] = []
  let size = 0
  while (bodyLength === undefined || bodyLength <= keptBytes) {
    const next = await chunks.next()
    if (next.done) return { body: Buffer.concat(kept, size), bodyLength }
    kept.push(next.value)
    size += next.value.length
    if (size > keptBytes) break
  }
  return { body: rest(kept, chunks, maxBytes), bodyLength }
}

async function* rest(kept: readonly Buffer[], chunks: AsyncIterator<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  const counted = (chunk: Buffer): Buffer => {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    return chunk
  }
  for (const chunk of kept) yield counted(chunk)
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield counted(next.value)
}

const tooLarge = (maxBytes: number) =>
  new GatewayError('body_too_large', `The body is larger than the ${Math.floor(maxBytes / 1024)} KiB that are forwarded to this provider.`)
