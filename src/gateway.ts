import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Logger } from 'pino'
import accessLog, { createAccessLog, noAccessLog } from '../plugins/hooks/access-log.ts'
import background from '../plugins/hooks/background.ts'
import bearers from '../plugins/hooks/bearers.ts'
import { registerCookies } from '../plugins/hooks/cookies.ts'
import errors, { createErrorResponder } from '../plugins/hooks/errors.ts'
import eventLog from '../plugins/hooks/event-log.ts'
import flows from '../plugins/hooks/flows.ts'
import framing, { maxHeadBytes } from '../plugins/hooks/framing.ts'
import embeddingHost, { type Host } from '../plugins/hooks/host.ts'
import { respondToMalformed } from '../plugins/hooks/malformed-requests.ts'
import methodNotAllowed, { collectRoutes, type RegisteredRoutes } from '../plugins/hooks/method-not-allowed.ts'
import principal from '../plugins/hooks/principal.ts'
import rateLimits from '../plugins/hooks/rate-limits.ts'
import requestBodies from '../plugins/hooks/request-bodies.ts'
import type { BodyPace } from '../plugins/hooks/request-body.ts'
import { createRequestIds } from '../plugins/hooks/request-ids.ts'
import security, { createSetOwnHeaders } from '../plugins/hooks/security.ts'
import session from '../plugins/hooks/session.ts'
import sessionDelivery from '../plugins/hooks/session-delivery.ts'
import accessToken from '../plugins/routes/access-token.ts'
import apiKeys from '../plugins/routes/api-keys.ts'
import browserClient from '../plugins/routes/browser-client.ts'
import choices from '../plugins/routes/choices.ts'
import connections from '../plugins/routes/connections.ts'
import health from '../plugins/routes/health.ts'
import invitationLinks from '../plugins/routes/invitation-links.ts'
import invitationPages from '../plugins/routes/invitation-pages.ts'
import invitations from '../plugins/routes/invitations.ts'
import links from '../plugins/routes/links.ts'
import login from '../plugins/routes/login/login.ts'
import pages from '../plugins/routes/pages.ts'
import proxy from '../plugins/routes/proxy/proxy.ts'
import { createRewriteUrl } from '../plugins/routes/proxy/target.ts'
import signIn from '../plugins/routes/sign-in/sign-in.ts'
import signOut from '../plugins/routes/sign-out.ts'
import type { Config } from './config/config.ts'
import { createServices, type ServiceDependencies, type Services } from './services.ts'

export type GatewayDependencies = ServiceDependencies & {
  /** pino's, unless an application embeds the gateway. */
  readonly logger: Logger | FastifyBaseLogger
  /** The application that embeds the gateway, and passes requests on. */
  readonly host?: Host
  readonly clientTimeouts?: ClientTimeouts
  /** The path below which requests arrive. Default: that of the public URL, which a proxy in front passes on. */
  readonly mountPath?: string
}

/** For clients that send slowly: for the head of a request, for its body, and how often both are checked, in milliseconds. */
export type ClientTimeouts = { readonly headersMs: number; readonly body: BodyPace; readonly checkEveryMs: number }

export type Gateway = {
  readonly app: FastifyInstance
  readonly services: Services
  /** Every route that does more than refuse a method. */
  readonly routes: RegisteredRoutes
  /** From now on load balancers are told that the gateway is not ready, and clients to use another connection. */
  startShutdown(): void
}

const defaultClientTimeouts: ClientTimeouts = { headersMs: 15_000, body: { idleMs: 60_000, bytesPerSecond: 1024 }, checkEveryMs: 1_000 }

/** For our own routes, which take an API key or a name. Proxied bodies have their own limit. */
const maxBodyBytes = 16 * 1024
/** An invitation's token is longer than Fastify's default of 100. */
const maxParamCharacters = 256

const noSchemas = () => {
  throw new Error('no route has a schema')
}
/** No route has a schema: not loading the schema compilers saves a tenth of the start and of the memory at rest. */
const noCompilers = { buildValidator: () => noSchemas, buildSerializer: () => noSchemas }

/** The whole gateway, ready to listen. This is its table of contents: services are made once, plugins take what they need as options. */
export async function buildGateway(config: Config, dependencies: GatewayDependencies): Promise<Gateway> {
  const { logger, host, clientTimeouts = defaultClientTimeouts, mountPath = config.basePath } = dependencies
  const services = createServices(config, dependencies)
  const { allowedOrigins } = services
  const nextId = createRequestIds()
  const requestLog = host ? noAccessLog : createAccessLog(logger as Logger)
  const sendError = createErrorResponder(services)
  const setOwnHeaders = createSetOwnHeaders(services)
  const shutdown = { isShuttingDown: false }

  const app: FastifyInstance = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    ...(host && { childLoggerFactory: (_logger, _bindings, _options, raw) => host.logOf(raw as IncomingMessage) }),
    genReqId: host ? raw => host.idOf(raw as IncomingMessage) : nextId,
    trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : false,
    keepAliveTimeout: config.keepAliveMs,
    bodyLimit: maxBodyBytes,
    rewriteUrl: createRewriteUrl(mountPath),
    schemaController: { compilersFactory: noCompilers },
    routerOptions: { maxParamLength: maxParamCharacters },
    // Requests on open connections are still served while the gateway closes.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => respondToMalformed(error, socket, { log: app.log, nextId, allowedOrigins }),
    // A URL that cannot be decoded reaches no route and no hook, but gets the same kind of response.
    frameworkErrors: (error, request, reply) => {
      requestLog.logRequest(request, reply)
      return sendError(error, request, setOwnHeaders(request, reply))
    },
    http: {
      // Larger than what is accepted, so that a request whose head is too large is still parsed, and refused with a response. Smaller than
      // one read of a socket: beyond it, the first packet shows whether the URL or the headers were too large.
      maxHeaderSize: 3 * maxHeadBytes,
      headersTimeout: clientTimeouts.headersMs,
      connectionsCheckingInterval: clientTimeouts.checkEveryMs,
      // The framing hook refuses it, and closes the connection.
      requireHostHeader: false,
      optimizeEmptyRequests: true
    }
  })
  // Fastify would take JSON without its Content-Type for text, and a route would miss what is in it.
  app.removeContentTypeParser('text/plain')
  // Before any route is registered.
  const routes = collectRoutes(app)

  // Hooks run in this order, those of `onClose` in reverse. The access log is first, so that it measures the whole request and logs every refusal.
  await app.register(accessLog, requestLog)
  await app.register(embeddingHost, { host })
  // Before every hook that throws.
  await app.register(errors, { sendError })
  // Before a refusal: the rest of a refused request's body has to be read, or its connection closed.
  await app.register(requestBodies, { pace: clientTimeouts.body, checkEveryMs: clientTimeouts.checkEveryMs })
  // Before anything in the request is trusted: two servers could read it differently.
  await app.register(framing, { nextId })
  // Before the CSRF guard, which does not concern a bearer.
  await app.register(bearers, services)
  // CORS and the CSRF guard, before a cookie is parsed.
  await app.register(security, { ...services, setOwnHeaders })
  const sealedCookies = await registerCookies(app, { keys: config.keys.session, ...services })
  await app.register(flows, { ...services, sealedCookies })
  await app.register(session, { ...services, sealedCookies })
  await app.register(principal, services)
  await app.register(rateLimits, { ...services, signInsPerAddress: config.signInsPerAddress })
  await app.register(sessionDelivery, services)
  await app.register(eventLog, services)
  await app.register(background, services)

  await app.register(health, { ...services, shutdown })
  await app.register(signIn, services)
  await app.register(connections, services)
  await app.register(choices, services)
  await app.register(signOut, services)
  await app.register(login, { ...services, sealedCookies })
  await app.register(apiKeys, services)
  await app.register(invitations, services)
  await app.register(invitationLinks, services)
  await app.register(links, services)
  await app.register(accessToken, services)
  await app.register(proxy, { ...services, mountPath, shutdown })
  await app.register(pages, services)
  await app.register(invitationPages, services)
  await app.register(browserClient, services)
  // After every route: it adds the other methods of each URL.
  await app.register(methodNotAllowed, { routes })
  await app.ready()
  return {
    app,
    services,
    routes,
    startShutdown: () => {
      shutdown.isShuttingDown = true
    }
  }
}
