import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, constants as zlib } from 'node:zlib'

/** Of a decompressed body, against decompression bombs. No token response is longer. */
const maxBytes = 1024 * 1024

/**
 * Parses the body of a token response, whatever its headers say. The provider may have rotated the refresh token by now, so a wrong
 * `Content-Type` or `Content-Encoding`, a byte order mark or an unrequested compression must not cost the grant.
 *
 * @returns the JSON value; a form as an object (RFC 6749 does not allow one here, and well-known vendors send it); text that is a single
 * error code as `{ error: code }`; `undefined` for anything else
 */
export function parseTokenResponseBody(body: Buffer): unknown {
  for (const decode of decodings(body)) {
    const text = textOf(decode)
    const document = text === undefined ? undefined : (jsonIn(text) ?? formIn(text) ?? wordIn(text) ?? tokenWithin(text))
    if (document !== undefined) return document
  }
  return undefined
}

type Decoding = () => Buffer

/** Candidates, by the first bytes: the Content-Encoding header may be missing or wrong. Brotli and raw deflate have no signature. */
function decodings(body: Buffer): Decoding[] {
  // Z_SYNC_FLUSH reads a truncated stream as far as it goes.
  const options = { maxOutputLength: maxBytes, finishFlush: zlib.Z_SYNC_FLUSH }
  if (body[0] === 0x1f && body[1] === 0x8b) return [() => gunzipSync(body, options)]
  const compressed = [
    () => inflateSync(body, options),
    () => brotliDecompressSync(body, { maxOutputLength: maxBytes }),
    () => inflateRawSync(body, options)
  ]
  return [() => body, ...compressed]
}

function textOf(decode: Decoding): string | undefined {
  try {
    const bytes = decode()
    const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
    // TextDecoder removes the byte order mark.
    return new TextDecoder(encoding).decode(bytes).trim()
  } catch {
    return undefined
  }
}

function jsonIn(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? wordIn(value) : value
  } catch {
    return undefined
  }
}

/** JSON after a server's warning or a prefix against script inclusion. Accepted for a token only: an error response comes again. */
function tokenWithin(text: string): unknown {
  const document = jsonIn(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
  return typeof document === 'object' && document !== null && Object.hasOwn(document, 'access_token') ? document : undefined
}

/** A form and nothing else: a web page may hold `error=invalid_grant` somewhere. */
function formIn(text: string): object | undefined {
  if (!/^[\w.%+*~-]+=[^\s<>"{}]*$/.test(text)) return undefined
  const form = new URLSearchParams(text)
  return form.has('access_token') || form.has('error') ? Object.fromEntries(form) : undefined
}

const wordIn = (text: string): object | undefined => (/^[a-z]+(_[a-z]+)+$/i.test(text) ? { error: text } : undefined)
