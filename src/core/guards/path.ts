import { GatewayError } from '../errors.ts'

/** Decoding rounds that are looked through. A path that still changes after them is refused. */
export const maxDecodings = 8

/**
 * Guards the part of a raw request target that goes up to the provider, byte for byte: what passes stays below the
 * API's base, however often a server on the way decodes it and however it normalizes (RFC 3986 §5.2.4).
 * @param target raw, as it came in the request line: a path that is empty or begins with `/`, and its query
 * @returns the path alone
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

  if (/%(?![0-9a-f]{2})/i.test(path)) reject('holds a percent sign that begins no valid encoding')

  let text = path
  for (let round = 0; ; round++) {
    // Bytes as characters: a server that decodes to UTF-8 leniently must not see more than we do.
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
 * `.` and `..`, also with what a server cuts off behind them: path parameters (`..;x`), blanks and control characters,
 * and, when it reads the decoded path as a URL once more, a query or fragment (`..%3fx`).
 */
const dotSegment = /(?:^|\/)\.{1,2}[^\x21-\xff]*(?:[/;?#]|$)/

/** Percent-decoded to bytes, each of them a character. */
export const decodeOnce = (text: string): string =>
  text.includes('%') ? text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))) : text

/** True when `path` is `prefix` or lies below it, on a segment border. */
export const isPathWithin = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/')
