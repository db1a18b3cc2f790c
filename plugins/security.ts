import cors from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/core/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Guarded against cross-site calls whatever the method. Unsafe methods always are. */
    guarded?: boolean
  }
}

type SecurityOptions = { allowedOrigins: ReadonlySet<string>; secure: boolean }

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // no-referrer: addresses of the sign-in hold the state and code (RFC 9700 §4.2.4).
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store'
}

/** Who may call from where: CORS by exact list, the CSRF guard in three layers, and the headers of our own answers. */
async function security(app: FastifyInstance, { allowedOrigins, secure }: SecurityOptions) {
  const own = secure ? { ...pageHeaders, 'strict-transport-security': 'max-age=31536000' } : pageHeaders

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(own)
    refuseOddFraming(request)
    // A preflight from elsewhere learns nothing but no.
    if (request.method === 'OPTIONS') refuseForeignOrigin(request)
  })

  await app.register(cors, {
    origin: [...allowedOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['Latchkey-Error', 'Retry-After'],
    maxAge: 600
  })

  app.addHook('onRequest', async request => {
    const { guarded, refusal } = request.routeOptions.config
    if (refusal || (safeMethods.has(request.method) && !guarded)) return
    const { headers } = request
    if (headers['sec-fetch-site'] === 'cross-site') throw rejected('The browser says that the call comes from another site.')
    refuseForeignOrigin(request)
    // A header of our own makes every cross-origin call preflighted, so that the list of origins decides before it is sent.
    if (headers['x-csrf'] !== '1') throw rejected('The header "X-CSRF: 1" is missing. Add it to every call of your frontend.')
  })

  function refuseForeignOrigin({ headers: { origin } }: FastifyRequest): void {
    if (origin !== undefined && !allowedOrigins.has(origin))
      throw rejected('Its Origin is not among the allowed ones. An operator adds it to ALLOWED_ORIGINS.')
  }
}

/** RFC 9112 §6.1: a coding before `chunked` would be the body's, and the provider would never hear of it. */
function refuseOddFraming({ headers }: FastifyRequest): void {
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    throw new GatewayError('header_rejected', 'The only Transfer-Encoding that is taken is chunked.')
}

const rejected = (why: string) => new GatewayError('csrf_rejected', why)

export default fp(security, { name: 'security' })
