import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { connectionRequired, reconnectRequired } from '../../../src/core/connections/errors.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { clientNetwork } from '../../../src/core/guards/client-network.ts'
import type { RawHeaders } from '../../../src/core/guards/header-fields.ts'
import { guardPath, isPathWithin } from '../../../src/core/guards/path.ts'
import { buildRequestHeaders } from '../../../src/core/guards/request-headers.ts'
import { buildResponseHeaders } from '../../../src/core/guards/response-headers.ts'
import type { Clock } from '../../../src/core/ports.ts'
import { type HttpMethod, httpMethods, type Provider } from '../../../src/core/provider/provider.ts'
import { createConcurrencyLimits } from '../../../src/core/proxy/concurrency-limits.ts'
import { credentialDetector, rewriteLocation } from '../../../src/core/proxy/credential.ts'
import {
  createForward,
  isEventStream,
  isStreamed,
  type ResponseHead,
  type Send,
  type StreamedBody
} from '../../../src/core/proxy/forward.ts'
import { assertNotRateLimited, recordRateLimit } from '../../../src/core/proxy/provider-rate-limit.ts'
import { retryAtMs } from '../../../src/core/util/retry-after.ts'
import type { OpenedSession } from '../../../src/core/vault/vault.ts'
import { corsHeaders } from '../../hooks/cors-headers.ts'
import { readBody } from './body.ts'
import { ClientAbortSignal } from './client-abort-signal.ts'
import { requestTarget } from './target.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of @fastify/cors: the route sees to it itself. */
    cors?: false
  }
}

type ProxyOptions = { publicUrl: string; send: Send; clock: Clock }

const defaultMaxBodyBytes = 32 * 1024 * 1024

/** `/proxy/NAME/…`: the frontend's calls, with the credential put on. */
async function proxy(app: FastifyInstance, { publicUrl, send, clock }: ProxyOptions) {
  const ownHost = new URL(publicUrl).host
  const forward = createForward({
    send,
    renew: app.renew,
    vault: app.vault,
    clock,
    onEnded: ({ provider, method }, reason) => app.log.info({ provider, method, reason }, 'a connection has ended'),
    onFailed: ({ provider }, error) =>
      app.log.warn({ provider, code: (error as { code?: unknown }).code }, 'whether a connection has ended could not be found out')
  })
  const callLimits = createConcurrencyLimits()

  // Bodies go up as they are. Fastify's parsers would read them, and refuse what the provider may well take.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  // Before it asks a parser Fastify reads the type, and refuses one that it cannot read. What goes up are the raw headers.
  app.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
    if (headers['content-type'] !== undefined) headers['content-type'] = undefined
    done()
  })

  app.route<{ Params: { provider: string } }>({
    method: [...httpMethods],
    url: '/proxy/:provider/*',
    exposeHeadRoute: false,
    config: { guarded: true, cors: false },
    handler: async (request, reply) => {
      const departure = new ClientAbortSignal(reply.raw)
      const { definition } = app.getProvider(request.params.provider)
      const target = requestTarget(request.originalUrl)
      const method = request.method as HttpMethod
      checkPolicy(definition, method, guardPath(target))
      checkHead(definition, request.raw.rawHeaders)

      const opened = request.sessionRef && app.vault.open(request.sessionRef, [definition.name], request)
      // What is there already is not waited for.
      const held = opened instanceof Promise ? await opened : opened
      const { owner, connection } = connectionIn(request, held, definition)
      const place = callLimits.acquire(owner, definition)
      let streamed: StreamedBody | undefined
      try {
        // What is refused by its head is refused before its body comes.
        if (hasBody(request.raw)) buildRequestHeaders(request.raw.rawHeaders, {}, [], { method, provider: definition })
        const { incomingBody } = request
        if (definition.api.idleTimeoutMs?.upload) incomingBody?.allowIdle(definition.api.idleTimeoutMs.upload)
        const read = readBody(request.raw, incomingBody, definition.api.maxBodyBytes ?? defaultMaxBodyBytes)
        const { body, bodyLength } = read instanceof Promise ? await read : read
        if (isStreamed(body)) {
          streamed = body
          place.convertTo('upload', clientNetwork(request.ip))
        }
        const outcome = await forward({
          owner,
          connection,
          provider: definition,
          method,
          target,
          rawHeaders: request.raw.rawHeaders,
          body,
          bodyLength,
          signal: departure,
          onResponse: (head, sent) => {
            if (isEventStream(head.headers)) place.convertTo('eventStream', clientNetwork(request.ip))
            noteRateLimit(request, owner, definition, head)
            return open(reply, definition, head, sent)
          }
        })
        if (outcome === 'cut' && !departure.aborted) {
          reply.isAborted = true
          request.log.warn({ provider: definition.name }, 'the answer was cut off')
        }
      } catch (error) {
        // Whoever has gone is answered nothing, and that the call was ended for it is no fault of the provider's.
        if (!departure.aborted || !(error instanceof GatewayError)) throw error
        reply.hijack()
      } finally {
        place.release()
        // However the call has ended: what still comes is read, so that the client comes to read its answer.
        streamed?.release()
      }
    }
  })

  function connectionIn(
    request: FastifyRequest,
    held: OpenedSession | undefined,
    { name }: Provider
  ): { owner: string; connection: Connection } {
    const connection = held?.connections.get(name)?.value
    if (!held || !connection) throw connectionRequired(name)
    if (connection.status === 'reconnect_required') throw reconnectRequired(name)
    assertNotRateLimited(connection, clock)
    request.touchSession(held.session, name)
    return { owner: held.session.value.owner, connection }
  }

  /** The answer itself passes as it is; the next calls wait. */
  function noteRateLimit(request: FastifyRequest, owner: string, { name, api }: Provider, { status, headers }: ResponseHead): void {
    const untilMs = status === 429 && api.rateLimit ? retryAtMs(api.rateLimit, headers, clock.now()) : undefined
    if (untilMs === undefined) return
    recordRateLimit(app.vault, owner, name, untilMs).catch(error =>
      request.log.warn({ code: error.code }, 'a rate limit could not be noted')
    )
  }

  /** Begins the answer to the client. From here on it is the provider's, streamed past Fastify. */
  function open(
    reply: FastifyReply,
    provider: Provider,
    head: ResponseHead,
    sent: { path: string; connection: Connection }
  ): ServerResponse {
    const headers = buildResponseHeaders(
      head.status,
      head.headers,
      address => rewriteLocation(provider, sent.connection, { sent: sent.path, ownHost }, address),
      credentialDetector(provider, sent.connection),
      app.resourcePolicy
    )
    const resealed = reply.resealedSessionCookie()
    if (resealed !== undefined) headers.push('set-cookie', resealed)
    if (reply.request.incomingBody?.closesConnection() || app.isShuttingDown()) headers.push('connection', 'close')
    const origin = reply.request.allowedOrigin
    if (origin !== undefined) headers.push(...corsHeaders(origin, namesIn(headers)))
    reply.raw.writeHead(head.status, headers)
    reply.hijack()
    return reply.raw
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const namesIn = (headers: RawHeaders): string[] => [...new Set(headers.filter((_, i) => i % 2 === 0))]

function checkPolicy({ name, title, api }: Provider, method: HttpMethod, path: string): void {
  if (api.methods && !api.methods.includes(method)) {
    throw new GatewayError('method_not_allowed', `${method} is not forwarded to ${title}.`, { provider: name, allow: api.methods })
  }
  if (api.paths && !api.paths.some(prefix => isPathWithin(path === '' ? '/' : path, prefix)))
    throw new GatewayError('path_rejected', `This path is not forwarded to ${title}.`, { provider: name })
}

function checkHead({ name, title, api: { maxHeaderBytes } }: Provider, rawHeaders: readonly string[]): void {
  if (maxHeaderBytes === undefined || rawHeaders.reduce((bytes, text) => bytes + text.length, 0) <= maxHeaderBytes) return
  throw new GatewayError('header_rejected', `The headers are larger than the ${maxHeaderBytes} bytes that are forwarded to ${title}.`, {
    provider: name,
    status: 431
  })
}

export default fp(proxy, {
  name: 'proxy',
  dependencies: ['access-log', 'providers', 'session', 'vault', 'grants', 'health', 'errors', 'security'],
  encapsulate: true
})
