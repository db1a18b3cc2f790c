import type { LookupFunction } from 'node:net'
import type { FastifyOAuth2Options } from '@fastify/oauth2'
import fastify from 'fastify'

/** Wreck's options for one request, over those of its instance. */
export type HttpOptions = {
  readonly lookup: LookupFunction
  readonly timeout: number
  readonly json?: false
  readonly redirects?: 0
}

export type Token = {
  readonly token: unknown
  refresh(params: object, http: HttpOptions): Promise<Token>
  revoke(type: 'access_token' | 'refresh_token', http: HttpOptions): Promise<unknown>
}

/** The part of `@fastify/oauth2`'s decorator that its types leave out: the `AuthorizationCode` client of simple-oauth2 below it. */
type OAuth2Client = {
  readonly oauth2: {
    authorizeURL(params: object): string
    getToken(params: object, http: HttpOptions): Promise<Token>
    createToken(token: object): Token
  }
}

/** The plugin's options but for the name; its types know fewer of them than it takes. */
type ClientOptions = { readonly callbackUri: string; readonly userAgent: string; readonly credentials: object }

/** @throws what the plugin has against its options; the next call tries again */
export type OpenOAuth2Client = () => Promise<OAuth2Client>

/**
 * A provider's `@fastify/oauth2` instance, opened by the first who needs it. What it is built on is a tenth of the memory at rest and
 * of a start, and where people are signed in already nobody may need it for an hour.
 */
export function createOAuth2Client(options: ClientOptions): OpenOAuth2Client {
  let opened: Promise<OAuth2Client> | undefined
  return () => {
    opened ??= open(options).catch(error => {
      opened = undefined
      throw error
    })
    return opened
  }
}

async function open(options: ClientOptions): Promise<OAuth2Client> {
  const { default: oauth2 } = await import('@fastify/oauth2')
  // In a context of its own: the gateway's takes no plugin any more once it serves.
  const context = fastify()
  await context.register(oauth2, { ...options, name: 'client' } as unknown as FastifyOAuth2Options)
  return (context as unknown as { readonly client: OAuth2Client }).client
}
