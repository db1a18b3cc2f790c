import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Logger } from 'pino'
import accessLog from '../plugins/access-log.ts'
import apiKeys from '../plugins/api-keys.ts'
import bodies from '../plugins/bodies.ts'
import client from '../plugins/client/client.ts'
import type { Pace } from '../plugins/coming-body.ts'
import connections from '../plugins/connections.ts'
import cookies from '../plugins/cookies.ts'
import delivery from '../plugins/delivery.ts'
import endedSessions from '../plugins/ended-sessions.ts'
import errors from '../plugins/errors.ts'
import flows from '../plugins/flows.ts'
import framing, { mostHeadBytes } from '../plugins/framing.ts'
import grants from '../plugins/grants.ts'
import health from '../plugins/health.ts'
import invitations from '../plugins/invitations.ts'
import invited from '../plugins/invited.ts'
import { answerMalformed } from '../plugins/malformed.ts'
import otherMethods, { collectRoutes } from '../plugins/methods.ts'
import invitationPages from '../plugins/pages/invitation-pages.ts'
import pages from '../plugins/pages/pages.ts'
import providers from '../plugins/providers.ts'
import proxy from '../plugins/proxy/proxy.ts'
import { routedUrl } from '../plugins/proxy/target.ts'
import rateLimits from '../plugins/rate-limits.ts'
import security from '../plugins/security.ts'
import session from '../plugins/session.ts'
import signIn from '../plugins/sign-in/sign-in.ts'
import type { TokenTimes } from '../plugins/sign-in/token-endpoint.ts'
import vault from '../plugins/vault.ts'
import type { Config } from './config/config.ts'
import { flowLifetimeMs } from './core/flow.ts'
import type { Send } from './core/forward.ts'
import type { Clock, Store } from './core/ports.ts'
import { longestRefreshMs } from './core/renewal.ts'
import { requestIds } from './request-ids.ts'
import type { LookupFor } from './upstream/lookup.ts'

export type Parts = {
  store: Store
  clock: Clock
  send: Send
  lookupFor: LookupFor
  logger: Logger
  patience?: Patience
  /** How long what was not delivered is kept for whoever asks again. */
  undeliveredMs?: number
  tokenTimes?: TokenTimes
}

/** With clients that send slowly: for the head of a request, for its body, and how often both are looked at, in milliseconds. */
export type Patience = { readonly headersMs: number; readonly body: Pace; readonly checkEveryMs: number }

/** A refresh may take a minute, and its body a little more; it stays below `longestRefreshMs`, for which a lease is made. */
const usualTokenTimes: TokenTimes = { exchangeMs: 30_000, refreshMs: longestRefreshMs }

const usualPatience: Patience = { headersMs: 15_000, body: { idleMs: 60_000, bytesPerSecond: 1024 }, checkEveryMs: 1_000 }

/** Of our own routes, which take a key or a name; proxied bodies have their own limit. */
const mostBodyBytes = 16 * 1024
/** The token of an invitation's link is longer than Fastify's 100. */
const mostParamCharacters = 256

const noSchemas = () => {
  throw new Error('no route has a schema')
}
/** No route has a schema: what would compile one need not be loaded, which is a tenth of a start and of the memory at rest. */
const noCompilers = { buildValidator: () => noSchemas, buildSerializer: () => noSchemas }

/** The whole gateway, ready to listen. */
export async function buildGateway(config: Config, parts: Parts): Promise<FastifyInstance> {
  const { store, clock, send, lookupFor, logger, undeliveredMs = flowLifetimeMs } = parts
  const { patience = usualPatience, tokenTimes = usualTokenTimes } = parts
  const { publicUrl, allowedOrigins, session: limits, keys, trustProxy } = config
  const nextId = requestIds()
  const app: FastifyInstance = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: nextId,
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    keepAliveTimeout: config.keepAliveMs,
    bodyLimit: mostBodyBytes,
    rewriteUrl: routedUrl,
    schemaController: { compilersFactory: noCompilers },
    routerOptions: { maxParamLength: mostParamCharacters },
    // While it closes: what comes on an open connection is still served.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerMalformed(error, socket, { log: app.log, nextId, allowedOrigins }),
    // An address that cannot be decoded reaches no route, but the same answer.
    frameworkErrors: (error, request, reply) => {
      app.noteRequest(request, reply)
      return app.answerError(error, request, app.putOwnHeaders(request, reply))
    },
    http: {
      // More than is taken, so that what is too large is still read as a request, and refused as one. Less than what a socket gives at once:
      // beyond it, the first packet shows what was too large.
      maxHeaderSize: 3 * mostHeadBytes,
      headersTimeout: patience.headersMs,
      connectionsCheckingInterval: patience.checkEveryMs,
      // Refused by plugins/framing.ts, which ends the connection with it.
      requireHostHeader: false,
      optimizeEmptyRequests: true
    }
  })
  collectRoutes(app)

  await app.register(accessLog, { logger })
  await app.register(providers, { providers: config.providers })
  await app.register(errors, { publicUrl })
  await app.register(bodies, { pace: patience.body, checkEveryMs: patience.checkEveryMs })
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
  await app.register(signIn, { publicUrl, allowedOrigins, lookupFor, tokenTimes, clock })
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
