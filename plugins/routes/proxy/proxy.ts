import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../../src/core/errors.ts'
import { clientNetwork } from '../../../src/core/guards/client-network.ts'
import type { RawHeaders } from '../../../src/core/guards/header-fields.ts'
import { buildResponseHeaders } from '../../../src/core/guards/response-headers.ts'
import { type HttpMethod, httpMethods, type Provider } from '../../../src/core/provider/definition.ts'
import { findProvider } from '../../../src/core/provider/find-provider.ts'
import { assertHasBase } from '../../../src/core/proxy/api-base.ts'
import { credentialDetector, rewriteLocation } from '../../../src/core/proxy/credential.ts'
import { linkEnded } from '../../../src/core/proxy/links.ts'
import { guardHeaderSize, guardTarget } from '../../../src/core/proxy/policy.ts'
import { type ProxiedCall, usableConnection } from '../../../src/core/proxy/proxied-call.ts'
import type { ForwardResult } from '../../../src/core/proxy/proxied-request.ts'
import { forEachField } from '../../../src/core/util/raw-headers.ts'
import type { StoredConnection } from '../../../src/core/vault/owned-connections.ts'
import type { Services } from '../../../src/services.ts'
import { corsHeaders, type ReadingOrigin } from '../../hooks/cors-headers.ts'
import { hasBody } from '../../hooks/request-body.ts'
import { resourcePolicyFor } from '../../hooks/same-site.ts'
import type { ShutdownState } from '../health.ts'
import { readBody } from './body.ts'
import { ClientAbortSignal } from './client-abort-signal.ts'
import { parseSegment, requestTarget } from './target.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Turns @fastify/cors off: the route adds these headers itself. */
    cors?: false
  }
}

type Options = Pick<Services, 'allowedOrigins' | 'clock' | 'links' | 'providers' | 'publicOrigin' | 'basePath' | 'sendCall' | 'vault'> & {
  /** The path below which requests arrive. */
  readonly mountPath: string
  readonly shutdown: ShutdownState
}

/** A request that may be forwarded, with the connection that it uses. */
type Forwarded = {
  readonly definition: Provider
  readonly base: string | undefined
  readonly target: string
  readonly stored: StoredConnection
  readonly clientSignal: ClientAbortSignal
  /** The account, if the path names it: a redirect keeps it. */
  readonly account?: string | undefined
  readonly isLink?: boolean
}

/** `/proxy/NAME/…`: the frontend's requests, forwarded with the credential. */
async function proxy(app: FastifyInstance, options: Options) {
  const { allowedOrigins, clock, links, providers, publicOrigin, basePath, sendCall, vault, mountPath, shutdown } = options
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
      const { provider, base, id, account } = parseSegment(request.params.provider, request.raw.rawHeaders)
      const { definition } = findProvider(providers, provider)
      assertHasBase(definition, base)
      const target = requestTarget(request.originalUrl, mountPath)
      guardTarget(definition, request.method as HttpMethod, target)
      guardHeaderSize(definition, request.raw.rawHeaders)

      const opening = request.open({ provider: definition.name, id })
      // A cached record costs no tick.
      const opened = opening instanceof Promise ? await opening : opening
      const stored = usableConnection(opened?.connection, definition, id, clock)
      if (opened) request.touch(opened, stored)
      await proxyRequest(request, reply, { definition, base, target, stored, clientSignal, account })
    }
  })

  // A link stands for one request, whoever sends it: no session, bearer or header of the request counts.
  app.route<{ Params: { '*': string } }>({
    method: ['GET', 'HEAD'],
    url: '/links/*',
    exposeHeadRoute: false,
    config: { cors: false, secretPath: true, withoutCookies: true },
    handler: async (request, reply) => {
      const clientSignal = new ClientAbortSignal(reply.raw)
      const { owner, provider, base, connection, target } = links.open(request.params['*'])
      const { definition } = findProvider(providers, provider)
      assertHasBase(definition, base)
      guardTarget(definition, request.method as HttpMethod, target)
      guardHeaderSize(definition, request.raw.rawHeaders)
      const stored = await vault.openLinked(owner, { provider, id: connection })
      if (!stored) throw linkEnded()
      usableConnection(stored, definition, connection, clock)
      await proxyRequest(request, reply, { definition, base, target, stored, clientSignal, isLink: true })
    }
  })

  async function proxyRequest(
    request: FastifyRequest,
    reply: FastifyReply,
    { definition, base, target, stored, clientSignal, account, isLink = false }: Forwarded
  ): Promise<void> {
    const { raw } = request
    const call: ProxiedCall = {
      definition,
      base,
      method: request.method as HttpMethod,
      target,
      rawHeaders: raw.rawHeaders,
      hasBody: hasBody(raw),
      stored,
      signal: clientSignal,
      readBody: maxBytes => {
        const { incomingBody } = request
        if (definition.api.idleTimeoutMs?.upload) incomingBody?.allowIdle(definition.api.idleTimeoutMs.upload)
        return readBody(raw, incomingBody, maxBytes)
      },
      network: () => clientNetwork(request.clientIp)
    }
    try {
      await sendCall(call, async result => {
        writeHead(reply, result, account, isLink)
        const outcome = await result.response.pipeTo(reply.raw)
        if (outcome === 'complete' || clientSignal.aborted) return
        reply.isAborted = true
        request.log.warn({ provider: definition.name }, 'response aborted')
      })
    } catch (error) {
      // The client has disconnected: it gets no response, and an error that follows from that is not the provider's.
      if (!clientSignal.aborted || !(error instanceof GatewayError)) throw error
      reply.hijack()
    }
  }

  /** From here on the response bypasses Fastify. */
  function writeHead(reply: FastifyReply, result: ForwardResult, account: string | undefined, isLink: boolean): void {
    const { sent, provider, connection, response } = result
    const headers = buildResponseHeaders(
      response.status,
      response.headers,
      location => rewriteLocation(provider, connection, { sent: sent.path, ownHost: publicOrigin.host, basePath, account }, location),
      credentialDetector(provider, connection),
      // Whoever has a link may show it, on whatever page.
      isLink ? 'cross-origin' : resourcePolicy
    )
    const resealed = isLink ? undefined : reply.resealedSessionCookie()
    if (resealed !== undefined) headers.push('set-cookie', resealed)
    if (reply.request.incomingBody?.closesConnection() || shutdown.isShuttingDown) headers.push('connection', 'close')
    const readingOrigin = isLink ? linkReader(reply.request) : reply.request.readingOrigin
    if (readingOrigin) headers.push(...corsHeaders(readingOrigin, fieldNames(headers)))
    if (reply.hostHeaders) addMissing(headers, reply.hostHeaders)
    reply.raw.writeHead(response.status, headers)
    reply.hijack()
  }

  /** EventSource on another origin needs CORS. The link is the credential, as a bearer is, so the same origins may read, without cookies. */
  function linkReader({ headers: { origin } }: FastifyRequest): ReadingOrigin | undefined {
    return origin !== undefined && allowedOrigins.hasForBearer(origin) ? { origin, allowsCookies: false } : undefined
  }
}

/** A header of the provider's or of our own counts more than the same one of an application's hooks, which is in lower case. */
function addMissing(headers: RawHeaders, added: readonly string[]): void {
  const end = headers.length
  for (let i = 0; i + 1 < added.length; i += 2) {
    const name = added[i] as string
    let at = 0
    while (at < end && !(headers[at]?.length === name.length && headers[at]?.toLowerCase() === name)) at += 2
    if (at >= end) headers.push(name, added[i + 1] as string)
  }
}

function fieldNames(headers: RawHeaders): string[] {
  const names = new Set<string>()
  forEachField(headers, name => names.add(name))
  return [...names]
}

export default fp(proxy, {
  name: 'proxy',
  dependencies: ['access-log', 'host', 'principal', 'session', 'errors', 'security'],
  encapsulate: true
})
