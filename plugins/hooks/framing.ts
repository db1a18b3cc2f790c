import { type IncomingMessage, maxHeaderSize, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import { forEachField } from '../../src/core/util/raw-headers.ts'
import { malformedResponse, urlTooLong } from './malformed-requests.ts'

/** For the URL, and for the names and values of the headers: Node's default for both together. */
export const maxHeadBytes = maxHeaderSize
/** As many as Node 26 parses. Older versions silently drop those after twice as many. */
const maxHeaders = 1_000

/** How long the body after a refused expectation is read and discarded. */
const lingerMs = 5_000

/**
 * Refuses requests that two servers could frame differently, before anything in them is trusted, and closes their connection: where such a
 * request ends is unknown, so no further bytes are a request. Node has refused what is not HTTP at all.
 */
async function framing(app: FastifyInstance, { nextId }: { nextId: () => string }) {
  const refused = new WeakSet<Socket>()

  app.addHook('onRequest', ({ raw, originalUrl }, reply, done) => {
    const problem = refused.has(raw.socket) ? 'It follows a request that was refused.' : framingProblem(raw)
    if (problem !== undefined) {
      refused.add(raw.socket)
      reply.header('connection', 'close')
      throw new GatewayError('header_rejected', problem)
    }
    refuseTooLarge(originalUrl, raw)
    if (raw.url === '*' && raw.method !== 'OPTIONS') throw new GatewayError('path_rejected', 'The request target must begin with a slash.')
    done()
  })

  // RFC 9110 §10.1.1.
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    continueOnRead(request, response)
    app.server.emit('request', request, response)
  })

  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    refused.add(socket)
    // Only our side closes at once: a reset would discard the response (see plugins/hooks/request-body.ts).
    socket.destroySoon = socket.end
    request.resume()
    setTimeout(() => socket.destroy(), lingerMs).unref()
    const detail = 'The only expectation that is supported is 100-continue.'
    const { headers, body } = malformedResponse({ status: 417, code: 'header_rejected', detail }, { log: app.log, nextId })
    response.writeHead(417, headers).end(body)
  })
}

/**
 * Sends `100 Continue` when something starts to read the body. A request that is refused before gets its response at once, and Node closes
 * the connection with it, since it is unknown whether the body follows.
 */
function continueOnRead(request: IncomingMessage, response: ServerResponse): void {
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers
  if (coding === undefined && !Number(length)) return
  const sendContinue = () => {
    request.off('newListener', onListener)
    if (response.headersSent || response.destroyed) return
    response.writeContinue()
  }
  const onListener = (event: string | symbol) => {
    if (event === 'data' || event === 'readable') sendContinue()
  }
  request.on('newListener', onListener)
}

/** Node's parser accepts more than is served, so that the refusal is a response that a frontend can read. */
function refuseTooLarge(url: string, { method, rawHeaders }: IncomingMessage): void {
  // A refused preflight request would hide the reason from its page.
  if (url.length > maxHeadBytes && method !== 'OPTIONS') throw new GatewayError('path_rejected', urlTooLong, { status: 414 })
  let bytes = 0
  for (const text of rawHeaders) bytes += text.length
  if (bytes <= maxHeadBytes && rawHeaders.length < 2 * maxHeaders) return
  const detail = `The headers are larger than ${maxHeadBytes} bytes, or more than ${maxHeaders}. If cookies of this host are the reason, clear them; or send fewer.`
  throw new GatewayError('header_rejected', detail, { status: 431 })
}

function framingProblem({ httpVersion, headers, rawHeaders }: IncomingMessage): string | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'The HTTP version is not supported.'
  // RFC 9112 §6.1: a coding before `chunked` would apply to the body, and the provider would not learn of it.
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'The only supported Transfer-Encoding is chunked.'
  // RFC 9112 §3.2. Nothing here depends on the host; a proxy in front may.
  let hosts = 0
  forEachField(rawHeaders, name => {
    if (name.length === 'host'.length && name.toLowerCase() === 'host') hosts++
  })
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return 'A request has one Host header.'
  if (!/^(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i.test(headers.host ?? '')) return 'The Host header is not well-formed.'
  return undefined
}

export default fp(framing, { name: 'framing', dependencies: ['errors'] })
