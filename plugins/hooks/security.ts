import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import type { ResourcePolicy } from '../../src/core/guards/response-headers.ts'
import { corsHeaders, exposedHeaders } from './cors-headers.ts'
import { resourcePolicyFor } from './same-site.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What each response of our own has, CORS included. A hook puts it on; for what goes wrong before there is a route, there is none. */
    setOwnHeaders(request: FastifyRequest, reply: FastifyReply): FastifyReply
    /** Of each proxied response: who may load it without CORS. */
    resourcePolicy: ResourcePolicy
  }
  interface FastifyRequest {
    /** The origin that calls, if it is an allowed one. */
    allowedOrigin: string | undefined
  }
  interface FastifyContextConfig {
    /** Guarded against cross-site calls whatever the method. Unsafe methods always are. */
    guarded?: boolean
    /** A form on one of our own pages is sent there, without a script that could add a header. */
    ownPage?: boolean
  }
}

type SecurityOptions = { allowedOrigins: ReadonlySet<string>; publicUrl: string }

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // no-referrer: addresses of the sign-in hold the state and code (RFC 9700 §4.2.4).
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // A sign-in in a popup walks through our answers, redirects and error pages too, and tells its opener at the end. Any other value on
  // one of them would cut the two apart for good (HTML §7.1.3).
  'cross-origin-opener-policy': 'unsafe-none',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store'
}

/** Who may call from where: CORS by exact list, the CSRF guard in three layers, and the headers of our own answers. */
async function security(app: FastifyInstance, { allowedOrigins, publicUrl }: SecurityOptions) {
  const secure = publicUrl.startsWith('https:')
  const own = secure ? { ...pageHeaders, 'strict-transport-security': 'max-age=31536000' } : pageHeaders

  const ownHeaders = Object.entries(own)
  app.decorate('resourcePolicy', resourcePolicyFor(publicUrl, allowedOrigins))
  app.decorateRequest('allowedOrigin', {
    getter(this: FastifyRequest) {
      return allowedOriginOf(this)
    }
  })
  app.decorate('setOwnHeaders', putOwnHeaders)
  // A proxied answer leaves without these hooks, and has headers of its own.
  app.addHook('onSend', (request, reply, _payload, done) => {
    putOwnHeaders(request, reply)
    done()
  })

  const allowedOriginOf = ({ headers: { origin } }: FastifyRequest) =>
    origin !== undefined && allowedOrigins.has(origin) ? origin : undefined

  function putOwnHeaders(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // Not from its property: a request that has no route has none.
    const allowedOrigin = allowedOriginOf(request)
    for (const [name, value] of ownHeaders) if (!reply.hasHeader(name)) reply.header(name, value)
    // @fastify/cors comes after what refuses a request by its framing or its size, and a frontend is to know of that refusal as well.
    if (!reply.hasHeader('vary')) reply.header('vary', 'Origin')
    if (allowedOrigin === undefined || reply.hasHeader('access-control-allow-origin')) return reply
    const headers = corsHeaders(allowedOrigin, exposedHeaders)
    for (let i = 0; i < headers.length; i += 2) reply.header(headers[i] as string, headers[i + 1])
    return reply
  }

  app.addHook('onRequest', (request, _reply, done) => {
    // A preflight from elsewhere learns nothing but no.
    if (request.method === 'OPTIONS') refuseForeignOrigin(request)
    done()
  })

  await app.register(cors, {
    origin: [...allowedOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
    // An OPTIONS that is no preflight is answered like one, without anything that a page could read.
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
    if (headers['sec-fetch-site'] === 'cross-site') throw rejected('The browser says that the call comes from another site.')
    refuseForeignOrigin(request)
    // A header of our own makes every cross-origin call preflighted, so that the list of origins decides before it is sent.
    if (headers['x-csrf'] !== '1') throw rejected('The header "X-CSRF: 1" is missing. Add it to every call of your frontend.')
  }

  /** Browsers say where a form was sent from, and only they send forms with a person's cookies. */
  function refuseOtherPages({ headers }: FastifyRequest): void {
    const site = headers['sec-fetch-site']
    if (headers.origin !== publicUrl || (site !== undefined && site !== 'same-origin'))
      throw rejected('This step is taken on a page of Grantkeeper. Open the link again and choose there.')
  }

  function refuseForeignOrigin({ headers: { origin } }: FastifyRequest): void {
    if (origin !== undefined && !allowedOrigins.has(origin))
      throw rejected('Its Origin is not among the allowed ones. An operator adds it to ALLOWED_ORIGINS.')
  }
}

const rejected = (why: string) => new GatewayError('csrf_rejected', why)

export default fp(security, { name: 'security' })
