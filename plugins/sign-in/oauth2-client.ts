type Token = {
  readonly token: unknown
  refresh(params: object): Promise<Token>
  revoke(type: 'access_token' | 'refresh_token', http: object): Promise<unknown>
}

/** The part of `@fastify/oauth2`'s decorator that its types leave out: the `AuthorizationCode` client of simple-oauth2 below it. */
export type OAuth2Client = {
  readonly oauth2: {
    authorizeURL(params: object): string
    getToken(params: object): Promise<Token>
    createToken(token: object): Token
  }
}
