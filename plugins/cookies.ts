import { hkdfSync } from 'node:crypto'
import cookie, { type CookieSerializeOptions } from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { flowLifetimeMs } from '../src/core/flow.ts'
import type { SessionLimits } from '../src/core/session.ts'

declare module 'fastify' {
  interface FastifyInstance {
    cookieKinds: Readonly<Record<'session' | 'flow', CookieKind>>
  }
}

type CookieKind = {
  /** The cookie's name, or the beginning of it. */
  readonly name: string
  /** Its attributes when it lives for as long as from now on. */
  attributes(lifetimeMs: number): CookieSerializeOptions & { secure: boolean }
}

type CookiesOptions = { keys: readonly Buffer[]; limits: SessionLimits; publicUrl: string }

/** RFC 6265 §6.1: what every browser takes, name and attributes included. */
const mostCookieBytes = 4096

/**
 * Two kinds of sealed cookie, each with keys of its own (two with one key would accept each other's): the session's opaque ids,
 * and a sign-in under way. They hold no truth: the store says whether a session lives and a state is unused.
 */
async function cookies(app: FastifyInstance, { keys, limits, publicUrl }: CookiesOptions) {
  const secure = publicUrl.startsWith('https:')
  const kind = (name: string): CookieKind => ({
    name: secure ? `__Host-${name}` : name,
    attributes: lifetimeMs => ({ path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: Math.ceil(lifetimeMs / 1000) })
  })
  const kinds = { session: kind('latchkey'), flow: kind('latchkey-signin') }
  const keysFor = (purpose: string) => keys.map(key => Buffer.from(hkdfSync('sha256', key, '', `latchkey ${purpose} cookie`, 32)))
  const sealed = (sessionName: keyof typeof kinds, lifetimeMs: number) => ({
    sessionName,
    cookieName: kinds[sessionName].name,
    key: keysFor(sessionName),
    expiry: Math.ceil(lifetimeMs / 1000),
    cookie: kinds[sessionName].attributes(lifetimeMs)
  })

  await app.register(cookie)
  await app.register(secureSession, [sealed('session', limits.maxMs), sealed('flow', flowLifetimeMs)] as never)
  app.decorate('cookieKinds', kinds)

  // A browser drops a longer cookie without a word, and the sign-in fails somewhere else.
  app.addHook('onSend', async (request, reply) => {
    const set = reply.getHeader('set-cookie')
    if (set === undefined) return
    const list = [set].flat().map(String)
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

export default fp(cookies, { name: 'cookies' })
