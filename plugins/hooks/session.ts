import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../../src/core/ports.ts'
import type { Session, SessionLimits, SessionRef } from '../../src/core/session.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the session cookie holds, if it opened. Whether that session still lives is for the vault to say. */
    sessionRef: SessionRef | undefined
    /** What the cookie was opened to: several parts of one request ask. */
    openedTicket: OpenedTicket | null | undefined
  }
  interface FastifyReply {
    setSessionCookie(session: Session): FastifyReply
    clearSessionCookie(): FastifyReply
    /** The session cookie under the newest key, when an older one opened it: for answers that leave without Fastify's hooks. */
    resealedSessionCookie(): string | undefined
    hasSessionCookie: boolean
  }
}

type SessionOptions = { limits: SessionLimits; clock: Clock }

type OpenedTicket = { readonly ticket: SessionRef; readonly isStale: boolean }

/** Cookies whose contents are remembered. Opening one costs more than all else that is done to know a session. */
const maxRemembered = 10_000
/** Ours have less than half of it. Base64 has endless spellings of one value, and the long ones are not worth the memory. */
const maxCharactersRemembered = 512

/** The cookie by which a browser is known again. */
async function session(app: FastifyInstance, { limits, clock }: SessionOptions) {
  const kind = app.cookieKinds.session
  const { name, attributes, seal } = kind
  const remembered = new Map<string, OpenedTicket>()

  function open(request: FastifyRequest): OpenedTicket | undefined {
    // What is refused before cookies are read has none.
    const sealed = request.cookies?.[name]
    if (sealed === undefined) return undefined
    const known = remembered.get(sealed)
    if (known) return known
    const found = kind.open(sealed, request.log)
    const { owner, id } = found?.values ?? {}
    if (!found || typeof owner !== 'string' || typeof id !== 'string') return undefined
    const now = { ticket: { owner, id }, isStale: found.isStale }
    if (sealed.length <= maxCharactersRemembered) remember(sealed, now)
    return now
  }

  function remember(sealed: string, what: OpenedTicket): void {
    const [oldest] = remembered.keys()
    if (remembered.size >= maxRemembered && oldest !== undefined) remembered.delete(oldest)
    // A copy: what was cut out of a Cookie header keeps all of that header in memory.
    remembered.set(Buffer.from(sealed, 'latin1').toString('latin1'), what)
  }

  app.decorateRequest('openedTicket', null)
  const opened = (request: FastifyRequest) => (request.openedTicket ??= open(request))
  app.decorateRequest('sessionRef', {
    getter(this: FastifyRequest) {
      return opened(this)?.ticket
    }
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
    const stale = opened(this.request)
    return stale?.isStale && !this.hasSessionCookie
      ? app.serializeCookie(name, seal({ ...stale.ticket }), attributes(limits.maxMs))
      : undefined
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // What anybody may store is no place for a person's cookie.
    const resealed = String(reply.getHeader('cache-control')).startsWith('public') ? undefined : reply.resealedSessionCookie()
    if (resealed !== undefined) reply.header('set-cookie', resealed)
    done()
  })
}

export default fp(session, { name: 'session', dependencies: ['cookies'] })
