import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../src/core/errors.ts'
import type { Body } from '../../src/core/forward.ts'

/** Bodies up to this many bytes are kept, so that they can be sent a second time. */
const keptBytes = 64 * 1024

type RequestBody = { readonly body: Body; readonly bodyLength: number | undefined }

export const noBody: RequestBody = { body: undefined, bodyLength: undefined }

/** RFC 9112 §6.3. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined

/**
 * A request's body: nothing, the bytes when they are few, else a stream that ends with an error past `maxBytes`.
 * @throws {GatewayError} `body_too_large` when that is known from the start
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<RequestBody> {
  const { 'content-length': declared, 'transfer-encoding': coding } = request.headers
  const bodyLength = declared === undefined ? undefined : Number(declared)
  if (coding === undefined && !bodyLength) return { body: undefined, bodyLength }
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
