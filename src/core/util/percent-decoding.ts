/** A path that still changes after this many rounds of decoding is rejected. */
export const maxDecodings = 8

/** Percent-decodes once, to one character a byte. */
export const decodeOnce = (text: string): string =>
  text.includes('%') ? text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))) : text

/**
 * `.` and `..`, also with a suffix that some servers drop: path parameters (`..;x`), spaces and control characters, and, if the decoded path
 * is parsed as a URL again, a query or fragment (`..%3fx`).
 */
const dotSegment = /(?:^|\/)\.{1,2}[^\x21-\xff]*(?:[/;?#]|$)/

/**
 * What could lead a server out of a path (RFC 3986 §5.2.4, CWE-22), however often it decodes and normalizes it.
 * @param path raw: printable ASCII
 * @returns what it holds, in words that follow "the path"; `undefined` if there is nothing
 */
export function traversalIn(path: string): string | undefined {
  let text = path
  for (let round = 0; ; round++) {
    // Compares bytes, so that a server with a lenient UTF-8 decoder sees nothing that this check does not.
    if (text.includes('\\')) return 'holds a backslash'
    if (text.includes('\0')) return 'holds a NUL'
    if (/[\r\n\t]/.test(text)) return 'holds a line break or a tab'
    if (/[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]|\xf8[\x80-\x87]|\xfc[\x80-\x83]/.test(text)) return 'holds an overlong UTF-8 form'
    if (text.startsWith('//')) return 'begins with two slashes, which reads as another host'
    if (dotSegment.test(text)) return 'holds a dot segment'
    const next = decodeOnce(text)
    if (next === text) return undefined
    if (round === maxDecodings) return 'is encoded too many times'
    text = next
  }
}

/**
 * Whether a value can be percent-encoded as one segment of a path that stays one, however often a server decodes it: at no depth does it end the
 * segment or the path, nor is it empty, dots alone, or parameters alone (RFC 3986 §3.3).
 */
export function isPathSegment(value: string): boolean {
  if (!value.isWellFormed() || /\p{Cc}/u.test(value)) return false
  const encoded = encodeURIComponent(value)
  return traversalIn(`/${encoded}`) === undefined && staysSegment(encoded)
}

function staysSegment(encoded: string): boolean {
  for (let text = encoded; ; ) {
    if (/[/?#]|^[^\x21-\xff]|^;|^$/.test(text)) return false
    const next = decodeOnce(text)
    if (next === text) return true
    text = next
  }
}
