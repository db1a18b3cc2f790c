import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { ConnectionKey } from '../../../src/core/connections/connection-key.ts'
import { connectionRequired, reconnectRequired } from '../../../src/core/connections/errors.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { clientNetwork } from '../../../src/core/guards/client-network.ts'
import type { RawHeaders } from '../../../src/core/guards/header-fields.ts'
import { guardPath, isPathWithin } from '../../../src/core/guards/path.ts'
import { buildRequestHeaders } from '../../../src/core/guards/request-headers.ts'
import { buildResponseHeaders } from '../../../src/core/guards/response-headers.ts'
import { type HttpMethod, httpMethods, type Provider } from '../../../src/core/provider/definition.ts'
import { findProvider } from '../../../src/core/provider/find-provider.ts'
import { credentialDetector, rewriteLocation } from '../../../src/core/proxy/credential.ts'
import { assertNotRateLimited, recordRateLimit } from '../../../src/core/proxy/provider-rate-limit.ts'
import type { ForwardResult } from '../../../src/core/proxy/proxied-request.ts'
import { isEventStream, isStreamed, type ResponseHead, type StreamedBody, type UpstreamResponse } from '../../../src/core/proxy/upstream.ts'
import { forEachField } from '../../../src/core/util/raw-headers.ts'
import { retryAtMs } from '../../../src/core/util/retry-after.ts'
import type { OpenedSession } from '../../../src/core/vault/vault.ts'
import type { Services } from '../../../src/services.ts'
import { corsHeaders } from '../../hooks/cors-headers.ts'
import { hasBody } from '../../hooks/request-body.ts'
import { resourcePolicyFor } from '../../hooks/same-site.ts'
import type { ShutdownState } from '../health.ts'
import { readBody } from './body.ts'
import { ClientAbortSignal } from './client-abort-signal.ts'
import { requestTarget } from './target.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Turns @fastify/cors off: the route adds these headers itself. */
    cors?: false
  }
}

type Options = Pick<Services, 'allowedOrigins' | 'clock' | 'concurrencyLimits' | 'forward' | 'providers' | 'publicOrigin' | 'vault'> & {
  readonly shutdown: ShutdownState
}

const defaultMaxBodyBytes = 32 * 1024 * 1024

/** `/proxy/NAME/…`: the frontend's requests, forwarded with the credential. */
async function proxy(app: FastifyInstance, options: Options) {
  const { allowedOrigins, clock, concurrencyLimits, forward, providers, publicOrigin, vault, shutdown } = options
  const resourcePolicy = resourcePolicyFor(publicOrigin, allowedOrigins)

  // Bodies are forwarded unchanged. Fastify's parsers would read them, and refuse what the provider may accept.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  // Fastify refuses a Content-Type that it cannot parse. The raw headers, which are forwarded, keep it.
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
      const clientSignal = new ClientAbortSignal(reply.raw)
      const { definition } = findProvider(providers, request.params.provider)
      const target = requestTarget(request.originalUrl)
      const method = request.method as HttpMethod
      checkPolicy(definition, method, guardPath(target))
      checkHeaderSize(definition, request.raw.rawHeaders)

      const opened = request.sessionRef && vault.open(request.sessionRef, [definition.name], request)
      // A cached record costs no tick.
      const openedSession = opened instanceof Promise ? await opened : opened
      const { key, connection } = connectionIn(request, openedSession, definition)
      const slot = concurrencyLimits.acquire(key.owner, definition)
      let upload: StreamedBody | undefined
      let response: UpstreamResponse | undefined
      try {
        // Refuses bad headers before the body arrives.
        if (hasBody(request.raw)) buildRequestHeaders(request.raw.rawHeaders, {}, [], { method, provider: definition })
        const { incomingBody } = request
        if (definition.api.idleTimeoutMs?.upload) incomingBody?.allowIdle(definition.api.idleTimeoutMs.upload)
        const read = readBody(request.raw, incomingBody, definition.api.maxBodyBytes ?? defaultMaxBodyBytes)
        const { body, bodyLength } = read instanceof Promise ? await read : read
        if (isStreamed(body)) {
          upload = body
          slot.convertTo('upload', clientNetwork(request.ip))
        }
        const result = await forward({
          key,
          connection,
          provider: definition,
          method,
          target,
          rawHeaders: request.raw.rawHeaders,
          body,
          bodyLength,
          signal: clientSignal
        })
        response = result.response
        if (isEventStream(response.headers)) slot.convertTo('eventStream', clientNetwork(request.ip))
        handleRateLimit(request, key, definition, response)
        writeHead(reply, definition, result)
        const outcome = await response.pipeTo(reply.raw)
        if (outcome === 'aborted' && !clientSignal.aborted) {
          reply.isAborted = true
          request.log.warn({ provider: definition.name }, 'response aborted')
        }
      } catch (error) {
        response?.discard()
        // The client has disconnected: it gets no response, and an error that follows from that is not the provider's.
        if (!clientSignal.aborted || !(error instanceof GatewayError)) throw error
        reply.hijack()
      } finally {
        slot.release()
        // The rest of the body is read and discarded, so that the client reads its response.
        upload?.release()
      }
    }
  })

  function connectionIn(
    request: FastifyRequest,
    opened: OpenedSession | undefined,
    { name }: Provider
  ): { key: ConnectionKey; connection: Connection } {
    const connection = opened?.connections.get(name)?.value
    if (!opened || !connection) throw connectionRequired(name)
    if (connection.status === 'reconnect_required') throw reconnectRequired(name)
    assertNotRateLimited(connection, clock)
    request.touchSession(opened.session, name)
    return { key: new ConnectionKey(opened.session.value.owner, name), connection }
  }

  /** The client gets the 429 itself; further requests of the connection are refused here until the pause is over. */
  function handleRateLimit(request: FastifyRequest, key: ConnectionKey, { api }: Provider, { status, headers }: ResponseHead): void {
    const untilMs = status === 429 && api.rateLimit ? retryAtMs(api.rateLimit, headers, clock.now()) : undefined
    if (untilMs === undefined) return
    recordRateLimit(vault, key, untilMs).catch(error => request.log.warn({ code: error.code }, 'a rate limit could not be stored'))
  }

  /** From here on the response bypasses Fastify. */
  function writeHead(reply: FastifyReply, provider: Provider, { sent, connection, response }: ForwardResult): void {
    const headers = buildResponseHeaders(
      response.status,
      response.headers,
      location => rewriteLocation(provider, connection, { sent: sent.path, ownHost: publicOrigin.host }, location),
      credentialDetector(provider, connection),
      resourcePolicy
    )
    const resealed = reply.resealedSessionCookie()
    if (resealed !== undefined) headers.push('set-cookie', resealed)
    if (reply.request.incomingBody?.closesConnection() || shutdown.isShuttingDown) headers.push('connection', 'close')
    const origin = reply.request.allowedOrigin
    if (origin !== undefined) headers.push(...corsHeaders(origin, fieldNames(headers)))
    reply.raw.writeHead(response.status, headers)
    reply.hijack()
  }
}

function fieldNames(headers: RawHeaders): string[] {
  const names = new Set<string>()
  forEachField(headers, name => names.add(name))
  return [...names]
}

function checkPolicy({ name, title, api }: Provider, method: HttpMethod, path: string): void {
  if (api.methods && !api.methods.includes(method)) {
    throw new GatewayError('method_not_allowed', `${method} is not forwarded to ${title}.`, { provider: name, allow: api.methods })
  }
  if (api.paths && !api.paths.some(prefix => isPathWithin(path === '' ? '/' : path, prefix)))
    throw new GatewayError('path_rejected', `This path is not forwarded to ${title}.`, { provider: name })
}

function checkHeaderSize({ name, title, api: { maxHeaderBytes } }: Provider, rawHeaders: readonly string[]): void {
  if (maxHeaderBytes === undefined || rawHeaders.reduce((bytes, text) => bytes + text.length, 0) <= maxHeaderBytes) return
  throw new GatewayError('header_rejected', `The headers are larger than the ${maxHeaderBytes} bytes that are forwarded to ${title}.`, {
    provider: name,
    status: 431
  })
}

export default fp(proxy, {
  name: 'proxy',
  dependencies: ['access-log', 'session', 'errors', 'security'],
  encapsulate: true
})
