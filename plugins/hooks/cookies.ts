import { hkdfSync } from 'node:crypto'
import cookie, { type CookieSerializeOptions } from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { flowLifetimeMs } from '../../src/core/flow.ts'
import type { SessionLimits } from '../../src/core/session.ts'

declare module 'fastify' {
  interface FastifyInstance {
    cookieKinds: Readonly<Record<Kind, CookieKind>>
  }
}

type Kind = 'session' | 'flow'

/** What a sealed cookie held. */
type Opened = {
  readonly values: Readonly<Record<string, unknown>>
  /** An older key than the newest has sealed it. */
  readonly isStale: boolean
}

type CookieKind = {
  /** The cookie's name, or the beginning of it. */
  readonly name: string
  seal(values: Record<string, unknown>): string
  /**
   * @param sealed as the browser sent it
   * @returns `undefined` for what is malformed, altered, too old, or of another kind
   */
  open(sealed: string, log: FastifyBaseLogger): Opened | undefined
  /** Its attributes when it lives for as long as from now on. */
  attributes(lifetimeMs: number): CookieSerializeOptions & { secure: boolean }
}

type CookiesOptions = { keys: readonly Buffer[]; limits: SessionLimits; publicUrl: string }

/** RFC 6265 §6.1: what every browser takes, name and attributes included. */
const maxCookieBytes = 4096

/** The part of secure-session's session that its types leave out. */
type Sealed = { readonly changed: boolean; data(): Record<string, unknown> | undefined }

/**
 * Two kinds of sealed cookie, each with keys of its own (two with one key would accept each other's): the session's opaque ids,
 * and a sign-in under way. They hold no truth: the store says whether a session lives and a state is unused.
 *
 * Of `@fastify/secure-session` it is the sealing that is used. Its hooks, which open the cookie of every request anew, stay in a
 * context of their own.
 */
async function cookies(app: FastifyInstance, { keys, limits, publicUrl }: CookiesOptions) {
  const { protocol, port } = new URL(publicUrl)
  const secure = protocol === 'https:'
  const attributes: CookieKind['attributes'] = lifetimeMs => ({
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    maxAge: Math.ceil(lifetimeMs / 1000)
  })
  // RFC 6265 §8.5: cookies are kept by host and not by port, and two gateways on one machine would end each other's sessions.
  const name = secure ? '__Host-grantkeeper' : `grantkeeper-${port || 80}`
  const names: Record<Kind, string> = { session: name, flow: `${name}-signin` }
  const keysFor = (purpose: string) => keys.map(key => Buffer.from(hkdfSync('sha256', key, '', `grantkeeper ${purpose} cookie`, 32)))
  const options = (kind: Kind, lifetimeMs: number) => ({
    sessionName: kind,
    cookieName: names[kind],
    key: keysFor(kind),
    expiry: Math.ceil(lifetimeMs / 1000)
  })

  // Each request brings all of them, and only those that are opened need be decoded. (Its types know no such option.)
  await app.register(cookie, { parseOptions: { decode: (raw: string) => raw } as never })
  await app.register(async context => {
    await context.register(secureSession, [options('session', limits.maxMs), options('flow', flowLifetimeMs)] as never)
    const kindOf = (kind: Kind): CookieKind => ({
      name: names[kind],
      attributes,
      seal: values => context.encodeSecureSession(context.createSecureSession(values as never), kind),
      open: (sealed, log) => {
        const session = context.decodeSecureSession(decoded(sealed), log, kind) as unknown as Sealed | null
        return session ? { values: session.data() ?? {}, isStale: session.changed } : undefined
      }
    })
    app.decorate('cookieKinds', { session: kindOf('session'), flow: kindOf('flow') })
  })

  // A browser drops a longer cookie without a word, and the sign-in fails somewhere else.
  app.addHook('onSend', async (request, reply) => {
    const set = reply.getHeader('set-cookie')
    if (set === undefined) return
    const list = [set].flat().map(String)
    const fitting = list.filter(text => Buffer.byteLength(text) <= maxCookieBytes)
    if (fitting.length === list.length) return
    request.log.error(
      { cookies: list.filter(text => !fitting.includes(text)).map(text => text.split('=')[0]) },
      'a cookie is too large and was not sent'
    )
    reply.removeHeader('set-cookie')
    if (fitting.length > 0) reply.header('set-cookie', fitting)
  })
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

export default fp(cookies, { name: 'cookies' })
