import type { LookupFunction } from 'node:net'
import type { FastifyOAuth2Options } from '@fastify/oauth2'
import fastify from 'fastify'

/** Options of Wreck, simple-oauth2's HTTP client, for one request. */
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

/** The part of `@fastify/oauth2`'s decorator that its types leave out: simple-oauth2's `AuthorizationCode` client. */
export type OAuth2Client = {
  readonly oauth2: {
    authorizeURL(params: object): string
    getToken(params: object, http: HttpOptions): Promise<Token>
    createToken(token: object): Token
  }
}

/** The plugin's options except the name. Its types know fewer of them than it accepts. */
type ClientOptions = { readonly callbackUri: string; readonly userAgent: string; readonly credentials: object }

/** @throws the plugin's objections to its options; the next call tries again */
export type OpenOAuth2Client = () => Promise<OAuth2Client>

/**
 * A provider's `@fastify/oauth2` instance, loaded at its first use. Its dependencies are a tenth of the start and of the memory at rest, and
 * where users are signed in already they may not be needed for an hour.
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
  // An instance of its own: the gateway's accepts no plugin once it serves.
  const context = fastify()
  await context.register(oauth2, { ...options, name: 'client' } as unknown as FastifyOAuth2Options)
  return (context as unknown as { readonly client: OAuth2Client }).client
}
