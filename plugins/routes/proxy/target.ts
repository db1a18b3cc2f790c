import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../../../src/core/errors.ts'

const prefix = '/proxy/'

/**
 * What the router sees of an address. Of a proxied call it needs the provider; the rest goes up byte for byte, decodable or not. The base
 * itself, `/proxy/NAME`, is on the route of what lies below it.
 */
export function rewriteUrl({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  if (!url.startsWith(prefix)) return url
  const end = segmentEnd(url, prefix.length)
  return end === prefix.length ? url : `${url.slice(0, end)}/`
}

/**
 * The raw target behind `/proxy/NAME`: two segments are skipped, however they are spelled. Without a path, `/proxy/NAME` and
 * `/proxy/NAME?q`, it is the API's base itself.
 * @throws {GatewayError} `path_rejected`
 */
export function requestTarget(url: string): string {
  // RFC 9112 §3.2.2 knows an absolute form as well; what its host would mean here nobody knows, so it is not guessed.
  if (!url.startsWith('/')) throw new GatewayError('path_rejected', 'The request target must begin with a slash.')
  return url.slice(segmentEnd(url, url.indexOf('/', 1) + 1))
}

function segmentEnd(url: string, from: number): number {
  for (let i = from; i < url.length; i++) {
    const c = url[i]
    if (c === '/' || c === '?' || c === '#') return i
  }
  return url.length
}
