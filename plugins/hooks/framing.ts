import { type IncomingMessage, maxHeaderSize, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import { malformedResponse, urlTooLong } from './malformed-requests.ts'

/** Of the address, and of the names and values of the headers: what Node takes of both together unless it is told otherwise. */
export const maxHeadBytes = maxHeaderSize
/** As many as Node 26 reads; older ones leave out what comes after twice as many, without a word. */
const maxHeaders = 1_000

/** How long what follows a refused expectation is read and thrown away. */
const lingerMs = 5_000

/**
 * Requests that two servers could read differently are refused before anything in them counts, and their connection with them: where
 * they end is not for us to say, so nothing that follows is a request. What is no HTTP at all Node has refused before.
 */
async function framing(app: FastifyInstance, { nextId }: { nextId: () => string }) {
  const ended = new WeakSet<Socket>()

  app.addHook('onRequest', ({ raw, originalUrl }, reply, done) => {
    const fault = ended.has(raw.socket) ? 'It follows a request that was refused.' : faultOf(raw)
    if (fault !== undefined) {
      ended.add(raw.socket)
      reply.header('connection', 'close')
      throw new GatewayError('header_rejected', fault)
    }
    refuseTooLarge(originalUrl, raw)
    if (raw.url === '*' && raw.method !== 'OPTIONS') throw new GatewayError('path_rejected', 'The request target must begin with a slash.')
    done()
  })

  // RFC 9110 §10.1.1.
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    goOnWhenWanted(request, response)
    app.server.emit('request', request, response)
  })

  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    ended.add(socket)
    // Our side alone ends at once: a reset would take the answer with it (see plugins/hooks/request-body.ts).
    socket.destroySoon = socket.end
    request.resume()
    setTimeout(() => socket.destroy(), lingerMs).unref()
    const detail = 'There is nothing to be expected here but 100-continue.'
    const { headers, body } = malformedResponse({ status: 417, code: 'header_rejected', detail }, { log: app.log, nextId })
    response.writeHead(417, headers).end(body)
  })
}

/**
 * A client that waits for `100 Continue` is told to go on in the moment when somebody begins to read its body, whoever that is. What is
 * refused before has its response at once, and Node ends the connection with it, since nobody knows whether the body comes.
 */
function goOnWhenWanted(request: IncomingMessage, response: ServerResponse): void {
  const { 'transfer-encoding': coding, 'content-length': length } = request.headers
  if (coding === undefined && !Number(length)) return
  const goOn = () => {
    request.off('newListener', onListener)
    if (response.headersSent || response.destroyed) return
    response.writeContinue()
  }
  const onListener = (event: string | symbol) => {
    if (event === 'data' || event === 'readable') goOn()
  }
  request.on('newListener', onListener)
}

/** What Node's parser has taken is more than is served, so that the refusal is one that a frontend can read. */
function refuseTooLarge(url: string, { method, rawHeaders }: IncomingMessage): void {
  // A preflight is no call yet: were it refused, its page would learn nothing of why.
  if (url.length > maxHeadBytes && method !== 'OPTIONS') throw new GatewayError('path_rejected', urlTooLong, { status: 414 })
  let bytes = 0
  for (const text of rawHeaders) bytes += text.length
  if (bytes <= maxHeadBytes && rawHeaders.length < 2 * maxHeaders) return
  const detail = `The headers are larger than ${maxHeadBytes} bytes, or more than ${maxHeaders}. If cookies of this host are the reason, clear them; or send fewer.`
  throw new GatewayError('header_rejected', detail, { status: 431 })
}

function faultOf({ httpVersion, headers, rawHeaders }: IncomingMessage): string | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'The HTTP version is none that is spoken here.'
  // RFC 9112 §6.1: a coding before `chunked` would be the body's, and the provider would never hear of it.
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'The only Transfer-Encoding that is taken is chunked.'
  // RFC 9112 §3.2. Nothing here depends on it; something in front of us may.
  const hosts = countOf(rawHeaders, 'host')
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return 'A request has one Host header.'
  if (!/^(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i.test(headers.host ?? '')) return 'The Host header is not well-formed.'
  return undefined
}

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const other = rawHeaders[i] as string
    if (other.length === name.length && other.toLowerCase() === name) count++
  }
  return count
}

export default fp(framing, { name: 'framing', dependencies: ['errors'] })
