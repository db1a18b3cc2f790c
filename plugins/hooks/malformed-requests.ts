import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { type ErrorCode, GatewayError } from '../../src/core/errors.ts'
import { corsHeaders, exposedHeaders } from './cors-headers.ts'
import type { Problem } from './errors.ts'

export const urlTooLong = 'The address is too long. Send what it holds in a body, or in several calls.'

/** Of a gateway, for what is no request of it. */
type Malformed = { readonly log: FastifyBaseLogger; readonly nextId: () => string }

/** Of node:http's parser; the packet is what came last. */
type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: unknown }

type Refusal = { status: number; phrase: string; code: ErrorCode; detail: string }

/** Bytes that are no HTTP request never reach a route: the answer is written to the socket, which is then closed (RFC 9112 §2.2, §6.3). */
export function respondToMalformed(
  error: ParserError,
  socket: Socket,
  app: Malformed & { readonly allowedOrigins: ReadonlySet<string> }
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const packet = error.rawPacket instanceof Buffer ? error.rawPacket.toString('latin1') : ''
  const refusal = refusalOf(error, packet)
  const { headers, body } = malformedResponse(refusal, app, error.code)
  // A page that may call is told why its call failed, as far as the packet says whose it is.
  const origin = /\r\nOrigin:[ \t]*([^\r\n]*?)[ \t]*\r\n/i.exec(packet)?.[1]
  const cors = origin !== undefined && app.allowedOrigins.has(origin) ? corsHeaders(origin, exposedHeaders) : []
  const all = [...Object.entries(headers).flat(), ...cors]
  const lines = all.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}\r\n`] : []))
  socket.end(`HTTP/1.1 ${refusal.status} ${refusal.phrase}\r\n${lines.join('')}\r\n${body}`)
  // Nothing is read any more, not even that the client has gone.
  setTimeout(() => socket.destroy(), malformedMs).unref()
}

/** How long a client whose request was malformed has to read why. */
const malformedMs = 5_000

function refusalOf({ code }: ParserError, packet: string): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') {
    // A first line without an end: it was the address. In any other packet than the first one cannot tell.
    if (/^[A-Z]+ [^\n]*$/.test(packet)) return { status: 414, phrase: 'URI Too Long', code: 'path_rejected', detail: urlTooLong }
    const detail = 'The address or the headers are far too large. If cookies of this host are the reason, clear them; or send fewer.'
    return { status: 431, phrase: 'Request Header Fields Too Large', code: 'header_rejected', detail }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: 408, phrase: 'Request Timeout', code: 'header_rejected', detail: 'The request was not sent to its end in time.' }
  return { status: 400, phrase: 'Bad Request', code: 'header_rejected', detail: 'The request is not well-formed HTTP.' }
}

/** An answer to what is no request, and a line of the log that has its id: after it the connection ends. */
export function malformedResponse(
  { status, code, detail }: Omit<Refusal, 'phrase'>,
  { log, nextId }: Malformed,
  reason?: string
): { headers: Record<string, string>; body: string } {
  const requestId = nextId()
  const { title, message } = new GatewayError(code, detail, { status })
  log.info({ requestId, status, code, reason }, 'no request')
  const problem: Problem = { type: `urn:grantkeeper:problem:${code}`, title, status, detail: message, code, requestId }
  const body = JSON.stringify(problem)
  const headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Grantkeeper-Error': code,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    Connection: 'close'
  }
  return { headers, body }
}
