import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Session, SessionRef } from '../../src/core/session.ts'
import { BoundedMap } from '../../src/core/util/bounded-map.ts'
import type { StoredConnection } from '../../src/core/vault/owned-connections.ts'
import type { Opened } from '../../src/core/vault/vault.ts'
import type { Services } from '../../src/services.ts'
import type { SealedCookies } from './cookies.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * What the session cookie names, if it could be opened. Whether that session is live is for the vault to say. `undefined` for a request
     * with a bearer, and where an application identifies users: these alone say who the request acts for.
     */
    readonly sessionRef: SessionRef | undefined
    /** The live session that the cookie names. Counts as activity. */
    findSession(): Promise<Session | undefined>
    /** Records that the session was seen, and the connection used. The request does not wait for the write, nor fail with it. */
    touch(opened: Opened, connection?: StoredConnection): void
  }
  interface FastifyReply {
    setSessionCookie(session: Session): FastifyReply
    clearSessionCookie(): FastifyReply
    /** The session cookie under the newest key, if an older key opened it: for responses that are sent without Fastify's hooks. */
    resealedSessionCookie(): string | undefined
    hasSessionCookie: boolean
  }
}

type Options = Pick<Services, 'vault' | 'limits' | 'clock' | 'identify'> & { readonly sealedCookies: SealedCookies }

type OpenedCookie = { readonly ref: SessionRef; readonly isStale: boolean }

/** Cookies whose contents are cached: opening one costs more than everything else that identifies a session. */
const maxCached = 10_000
/** Ours have less than half of it. Base64 has endless spellings of one value, and long ones are not worth the memory. */
const maxCachedCharacters = 512

/** The cookie by which a browser is recognized. */
async function session(app: FastifyInstance, { vault, limits, clock, identify, sealedCookies }: Options) {
  const kind = sealedCookies.session
  const { name, attributes, seal } = kind
  const cache = new BoundedMap<string, OpenedCookie>({ maxEntries: maxCached, order: 'fifo' })

  function open(request: FastifyRequest): OpenedCookie | undefined {
    // A request that is refused before cookies are parsed has none.
    const sealed = request.cookies?.[name]
    if (sealed === undefined) return undefined
    const cached = cache.get(sealed)
    if (cached) return cached
    const content = kind.open(sealed, request.log)
    const { owner, id } = content?.values ?? {}
    if (!content || typeof owner !== 'string' || typeof id !== 'string') return undefined
    const opened = { ref: { owner, id }, isStale: content.isStale }
    // A copy as the key: a substring of a Cookie header keeps the whole header in memory.
    if (sealed.length <= maxCachedCharacters) cache.set(Buffer.from(sealed, 'latin1').toString('latin1'), opened)
    return opened
  }

  app.decorateRequest('sessionRef', {
    getter(this: FastifyRequest) {
      return this.hasBearer || identify ? undefined : open(this)?.ref
    }
  })
  app.decorateRequest('touch', function (this: FastifyRequest, opened: Opened, connection?: StoredConnection) {
    vault.touch(opened, connection)?.catch(error => this.log.warn({ code: error.code }, 'the use of a session could not be recorded'))
  })
  app.decorateRequest('findSession', async function (this: FastifyRequest) {
    const opened = this.sessionRef && (await vault.open(this.sessionRef, undefined, this))
    if (opened) this.touch(opened)
    return opened?.session?.value
  })

  app.decorateReply('hasSessionCookie', false)
  app.decorateReply('setSessionCookie', function (this: FastifyReply, { owner, id, createdAtMs }: Session) {
    this.hasSessionCookie = true
    return this.setCookie(name, seal({ owner, id }), attributes(createdAtMs + limits.maxMs - clock.now()))
  })
  app.decorateReply('clearSessionCookie', function (this: FastifyReply) {
    this.hasSessionCookie = true
    return this.setCookie(name, '', { ...attributes(0), expires: new Date(0) })
  })
  app.decorateReply('resealedSessionCookie', function (this: FastifyReply) {
    const opened = this.request.hasBearer || identify ? undefined : open(this.request)
    return opened?.isStale && !this.hasSessionCookie
      ? app.serializeCookie(name, seal({ ...opened.ref }), attributes(limits.maxMs))
      : undefined
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // A response that shared caches may store must not carry a user's cookie.
    const resealed = String(reply.getHeader('cache-control')).startsWith('public') ? undefined : reply.resealedSessionCookie()
    if (resealed !== undefined) reply.header('set-cookie', resealed)
    done()
  })
}

export default fp(session, { name: 'session', dependencies: ['cookies', 'flows', 'bearers'] })
