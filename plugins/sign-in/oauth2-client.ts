import type { LookupFunction } from 'node:net'

/** Wreck's options for one request, over those of its instance. */
type HttpOptions = { readonly lookup: LookupFunction; readonly json?: false }

type Token = {
  readonly token: unknown
  refresh(params: object, http: HttpOptions): Promise<Token>
  revoke(type: 'access_token' | 'refresh_token', http: HttpOptions): Promise<unknown>
}

/** The part of `@fastify/oauth2`'s decorator that its types leave out: the `AuthorizationCode` client of simple-oauth2 below it. */
export type OAuth2Client = {
  readonly oauth2: {
    authorizeURL(params: object): string
    getToken(params: object, http: HttpOptions): Promise<Token>
    createToken(token: object): Token
  }
}
