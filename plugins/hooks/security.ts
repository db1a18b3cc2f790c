import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import type { AllowedOrigins } from '../../src/core/guards/allowed-origins.ts'
import type { Services } from '../../src/services.ts'
import { corsHeaders, exposedHeaders, type ReadingOrigin } from './cors-headers.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's origin, if its pages may read the response. */
    readonly readingOrigin: ReadingOrigin | undefined
  }
  interface FastifyContextConfig {
    /**
     * Guarded against cross-site requests whatever the method. Unsafe methods always are. A safe one needs no `X-CSRF` if the browser says
     * that the page is of our own origin, or of an allowed one of our site: images, downloads and EventSource cannot send a header.
     */
    guarded?: boolean
    /** Sent by a server, which proves who it is by what it sends: no browser's cookie counts. */
    fromServer?: boolean
    /** Submitted by pages of other sites, and so without our cookies. The route reads and changes nothing. */
    fromOtherSites?: boolean
    /** The same for everybody, whatever the cookie: previews may read it too, as they may read responses to a bearer. */
    withoutCookies?: boolean
    /** Submitted by a form on one of our own pages, without a script that could add a header. */
    ownPage?: boolean
  }
}

type Options = Pick<Services, 'allowedOrigins' | 'publicOrigin'>

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

const corsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders,
  maxAge: 600,
  // An OPTIONS request that is no preflight gets the same response, without anything that a page could read.
  strictPreflight: false
}

const responseHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // no-referrer: URLs of the sign-in hold the state and code (RFC 9700 §4.2.4).
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // A sign-in in a popup passes through our redirects, pages and error pages, and tells its opener the result at the end. Any other value
  // on one of them would sever the popup from its opener for good (HTML §7.1.3).
  'cross-origin-opener-policy': 'unsafe-none',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store'
}

/** Sets the headers of our own responses, CORS included, where they are not set yet. */
export type SetOwnHeaders = (request: FastifyRequest, reply: FastifyReply) => FastifyReply

export function createSetOwnHeaders({ allowedOrigins, publicOrigin }: Options): SetOwnHeaders {
  const headers = Object.entries(
    publicOrigin.isHttps ? { ...responseHeaders, 'strict-transport-security': 'max-age=31536000' } : responseHeaders
  )
  return (request, reply) => {
    for (const [name, value] of headers) if (!reply.hasHeader(name)) reply.header(name, value)
    if (reply.hostHeaders) addMissing(reply, reply.hostHeaders)
    // @fastify/cors runs after the hooks that refuse a request by its framing or size. A frontend must be able to read those refusals too.
    if (!reply.hasHeader('vary')) reply.header('vary', 'Origin')
    const readingOrigin = readingOriginOf(request, allowedOrigins)
    if (readingOrigin === undefined || reply.hasHeader('access-control-allow-origin')) return reply
    const cors = corsHeaders(readingOrigin, exposedHeaders)
    for (let i = 0; i < cors.length; i += 2) reply.header(cors[i] as string, cors[i + 1])
    return reply
  }
}

/** What an application's hooks have set. A name that it gives several values for keeps all of them. */
function addMissing(reply: FastifyReply, added: readonly string[]): void {
  const values = new Map<string, string[]>()
  for (let i = 0; i + 1 < added.length; i += 2) {
    const [name, value] = [added[i] as string, added[i + 1] as string]
    values.set(name, [...(values.get(name) ?? []), value])
  }
  for (const [name, list] of values) if (!reply.hasHeader(name)) reply.header(name, list.length === 1 ? list[0] : list)
}

function readingOriginOf(request: FastifyRequest, allowedOrigins: AllowedOrigins): ReadingOrigin | undefined {
  const { origin } = request.headers
  if (origin === undefined) return undefined
  if (allowedOrigins.has(origin)) return { origin, allowsCookies: true }
  // A preflight request does not say whether the request will have a bearer.
  const isForBearer = request.hasBearer || request.method === 'OPTIONS' || request.routeOptions.config?.withoutCookies
  return isForBearer && allowedOrigins.hasForBearer(origin) ? { origin, allowsCookies: false } : undefined
}

/** Who may send requests from where: CORS by a list of origins, the CSRF guard in three layers, the headers of our own responses. */
async function security(app: FastifyInstance, { allowedOrigins, publicOrigin, setOwnHeaders }: Options & { setOwnHeaders: SetOwnHeaders }) {
  app.decorateRequest('readingOrigin', {
    getter(this: FastifyRequest) {
      return readingOriginOf(this, allowedOrigins)
    }
  })
  // A proxied response is sent without these hooks, and has headers of its own.
  app.addHook('onSend', (request, reply, _payload, done) => {
    setOwnHeaders(request, reply)
    done()
  })

  app.addHook('onRequest', (request, _reply, done) => {
    // A preflight request from any other origin learns nothing but the refusal.
    if (request.method === 'OPTIONS') refuseForeignOrigin(request)
    done()
  })

  await app.register(cors, {
    // By request, since only some origins may send cookies.
    delegator: (request, callback) =>
      callback(null, {
        ...corsOptions,
        // With false, an OPTIONS request without Origin would go on to the routes.
        origin: request.readingOrigin?.origin ?? (request.method === 'OPTIONS' ? [] : false),
        credentials: request.readingOrigin?.allowsCookies ?? false
      })
  })

  app.addHook('onRequest', (request, _reply, done) => {
    const { guarded, ownPage, fromServer, fromOtherSites, refusal } = request.routeOptions.config
    const isUnsafe = !safeMethods.has(request.method)
    // A bearer is no ambient authority: a page of another site does not have it.
    if (!refusal && !fromServer && !fromOtherSites && !request.hasBearer && (guarded || isUnsafe)) {
      if (ownPage) refuseOtherPages(request)
      else if (isUnsafe || !isOfOwnSite(request)) refuseOtherSites(request)
    }
    done()
  })

  /** By what pages cannot forge (Fetch Metadata; both header names are forbidden to scripts). */
  function isOfOwnSite({ headers: { origin, 'sec-fetch-site': site } }: FastifyRequest): boolean {
    if (site === 'same-origin') return origin === undefined || allowedOrigins.has(origin)
    return site === 'same-site' && origin !== undefined && allowedOrigins.has(origin)
  }

  function refuseOtherSites(request: FastifyRequest): void {
    const { headers } = request
    if (headers['sec-fetch-site'] === 'cross-site') throw rejected('The browser says that the request comes from another site.')
    refuseForeignOrigin(request)
    // A custom header makes every cross-origin request preflighted, so that the list of origins decides before it is sent.
    if (headers['x-csrf'] !== '1') throw rejected('The header "X-CSRF: 1" is missing. Add it to every request of your frontend.')
  }

  /** Browsers say which page submitted a form, and only browsers submit forms with a user's cookies. */
  function refuseOtherPages({ headers }: FastifyRequest): void {
    const site = headers['sec-fetch-site']
    if (headers.origin !== publicOrigin.origin || (site !== undefined && site !== 'same-origin'))
      throw rejected('This step is taken on a page of Grantkeeper. Open the link again and choose there.')
  }

  function refuseForeignOrigin({ headers: { origin }, readingOrigin }: FastifyRequest): void {
    if (origin !== undefined && readingOrigin === undefined)
      throw rejected('Its Origin is not among the allowed ones. An operator adds it to ALLOWED_ORIGINS.')
  }
}

const rejected = (why: string) => new GatewayError('csrf_rejected', why)

export default fp(security, { name: 'security', dependencies: ['bearers', 'host'] })
