import { GatewayError } from '../errors.ts'

/** A path that still changes after this many rounds of decoding is rejected. */
export const maxDecodings = 8

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

  let text = path
  for (let round = 0; ; round++) {
    // Compares bytes, so that a server with a lenient UTF-8 decoder sees nothing that this check does not.
    if (text.includes('\\')) reject('holds a backslash')
    if (text.includes('\0')) reject('holds a NUL')
    if (/[\r\n\t]/.test(text)) reject('holds a line break or a tab')
    if (/[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]|\xf8[\x80-\x87]|\xfc[\x80-\x83]/.test(text)) reject('holds an overlong UTF-8 form')
    if (text.startsWith('//')) reject('begins with two slashes, which reads as another host')
    if (dotSegment.test(text)) reject('holds a dot segment')
    const next = decodeOnce(text)
    if (next === text) return path
    if (round === maxDecodings) reject('is encoded too many times')
    text = next
  }
}

/**
 * `.` and `..`, also with a suffix that some servers drop: path parameters (`..;x`), spaces and control characters, and, if the decoded path
 * is parsed as a URL again, a query or fragment (`..%3fx`).
 */
const dotSegment = /(?:^|\/)\.{1,2}[^\x21-\xff]*(?:[/;?#]|$)/

/** Percent-decodes once, to one character a byte. */
export const decodeOnce = (text: string): string =>
  text.includes('%') ? text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))) : text

/** True if `path` is `prefix` or lies below it on a segment boundary. */
export const isPathWithin = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/')
