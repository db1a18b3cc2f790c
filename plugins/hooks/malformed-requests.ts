import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { problemOf } from '../../src/core/connections/problem.ts'
import { type ErrorCode, GatewayError } from '../../src/core/errors.ts'
import { forEachField } from '../../src/core/util/raw-headers.ts'
import { corsHeaders, exposedHeaders } from './cors-headers.ts'

export const urlTooLong = 'The URL is too long. Send its data in a body, or in several requests.'

type Dependencies = { readonly log: FastifyBaseLogger; readonly nextId: () => string }

/** An error of node:http's parser, with the last packet that it read. */
type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: unknown }

type Refusal = { status: number; phrase: string; code: ErrorCode; detail: string }

/** How long a client whose request was malformed has to read the response. */
const lingerMs = 5_000

/** Bytes that are not an HTTP request reach no route: the response is written to the socket, which is then closed (RFC 9112 §2.2, §6.3). */
export function respondToMalformed(
  error: ParserError,
  socket: Socket,
  dependencies: Dependencies & { readonly allowedOrigins: Pick<ReadonlySet<string>, 'has'> }
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const packet = error.rawPacket instanceof Buffer ? error.rawPacket.toString('latin1') : ''
  const refusal = refusalOf(error, packet)
  const { headers, body } = malformedResponse(refusal, dependencies, error.code)
  // A page on an allowed origin may read why, if the packet shows its origin.
  const origin = /\r\nOrigin:[ \t]*([^\r\n]*?)[ \t]*\r\n/i.exec(packet)?.[1]
  const cors =
    origin !== undefined && dependencies.allowedOrigins.has(origin) ? corsHeaders({ origin, allowsCookies: true }, exposedHeaders) : []
  let fields = ''
  forEachField([...Object.entries(headers).flat(), ...cors], (name, value) => {
    fields += `${name}: ${value}\r\n`
  })
  socket.end(`HTTP/1.1 ${refusal.status} ${refusal.phrase}\r\n${fields}\r\n${body}`)
  // Nothing reads the socket any more, so its close would not be noticed.
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

function refusalOf({ code }: ParserError, packet: string): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') {
    // A request line without an end: the URL was too long. Only the first packet shows it.
    if (/^[A-Z]+ [^\n]*$/.test(packet)) return { status: 414, phrase: 'URI Too Long', code: 'path_rejected', detail: urlTooLong }
    const detail = 'The URL or the headers are far too large. If cookies of this host are the reason, clear them; or send fewer.'
    return { status: 431, phrase: 'Request Header Fields Too Large', code: 'header_rejected', detail }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: 408, phrase: 'Request Timeout', code: 'header_rejected', detail: 'The request was not sent completely in time.' }
  return { status: 400, phrase: 'Bad Request', code: 'header_rejected', detail: 'The request is not well-formed HTTP.' }
}

/** Makes the response to a malformed request, and logs its id. The connection closes after it. */
export function malformedResponse(
  { status, code, detail }: Omit<Refusal, 'phrase'>,
  { log, nextId }: Dependencies,
  reason?: string
): { headers: Record<string, string>; body: string } {
  const requestId = nextId()
  log.info({ requestId, status, code, reason }, 'malformed request')
  const problem = problemOf(new GatewayError(code, detail, { status }), {
    requestId,
    settings: undefined,
    publicUrl: '',
    loginUrl: undefined
  })
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
