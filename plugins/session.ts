import { hkdfSync } from 'node:crypto'
import cookies from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Flow, flowLifetimeMs, liveFlows } from '../src/core/flow.ts'
import type { Clock } from '../src/core/ports.ts'
import type { Session, SessionLimits, Ticket } from '../src/core/session.ts'

type CookieJar = {
  changed: boolean
  get(key: string): unknown
  set(key: string, value: unknown): void
  options(options: Record<string, unknown>): void
  delete(): void
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Sealed cookie of the sign-ins under way. */
    signIns: CookieJar
    /** What the session cookie holds, if it opened. Whether that session still lives is for the vault to say. */
    ticket: Ticket | undefined
    /** The sign-ins under way in this browser, oldest first. */
    flows: readonly Flow[]
  }
  interface FastifyReply {
    giveSession(session: Session): FastifyReply
    keepFlows(flows: readonly Flow[]): FastifyReply
    /** Both cookies. */
    clearCookies(): FastifyReply
    /** The session cookie under the newest key, when an older one opened it: for answers that leave without Fastify's hooks. */
    resealedCookie(): string | undefined
  }
}

type SessionOptions = { keys: readonly Buffer[]; limits: SessionLimits; publicUrl: string; clock: Clock }

/** RFC 6265 §6.1: what every browser takes, name and attributes included. */
const mostCookieBytes = 4096

/**
 * Two sealed cookies, each with keys of its own (two with one key would accept each other's): the session's opaque ids, and
 * the sign-ins under way. They hold no truth: the store says whether a session lives and a state is unused.
 */
async function session(app: FastifyInstance, { keys, limits, publicUrl, clock }: SessionOptions) {
  const secure = publicUrl.startsWith('https:')
  const prefix = secure ? '__Host-' : ''
  const cookie = (maxAgeMs: number) => ({ path: '/', httpOnly: true, sameSite: 'lax' as const, secure, maxAge: Math.ceil(maxAgeMs / 1000) })
  const keysFor = (purpose: string) => keys.map(key => Buffer.from(hkdfSync('sha256', key, '', `latchkey ${purpose} cookie`, 32)))
  const kind = (sessionName: 'session' | 'signIns', cookieName: string, lifetimeMs: number) => ({
    sessionName,
    cookieName: `${prefix}${cookieName}`,
    key: keysFor(sessionName),
    expiry: Math.ceil(lifetimeMs / 1000),
    cookie: cookie(lifetimeMs)
  })
  const sessionKind = kind('session', 'latchkey', limits.maxMs)

  await app.register(cookies)
  await app.register(secureSession, [sessionKind, kind('signIns', 'latchkey-signin', flowLifetimeMs)] as never)

  app.decorateRequest('ticket', {
    getter(this: FastifyRequest) {
      const jar = this.session as unknown as CookieJar
      const [owner, id] = [jar.get('owner'), jar.get('id')]
      return typeof owner === 'string' && typeof id === 'string' ? { owner, id } : undefined
    }
  })
  app.decorateRequest('flows', {
    getter(this: FastifyRequest) {
      const flows = this.signIns.get('flows')
      return Array.isArray(flows) ? liveFlows(flows, clock.now()) : []
    }
  })

  app.decorateReply('giveSession', function (this: FastifyReply, { owner, id, createdAtMs }: Session) {
    const jar = this.request.session as unknown as CookieJar
    jar.set('owner', owner)
    jar.set('id', id)
    jar.options(cookie(createdAtMs + limits.maxMs - clock.now()))
    return this
  })
  app.decorateReply('keepFlows', function (this: FastifyReply, flows: readonly Flow[]) {
    const jar = this.request.signIns
    if (flows.length === 0) jar.delete()
    else jar.set('flows', flows)
    return this
  })
  app.decorateReply('clearCookies', function (this: FastifyReply) {
    for (const jar of [this.request.session as unknown as CookieJar, this.request.signIns]) jar.delete()
    return this
  })
  app.decorateReply('resealedCookie', function (this: FastifyReply) {
    if (!this.request.session.changed) return undefined
    return app.serializeCookie(sessionKind.cookieName, app.encodeSecureSession(this.request.session, 'session'), sessionKind.cookie)
  })

  // A browser drops a longer cookie without a word, and the sign-in fails somewhere else.
  app.addHook('onSend', async (request, reply) => {
    const cookies = reply.getHeader('set-cookie')
    if (cookies === undefined) return
    const list = [cookies].flat().map(String)
    const fitting = list.filter(text => Buffer.byteLength(text) <= mostCookieBytes)
    if (fitting.length === list.length) return
    request.log.error(
      { cookies: list.filter(text => !fitting.includes(text)).map(text => text.split('=')[0]) },
      'a cookie is too large and was not sent'
    )
    reply.removeHeader('set-cookie')
    if (fitting.length > 0) reply.header('set-cookie', fitting)
  })
}

export default fp(session, { name: 'session' })
