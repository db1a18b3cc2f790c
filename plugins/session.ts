import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../src/core/ports.ts'
import type { Session, SessionLimits, Ticket } from '../src/core/session.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the session cookie holds, if it opened. Whether that session still lives is for the vault to say. */
    ticket: Ticket | undefined
  }
  interface FastifyReply {
    giveSession(session: Session): FastifyReply
    dropSession(): FastifyReply
    /** The session cookie under the newest key, when an older one opened it: for answers that leave without Fastify's hooks. */
    resealedCookie(): string | undefined
  }
}

/** The part of secure-session's that its types tell only to a project that declares its fields once for all sessions. */
type Jar = { set(key: string, value: string): void; options(options: CookieSerializeOptions): void }

type SessionOptions = { limits: SessionLimits; clock: Clock }

/** The cookie by which a browser is known again. */
async function session(app: FastifyInstance, { limits, clock }: SessionOptions) {
  const { name, attributes } = app.cookieKinds.session

  app.decorateRequest('ticket', {
    getter(this: FastifyRequest) {
      const [owner, id] = ['owner', 'id'].map(key => this.session.get(key))
      return typeof owner === 'string' && typeof id === 'string' ? { owner, id } : undefined
    }
  })

  app.decorateReply('giveSession', function (this: FastifyReply, { owner, id, createdAtMs }: Session) {
    const jar = this.request.session as unknown as Jar
    jar.set('owner', owner)
    jar.set('id', id)
    jar.options(attributes(createdAtMs + limits.maxMs - clock.now()))
    return this
  })
  app.decorateReply('dropSession', function (this: FastifyReply) {
    this.request.session.delete()
    return this
  })
  app.decorateReply('resealedCookie', function (this: FastifyReply) {
    const { session } = this.request
    return session.changed ? app.serializeCookie(name, app.encodeSecureSession(session, 'session'), attributes(limits.maxMs)) : undefined
  })
}

export default fp(session, { name: 'session', dependencies: ['cookies'] })
