import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { answerHeaders, type Headers } from '../../src/core/answer-headers.ts'
import { createCallLimits } from '../../src/core/call-limits.ts'
import type { Connection } from '../../src/core/connection.ts'
import { connectionRequired, reconnectRequired } from '../../src/core/connection-errors.ts'
import { locationFor } from '../../src/core/credential.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { type AnswerHead, createForward, type Send } from '../../src/core/forward.ts'
import { guardedPath, isBelow } from '../../src/core/path.ts'
import type { Clock } from '../../src/core/ports.ts'
import type { HttpMethod, Provider } from '../../src/core/provider.ts'
import { heldBackUntil, holdBack, refuseHeldBack } from '../../src/core/rate-limit.ts'
import { readBody } from './body.ts'
import { targetOf } from './target.ts'

type ProxyOptions = { publicUrl: string; send: Send; clock: Clock }

const proxyMethods: HttpMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const defaultMaxBodyBytes = 32 * 1024 * 1024

/** `/proxy/NAME/…`: the frontend's calls, with the credential put on. */
async function proxy(app: FastifyInstance, { publicUrl, send, clock }: ProxyOptions) {
  const ownHost = new URL(publicUrl).host
  const forward = createForward({ send, renew: app.renew, clock })
  const callLimits = createCallLimits()

  // Bodies go up as they are. Fastify's parsers would read them, and refuse what the provider may well take.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  app.route<{ Params: { provider: string } }>({
    method: proxyMethods,
    url: '/proxy/:provider/*',
    exposeHeadRoute: false,
    config: { guarded: true },
    handler: async (request, reply) => {
      const signal = goneSignal(reply.raw)
      const { definition } = app.providerNamed(request.params.provider)
      const target = targetOf(request.originalUrl)
      const method = request.method as HttpMethod
      checkPolicy(definition, method, guardedPath(target))
      checkHead(definition, request.raw.rawHeaders)

      const { owner, connection } = await connectionFor(request, definition)
      const leave = callLimits.enter(owner, definition)
      try {
        const { body, bodyLength } = await readBody(request.raw, definition.api.maxBodyBytes ?? defaultMaxBodyBytes)
        const outcome = await forward({
          owner,
          connection,
          provider: definition,
          method,
          target,
          rawHeaders: request.raw.rawHeaders,
          body,
          bodyLength,
          signal,
          answer: (head, sent) => {
            noteRateLimit(request, owner, definition, head)
            return open(reply, definition, head, sent)
          }
        })
        if (outcome === 'cut') request.log.warn({ provider: definition.name }, 'the answer was cut off')
        return reply
      } finally {
        leave()
      }
    }
  })

  async function connectionFor(request: FastifyRequest, { name }: Provider): Promise<{ owner: string; connection: Connection }> {
    const held = request.ticket && (await app.vault.open(request.ticket, [name]))
    const connection = held?.connections.get(name)?.value
    if (!held || !connection) throw connectionRequired(name)
    if (connection.status === 'reconnect_required') throw reconnectRequired(name)
    refuseHeldBack(connection, clock)
    request.noteSeen(held.session, name)
    return { owner: held.session.value.owner, connection }
  }

  /** The answer itself passes as it is; the next calls wait. */
  function noteRateLimit(request: FastifyRequest, owner: string, { name, api }: Provider, { status, headers }: AnswerHead): void {
    const untilMs = status === 429 && api.rateLimit ? heldBackUntil(api.rateLimit, headers, clock.now()) : undefined
    if (untilMs === undefined) return
    holdBack(app.vault, owner, name, untilMs).catch(error => request.log.warn({ code: error.code }, 'a rate limit could not be noted'))
  }

  /** Begins the answer to the client. From here on it is the provider's, streamed past Fastify. */
  function open(reply: FastifyReply, provider: Provider, head: AnswerHead, sent: { path: string; connection: Connection }): ServerResponse {
    const headers = answerHeaders(head.headers)
    for (const name of ['location', 'content-location']) {
      const value = headers[name]
      if (value === undefined) continue
      const shown = locationFor(provider, sent.connection, { sent: sent.path, ownHost }, String(value))
      if (shown === undefined) delete headers[name]
      else headers[name] = shown
    }
    const resealed = reply.resealedCookie()
    if (resealed !== undefined) headers['set-cookie'] = resealed
    // RFC 9110 §8.6: there is none in it, and a length would have the next hop wait for a body.
    if (head.status === 204) delete headers['content-length']
    if (app.isLeaving()) headers.connection = 'close'
    reply.hijack()
    reply.raw.writeHead(head.status, Object.assign(corsHeaders(reply, headers), headers))
    return reply.raw
  }
}

/** What @fastify/cors has decided, with every header of the answer readable to the allowed frontend. */
function corsHeaders(reply: FastifyReply, answer: Headers): Headers {
  const origin = reply.getHeader('access-control-allow-origin')
  if (typeof origin !== 'string') return {}
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': Object.keys(answer).join(', ')
  }
}

function checkPolicy({ name, title, api }: Provider, method: HttpMethod, path: string): void {
  if (api.methods && !api.methods.includes(method)) {
    throw new GatewayError('method_not_allowed', `${method} is not forwarded to ${title}.`, { provider: name, allow: api.methods })
  }
  if (api.paths && !api.paths.some(prefix => isBelow(path, prefix)))
    throw new GatewayError('path_rejected', `This path is not forwarded to ${title}.`, { provider: name })
}

function checkHead({ name, title, api: { maxHeaderBytes } }: Provider, rawHeaders: readonly string[]): void {
  if (maxHeaderBytes === undefined || rawHeaders.reduce((bytes, text) => bytes + text.length, 0) <= maxHeaderBytes) return
  throw new GatewayError('header_rejected', `The headers are larger than the ${maxHeaderBytes} bytes that are forwarded to ${title}.`, {
    provider: name,
    status: 431
  })
}

/** From the first moment: who has gone while their session was looked up is not told of again. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  if (response.destroyed) gone.abort()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone.signal
}

export default fp(proxy, {
  name: 'proxy',
  dependencies: ['providers', 'session', 'vault', 'grants', 'health', 'errors', 'security'],
  encapsulate: true
})
