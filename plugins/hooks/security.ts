import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import type { Services } from '../../src/services.ts'
import { corsHeaders, exposedHeaders } from './cors-headers.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's origin, if it is an allowed one. */
    readonly allowedOrigin: string | undefined
  }
  interface FastifyContextConfig {
    /** Guarded against cross-site requests whatever the method. Unsafe methods always are. */
    guarded?: boolean
    /** Submitted by a form on one of our own pages, without a script that could add a header. */
    ownPage?: boolean
  }
}

type Options = Pick<Services, 'allowedOrigins' | 'publicOrigin'>

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

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
    // @fastify/cors runs after the hooks that refuse a request by its framing or size. A frontend must be able to read those refusals too.
    if (!reply.hasHeader('vary')) reply.header('vary', 'Origin')
    const origin = allowedOriginOf(request, allowedOrigins)
    if (origin === undefined || reply.hasHeader('access-control-allow-origin')) return reply
    const cors = corsHeaders(origin, exposedHeaders)
    for (let i = 0; i < cors.length; i += 2) reply.header(cors[i] as string, cors[i + 1])
    return reply
  }
}

const allowedOriginOf = ({ headers: { origin } }: FastifyRequest, allowedOrigins: ReadonlySet<string>) =>
  origin !== undefined && allowedOrigins.has(origin) ? origin : undefined

/** Who may send requests from where: CORS by an exact list of origins, the CSRF guard in three layers, the headers of our own responses. */
async function security(app: FastifyInstance, { allowedOrigins, publicOrigin, setOwnHeaders }: Options & { setOwnHeaders: SetOwnHeaders }) {
  app.decorateRequest('allowedOrigin', {
    getter(this: FastifyRequest) {
      return allowedOriginOf(this, allowedOrigins)
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
    origin: [...allowedOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
    // An OPTIONS request that is no preflight gets the same response, without anything that a page could read.
    strictPreflight: false
  })

  app.addHook('onRequest', (request, _reply, done) => {
    const { guarded, ownPage, refusal } = request.routeOptions.config
    if (!refusal && (guarded || !safeMethods.has(request.method))) {
      if (ownPage) refuseOtherPages(request)
      else refuseOtherSites(request)
    }
    done()
  })

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

  function refuseForeignOrigin({ headers: { origin } }: FastifyRequest): void {
    if (origin !== undefined && !allowedOrigins.has(origin))
      throw rejected('Its Origin is not among the allowed ones. An operator adds it to ALLOWED_ORIGINS.')
  }
}

const rejected = (why: string) => new GatewayError('csrf_rejected', why)

export default fp(security, { name: 'security' })
