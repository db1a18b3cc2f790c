import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/core/errors.ts'
import { malformedAnswer } from './errors.ts'

/**
 * Requests that two servers could read differently are refused before anything in them counts, and their connection with them: where
 * they end is not for us to say, so nothing that follows is a request. What is no HTTP at all Node has refused before.
 */
async function framing(app: FastifyInstance, { nextId }: { nextId: () => string }) {
  const ended = new WeakSet<Socket>()

  app.addHook('onRequest', ({ raw }, reply, done) => {
    const fault = ended.has(raw.socket) ? 'It follows a request that was refused.' : faultOf(raw)
    if (fault !== undefined) {
      ended.add(raw.socket)
      reply.header('connection', 'close')
      throw new GatewayError('header_rejected', fault)
    }
    if (raw.url === '*' && raw.method !== 'OPTIONS') throw new GatewayError('path_rejected', 'The request target must begin with a slash.')
    done()
  })

  // RFC 9110 §10.1.1. `100-continue` is Node's own business.
  app.server.on('checkExpectation', ({ socket }: IncomingMessage, response: ServerResponse) => {
    ended.add(socket)
    const { headers, body } = malformedAnswer(417, 'There is nothing to be expected here but 100-continue.', { log: app.log, nextId })
    response.writeHead(417, headers).end(body)
  })
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
