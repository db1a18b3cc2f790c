import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Logger } from 'pino'
import accessLog from '../plugins/hooks/access-log.ts'
import cookies from '../plugins/hooks/cookies.ts'
import errors from '../plugins/hooks/errors.ts'
import endedSessions from '../plugins/hooks/expired-sessions.ts'
import flows from '../plugins/hooks/flows.ts'
import framing, { maxHeadBytes } from '../plugins/hooks/framing.ts'
import grants from '../plugins/hooks/grants.ts'
import { respondToMalformed } from '../plugins/hooks/malformed-requests.ts'
import otherMethods, { collectRoutes } from '../plugins/hooks/method-not-allowed.ts'
import providers from '../plugins/hooks/providers.ts'
import rateLimits from '../plugins/hooks/rate-limits.ts'
import bodies from '../plugins/hooks/request-bodies.ts'
import type { BodyPace } from '../plugins/hooks/request-body.ts'
import { createRequestIds } from '../plugins/hooks/request-ids.ts'
import security from '../plugins/hooks/security.ts'
import session from '../plugins/hooks/session.ts'
import delivery from '../plugins/hooks/session-delivery.ts'
import vault from '../plugins/hooks/vault.ts'
import apiKeys from '../plugins/routes/api-keys.ts'
import client from '../plugins/routes/browser-client.ts'
import connections from '../plugins/routes/connections.ts'
import health from '../plugins/routes/health.ts'
import invited from '../plugins/routes/invitation-links.ts'
import invitationPages from '../plugins/routes/invitation-pages.ts'
import invitations from '../plugins/routes/invitations.ts'
import pages from '../plugins/routes/pages.ts'
import proxy from '../plugins/routes/proxy/proxy.ts'
import { rewriteUrl } from '../plugins/routes/proxy/target.ts'
import signIn from '../plugins/routes/sign-in/sign-in.ts'
import type { Config } from './config/config.ts'
import { flowLifetimeMs } from './core/flow.ts'
import { maxRefreshMs } from './core/oauth/renewal.ts'
import type { Clock, LookupFor, Store } from './core/ports.ts'
import type { Send } from './core/proxy/forward.ts'
import type { TokenTimeouts } from './oauth2/token-endpoint.ts'

export type GatewayDependencies = {
  store: Store
  clock: Clock
  send: Send
  lookupFor: LookupFor
  logger: Logger
  clientTimeouts?: ClientTimeouts
  /** How long what was not delivered is kept for whoever asks again. */
  undeliveredMs?: number
  tokenTimeouts?: TokenTimeouts
}

/** With clients that send slowly: for the head of a request, for its body, and how often both are looked at, in milliseconds. */
export type ClientTimeouts = { readonly headersMs: number; readonly body: BodyPace; readonly checkEveryMs: number }

/** A refresh may take a minute, and its body a little more; it stays below `maxRefreshMs`, for which a lease is made. */
const defaultTokenTimes: TokenTimeouts = { exchangeMs: 30_000, refreshMs: maxRefreshMs }

const defaultPatience: ClientTimeouts = { headersMs: 15_000, body: { idleMs: 60_000, bytesPerSecond: 1024 }, checkEveryMs: 1_000 }

/** Of our own routes, which take a key or a name; proxied bodies have their own limit. */
const maxBodyBytes = 16 * 1024
/** The token of an invitation's link is longer than Fastify's 100. */
const maxParamCharacters = 256

const noSchemas = () => {
  throw new Error('no route has a schema')
}
/** No route has a schema: what would compile one need not be loaded, which is a tenth of a start and of the memory at rest. */
const noCompilers = { buildValidator: () => noSchemas, buildSerializer: () => noSchemas }

/** The whole gateway, ready to listen. */
export async function buildGateway(config: Config, parts: GatewayDependencies): Promise<FastifyInstance> {
  const { store, clock, send, lookupFor, logger, undeliveredMs = flowLifetimeMs } = parts
  const { clientTimeouts = defaultPatience, tokenTimeouts = defaultTokenTimes } = parts
  const { publicUrl, allowedOrigins, session: limits, keys, trustProxy } = config
  const nextId = createRequestIds()
  const app: FastifyInstance = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: nextId,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    keepAliveTimeout: config.keepAliveMs,
    bodyLimit: maxBodyBytes,
    rewriteUrl: rewriteUrl,
    schemaController: { compilersFactory: noCompilers },
    routerOptions: { maxParamLength: maxParamCharacters },
    // While it closes: what comes on an open connection is still served.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => respondToMalformed(error, socket, { log: app.log, nextId, allowedOrigins }),
    // An address that cannot be decoded reaches no route, but the same answer.
    frameworkErrors: (error, request, reply) => {
      app.logRequest(request, reply)
      return app.sendError(error, request, app.setOwnHeaders(request, reply))
    },
    http: {
      // More than is taken, so that what is too large is still read as a request, and refused as one. Less than what a socket gives at once:
      // beyond it, the first packet shows what was too large.
      maxHeaderSize: 3 * maxHeadBytes,
      headersTimeout: clientTimeouts.headersMs,
      connectionsCheckingInterval: clientTimeouts.checkEveryMs,
      // Refused by plugins/hooks/framing.ts, which ends the connection with it.
      requireHostHeader: false,
      optimizeEmptyRequests: true
    }
  })
  collectRoutes(app)

  await app.register(accessLog, { logger })
  await app.register(providers, { providers: config.providers })
  await app.register(errors, { publicUrl })
  await app.register(bodies, { pace: clientTimeouts.body, checkEveryMs: clientTimeouts.checkEveryMs })
  await app.register(framing, { nextId })
  await app.register(security, { allowedOrigins, publicUrl })
  await app.register(cookies, { keys: keys.session, limits, publicUrl })
  await app.register(session, { limits, clock })
  await app.register(flows, { clock })
  await app.register(vault, { store, keys: keys.token, limits, graceMs: config.storeGraceMs, clock })
  await app.register(rateLimits, { store, clock, signInsPerAddress: config.signInsPerAddress })
  await app.register(health)
  await app.register(grants, { clock })
  await app.register(delivery, { undeliveredMs })
  await app.register(endedSessions, { limits, clock })
  await app.register(signIn, { publicUrl, allowedOrigins, lookupFor, tokenTimeouts, clock })
  await app.register(connections, { publicUrl, clock })
  await app.register(apiKeys, { publicUrl, send, clock })
  await app.register(invitations, { publicUrl })
  await app.register(invited, { send, clock })
  await app.register(proxy, { publicUrl, send, clock })
  await app.register(pages, { publicUrl, allowedOrigins, limits })
  await app.register(invitationPages, { publicUrl })
  await app.register(client, { allowedOrigins })
  await app.register(otherMethods)
  await app.ready()
  return app
}
