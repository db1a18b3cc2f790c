import type { ResponseHeaders } from './response.ts'

const urlFields = ['location', 'content-location'] as const
const nonAscii = /[\x80-\xff]/
const nonAsciiBytes = /[\x80-\xff]/g

/**
 * Percent-encodes raw bytes in the URLs of a response's headers (RFC 3986 §2: a URL is ASCII).
 * @param headers lower-case names; values with one character for each byte. Changed in place
 * @returns `undefined` when the body has a transfer coding that is not decoded here: its encoded bytes would pass for the content
 */
export function normalizeHeaders(headers: ResponseHeaders): ResponseHeaders | undefined {
  const coding = headers['transfer-encoding']
  if (coding !== undefined && !/^(chunked|identity)$/i.test(String(coding).trim())) return undefined
  for (const name of urlFields) {
    const value = headers[name]
    if (typeof value === 'string' && nonAscii.test(value)) headers[name] = value.replace(nonAsciiBytes, percentEncode)
  }
  return headers
}

/** As browsers do it: raw UTF-8 becomes percent-encoded UTF-8. */
const percentEncode = (byte: string): string => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`
