import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import type { ApiRefusal, HttpMethod } from '../provider/definition.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import type { ResponseHead, UpstreamResponse } from './upstream.ts'

/** An error is short. A longer response passes as it comes. */
const maxBytes = 16 * 1024
/** Of what a compressed response may become: more is no error, or an attack (CWE-409). */
const maxDecodedBytes = 64 * 1024
/** RFC 9110 §8.3.1 and RFC 6839 §3.1: one JSON text, and no sequence or stream of them. */
const jsonType = /^application\/(?:[\w!#$&^.-]+\+)?json[\t ]*(?:;|$)/i
/** RFC 9110 §15.3.5, §15.3.6 and §15.4.5: without content. */
const withoutContent: ReadonlySet<number> = new Set([204, 205, 304])

/** RFC 9110 §8.4.1, RFC 7932 and RFC 8878. */
const decoders: Readonly<Record<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync
}

/**
 * Whether a response says what the definition calls a refusal. Reads it for that only if it may: JSON of up to 16 KiB, compressed or not. The body
 * stays in the response.
 * @throws {GatewayError} as `Send` does, when the provider breaks off
 */
export async function isRefusal(refusals: readonly ApiRefusal[], method: HttpMethod, response: UpstreamResponse): Promise<boolean> {
  const { status, headers } = response
  if (method === 'HEAD' || withoutContent.has(status) || !refusals.some(({ statuses }) => !statuses || statuses.includes(status)))
    return false
  if (!jsonType.test(String(headers['content-type'])) || Number(headers['content-length'] ?? 0) > maxBytes) return false
  const body = await response.peek(maxBytes)
  return body !== undefined && saysRefusal(refusals, status, parse(body, headers))
}

/** @param document the parsed response */
export const saysRefusal = (refusals: readonly ApiRefusal[], status: number, document: unknown): boolean =>
  refusals.some(({ pointer, oneOf, statuses }) => {
    const isMeant = !statuses || statuses.includes(status)
    const value = isMeant ? resolvePointer(document, pointer) : undefined
    return value !== undefined && oneOf.some(one => one === value)
  })

/** @returns `undefined` for what is not JSON, or encoded in another way */
function parse(body: Buffer, { 'content-encoding': encoding }: ResponseHead['headers']): unknown {
  try {
    const coding = String(encoding ?? 'identity')
      .trim()
      .toLowerCase()
    const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined
    const decoded = coding === 'identity' ? body : decode?.(body, { maxOutputLength: maxDecodedBytes })
    return decoded && JSON.parse(decoded.toString())
  } catch {
    return undefined
  }
}
