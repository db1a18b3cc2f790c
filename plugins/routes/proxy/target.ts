import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../../src/core/errors.ts'
import { requestedConnection } from '../../../src/core/users/requested-connection.ts'

const prefix = '/proxy/'

/**
 * The URL for Fastify's router. For a proxied request the router needs the provider only: the rest is forwarded byte for byte, and may
 * not decode. The base itself, `/proxy/NAME`, uses the same route as the paths below it.
 */
export function rewriteUrl({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  if (!url.startsWith(prefix)) return url
  const end = segmentEnd(url, prefix.length)
  return end === prefix.length ? url : `${url.slice(0, end)}/`
}

/**
 * The raw target after `/proxy/NAME`: skips two segments, however they are encoded. It has no path for the API's base itself
 * (`/proxy/NAME`, `/proxy/NAME?q`).
 * @throws {GatewayError} `path_rejected` for a target that is not in origin form
 */
export function requestTarget(url: string): string {
  // RFC 9112 §3.2.2: the absolute form names a host, which has no meaning here.
  if (!url.startsWith('/')) throw new GatewayError('path_rejected', 'The request target must begin with a slash.')
  return url.slice(segmentEnd(url, url.indexOf('/', 1) + 1))
}

/**
 * `NAME`, or `NAME@ID` for one account. The header `Grantkeeper-Connection` is the other way to name the account.
 * @param segment decoded
 * @throws {GatewayError} `header_rejected` when both name an account, and not the same
 */
export function parseSegment(segment: string, rawHeaders: readonly string[]): { provider: string; id: string | undefined } {
  const header = requestedConnection(rawHeaders)
  const at = segment.indexOf('@')
  if (at === -1) return { provider: segment, id: header }
  const id = segment.slice(at + 1)
  if (header !== undefined && header !== id)
    throw new GatewayError('header_rejected', 'Grantkeeper-Connection names another account than the path. Keep one of them.')
  return { provider: segment.slice(0, at), id }
}

function segmentEnd(url: string, from: number): number {
  for (let i = from; i < url.length; i++) {
    const c = url[i]
    if (c === '/' || c === '?' || c === '#') return i
  }
  return url.length
}
