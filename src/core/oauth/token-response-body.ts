import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, constants as zlib } from 'node:zlib'

/** Of a decoded body. No token response is longer, and no compressed one may become so. */
const maxBytes = 1024 * 1024

/**
 * What a token endpoint's body says, whatever it is labelled as. By the time that it is read the provider may have rotated the refresh
 * token, so that a wrong `Content-Type` or `Content-Encoding`, a byte order mark or an unasked compression must not cost the grant.
 *
 * @returns the JSON value; the pairs of a form (RFC 6749 allows none here, and well-known vendors send one) as an object; text that is a
 * single word as `{ error: word }`; `undefined` for anything else
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

/** By how the bytes begin, since the header that names the coding may be missing or wrong. Brotli and raw deflate have no such mark. */
function decodings(body: Buffer): Decoding[] {
  // Without the end of the stream what has come is read all the same.
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
    // The byte order mark is no part of the text.
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

/** With a warning of the server's before it, or a prefix against scripts. Only a token is worth looking for there: a refusal may be said again. */
function tokenWithin(text: string): unknown {
  const document = jsonIn(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
  return typeof document === 'object' && document !== null && Object.hasOwn(document, 'access_token') ? document : undefined
}

/** Pairs and nothing else: a web page may well hold `error=invalid_grant` somewhere. */
function formIn(text: string): object | undefined {
  if (!/^[\w.%+*~-]+=[^\s<>"{}]*$/.test(text)) return undefined
  const form = new URLSearchParams(text)
  return form.has('access_token') || form.has('error') ? Object.fromEntries(form) : undefined
}

const wordIn = (text: string): object | undefined => (/^[a-z]+(_[a-z]+)+$/i.test(text) ? { error: text } : undefined)
