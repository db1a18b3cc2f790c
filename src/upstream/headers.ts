export type ResponseHeaders = Record<string, string | string[] | undefined>

/** The headers that hold an address, which is ASCII (RFC 3986 §2). */
const addresses = ['location', 'content-location'] as const

/**
 * The headers of a response, its addresses as a client can use them.
 * @param headers lower-case names; values hold a character for each byte
 * @returns `undefined` when the body is in a transfer coding that is not undone here: without it, its bytes would be passed for something else
 */
export function checkedHeaders(headers: ResponseHeaders): ResponseHeaders | undefined {
  const coding = headers['transfer-encoding']
  if (coding !== undefined && !/^(chunked|identity)$/i.test(String(coding).trim())) return undefined
  for (const name of addresses) {
    const value = headers[name]
    if (typeof value === 'string' && raw.test(value)) headers[name] = value.replace(rawBytes, encoded)
  }
  return headers
}

const raw = /[\x80-\xff]/
const rawBytes = /[\x80-\xff]/g
/** What browsers make of it: raw UTF-8 stays the UTF-8 that it was. */
const encoded = (byte: string): string => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`
