import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { UserPrincipal } from '../../src/core/users/principal.ts'
import type { Services } from '../../src/services.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the request brings a bearer token or a service key, good or not: then nothing else says who it acts for. */
    hasBearer: boolean
    /** The bearer, or why it cannot be one. */
    bearer: string | Error | undefined
    /** Name of the service key that the request was found to have, for logs. */
    serviceKey: string | undefined
    /**
     * Whom the bearer speaks for. Synchronous for a bearer that is known.
     * @throws {GatewayError} `token_invalid`, `user_required`, `header_rejected`, `issuer_unavailable`
     */
    bearerPrincipal(): UserPrincipal | Promise<UserPrincipal>
  }
}

/** Bearers are recognized before the CSRF guard: they are no ambient authority, which a page of another site could use (RFC 6750 §5.3). */
async function bearersPlugin(app: FastifyInstance, { bearers }: Pick<Services, 'bearers'>) {
  app.decorateRequest('hasBearer', false)
  app.decorateRequest('bearer', undefined)
  app.decorateRequest('serviceKey', undefined)
  app.decorateRequest('bearerPrincipal', function (this: FastifyRequest) {
    const { bearer } = this
    if (!bearers || bearer === undefined) throw new TypeError('the request has no bearer')
    if (bearer instanceof Error) throw bearer
    const principal = bearers.identify(bearer, this.raw.rawHeaders)
    return principal instanceof Promise ? principal.then(found => named(this, found)) : named(this, principal)
  })
  if (!bearers) return

  app.addHook('onRequest', (request, _reply, done) => {
    if (request.raw.headers.authorization !== undefined) {
      request.bearer = readBearer(request.raw.rawHeaders)
      request.hasBearer = request.bearer !== undefined
    }
    done()
  })

  /** An error is of no concern to routes that act for nobody. */
  function readBearer(rawHeaders: readonly string[]): string | Error | undefined {
    try {
      return bearers?.read(rawHeaders)
    } catch (error) {
      return error as Error
    }
  }
}

function named(request: FastifyRequest, principal: UserPrincipal): UserPrincipal {
  request.serviceKey = principal.serviceKey
  return principal
}

export default fp(bearersPlugin, { name: 'bearers' })
