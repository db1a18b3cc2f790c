import { GatewayError } from '../errors.ts'
import { traversalIn } from '../util/percent-decoding.ts'

/**
 * Checks the part of a raw request target that is forwarded to the provider byte for byte. A path that passes stays below the API's base URL,
 * however often a server on the way decodes and normalizes it (RFC 3986 §5.2.4).
 * @param target the raw path, empty or with a leading `/`, and its query, as in the request line
 * @returns the path without its query
 * @throws {GatewayError} `path_rejected`
 */
export function guardPath(target: string): string {
  const reject = (why: string): never => {
    throw new GatewayError('path_rejected', `The path ${why}. Nothing was sent to the provider.`)
  }
  if (/[^\x21-\x7e]/.test(target)) reject('holds a character that must be percent-encoded')
  if (target.includes('#')) reject('holds a fragment')
  const queryAt = target.indexOf('?')
  const path = queryAt === -1 ? target : target.slice(0, queryAt)

  if (/%(?![0-9a-f]{2})/i.test(path)) reject('holds a percent sign without two hexadecimal digits')

  const traversal = traversalIn(path)
  return traversal === undefined ? path : reject(traversal)
}

/** True if `path` is `prefix` or lies below it on a segment boundary. */
export const isPathWithin = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/')
