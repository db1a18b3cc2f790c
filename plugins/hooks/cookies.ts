import { hkdfSync } from 'node:crypto'
import cookie, { type CookieSerializeOptions, type FastifyCookieOptions } from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ParsedOrigin } from '../../src/config/urls.ts'
import { flowLifetimeMs } from '../../src/core/flow.ts'
import type { SessionLimits } from '../../src/core/session.ts'

/** The content of a sealed cookie. */
type OpenedContent = {
  readonly values: Readonly<Record<string, unknown>>
  /** It was sealed under an older key than the newest. */
  readonly isStale: boolean
}

export type SealedCookie = {
  /** The cookie's name, or the prefix of the names. */
  readonly name: string
  seal(values: Record<string, unknown>): string
  /**
   * @param sealed as the browser sent it
   * @returns `undefined` for a cookie that is malformed, altered, too old, or of another kind
   */
  open(sealed: string, log: FastifyBaseLogger): OpenedContent | undefined
  /** The attributes of a cookie that lives for so long from now on. */
  attributes(lifetimeMs: number): CookieSerializeOptions & { secure: boolean }
}

type Kind = 'session' | 'flow' | 'login'
export type SealedCookies = Readonly<Record<Kind, SealedCookie>>

type Options = {
  readonly keys: readonly Buffer[]
  readonly limits: SessionLimits
  readonly publicOrigin: Pick<ParsedOrigin, 'isHttps' | 'port'>
  readonly basePath?: string
}

/** RFC 6265 §6.1: every browser accepts this much, name and attributes included. */
const maxCookieBytes = 4096

/**
 * Parses cookies, and makes three kinds of sealed cookie, each with keys of its own (with one key, each would open as the other): the
 * session's opaque ids, a sign-in in flight at a provider, and a user's own. They are no authority: the store says whether a session is live and a state unused.
 *
 * Only the sealing of `@fastify/secure-session` is used. Its hooks, which open the cookies of every request, stay in a context of their own.
 */
export async function registerCookies(
  app: FastifyInstance,
  { keys, limits, publicOrigin, basePath = '' }: Options
): Promise<SealedCookies> {
  const { isHttps: secure, port } = publicOrigin
  const attributes: SealedCookie['attributes'] = lifetimeMs => ({
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    maxAge: Math.ceil(lifetimeMs / 1000)
  })
  // RFC 6265 §8.5: cookies do not depend on the port, so two gateways on one machine would end each other's sessions.
  // They do not depend on the path either: `__Host-` demands `Path=/`, so that two gateways of one origin differ by their names.
  const name = `${secure ? '__Host-grantkeeper' : `grantkeeper-${port}`}${basePath.replaceAll('/', '.')}`
  const names: Record<Kind, string> = { session: name, flow: `${name}-signin`, login: `${name}-login` }
  const keysFor = (purpose: string) => keys.map(key => Buffer.from(hkdfSync('sha256', key, '', `grantkeeper ${purpose} cookie`, 32)))
  const options = (kind: Kind, lifetimeMs: number) => ({
    sessionName: kind,
    cookieName: names[kind],
    key: keysFor(kind),
    expiry: Math.ceil(lifetimeMs / 1000)
  })

  await app.register(cookiePlugin)
  const { promise, resolve } = Promise.withResolvers<SealedCookies>()
  await app.register(async context => {
    await context.register(secureSession, [
      options('session', limits.maxMs),
      options('flow', flowLifetimeMs),
      options('login', flowLifetimeMs)
    ])
    const sealedCookie = (kind: Kind): SealedCookie => ({
      name: names[kind],
      attributes,
      seal: values => context.encodeSecureSession(context.createSecureSession(values), kind),
      open: (sealed, log) => {
        const session = context.decodeSecureSession(decoded(sealed), log, kind)
        return session ? { values: { ...session.data() }, isStale: session.changed } : undefined
      }
    })
    resolve({ session: sealedCookie('session'), flow: sealedCookie('flow'), login: sealedCookie('login') })
  })
  return promise
}

const cookiePlugin = fp(
  async (app: FastifyInstance) => {
    // Every request brings all cookies of the host, and only those that are opened need decoding. (Its types lack this option.)
    const parseOptions = { decode: (raw: string) => raw } as FastifyCookieOptions['parseOptions']
    await app.register(cookie, { parseOptions } as FastifyCookieOptions)

    // A browser drops a longer cookie silently, and the sign-in would fail somewhere else.
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
  },
  { name: 'cookies' }
)

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
