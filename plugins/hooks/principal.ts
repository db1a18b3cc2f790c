import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { isUserOwner } from '../../src/core/users/owner.ts'
import type { Principal, UserPrincipal } from '../../src/core/users/principal.ts'
import { userRequired } from '../../src/core/users/user.ts'
import type { ConnectionSelector, OpenedConnection, OpenedConnections } from '../../src/core/vault/vault.ts'
import type { Services } from '../../src/services.ts'
import { isNavigation } from './navigation.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A page of a user: where users sign in, a browser that nobody is signed in to goes there first. */
    signInFirst?: boolean
  }
  interface FastifyRequest {
    /**
     * Who the request acts for: the user whom its bearer names, else its session's. Synchronous for a bearer that is known.
     * @returns `undefined` for a browser without a session
     * @throws {GatewayError} `token_invalid`, `user_required`, `header_rejected`, `issuer_unavailable`
     */
    principal(): Principal | undefined | Promise<Principal | undefined>
    /**
     * Opens whom the request acts for, with one connection; from the record cache synchronously.
     * @returns `undefined` for a browser without a live session
     * @throws {GatewayError} as `principal`; `user_required` also when users sign in here and nobody has
     */
    open(selector?: ConnectionSelector): OpenedConnection | undefined | Promise<OpenedConnection | undefined>
    /** The same with all connections, from the store. */
    openAll(): Promise<OpenedConnections | undefined>
    /** Whether a user is signed in in this browser. */
    isSignedIn(): Promise<boolean>
    /**
     * The user whom the request's bearer names, or whom the embedding application identifies. `undefined` for a browser whose session alone
     * says who it acts for, or that nobody is signed in to.
     * @throws {GatewayError} as `principal` for a bearer
     */
    userPrincipal(): Promise<UserPrincipal | undefined>
    /** What `userPrincipal` has found of the application's user; `null` before. */
    identified: UserPrincipal | undefined | null
  }
}

type Options = Pick<Services, 'identify' | 'principalOf' | 'login' | 'loginUrl' | 'vault'>

/** Who a request acts for. Everything that a request reads or changes is found by this, and by nothing else in the request. */
async function principal(app: FastifyInstance, { identify, principalOf, login, loginUrl, vault }: Options) {
  app.decorateRequest('identified', null)
  app.decorateRequest('userPrincipal', async function (this: FastifyRequest) {
    if (this.hasBearer) return this.bearerPrincipal()
    if (identify && this.identified === null) {
      const user = await identify(this.raw)
      this.identified = user === undefined || user === null ? undefined : await principalOf(user)
    }
    return this.identified ?? undefined
  })

  app.decorateRequest('principal', function (this: FastifyRequest) {
    if (this.hasBearer) return this.bearerPrincipal()
    if (identify) return this.identified ?? this.userPrincipal().then(required)
    const { sessionRef } = this
    // Where users sign in, a browser's session from before is nobody's.
    if (login && !(sessionRef && isUserOwner(sessionRef.owner))) throw signInRequired()
    return sessionRef
  })

  app.decorateRequest('open', function (this: FastifyRequest, selector?: ConnectionSelector) {
    const found = this.principal()
    const opened =
      found instanceof Promise
        ? found.then(principal => principal && vault.open(principal, selector, this))
        : found && vault.open(found, selector, this)
    if (!login) return opened
    return opened instanceof Promise ? opened.then(required) : required(opened)
  })

  if (loginUrl !== undefined)
    app.addHook('preHandler', async (request, reply) => {
      if (!request.routeOptions.config.signInFirst || request.hasBearer || !isNavigation(request)) return
      if (identify ? await request.userPrincipal() : await request.isSignedIn()) return
      return reply.redirect(`${loginUrl}${loginUrl.includes('?') ? '&' : '?'}return_to=${encodeURIComponent(request.originalUrl)}`, 302)
    })

  app.decorateRequest('isSignedIn', async function (this: FastifyRequest) {
    const { sessionRef } = this
    return sessionRef !== undefined && isUserOwner(sessionRef.owner) && (await vault.open(sessionRef)) !== undefined
  })

  app.decorateRequest('openAll', async function (this: FastifyRequest) {
    const principal = await this.principal()
    const opened = principal && (await vault.openAll(principal, this))
    return login ? required(opened) : opened
  })

  function required<T>(opened: T | undefined): T {
    if (!opened) throw signInRequired()
    return opened
  }
}

const signInRequired = () => userRequired('Nobody is signed in in this browser, or the session has ended. Sign in, and try again.')

export default fp(principal, { name: 'principal', dependencies: ['bearers', 'session'] })
