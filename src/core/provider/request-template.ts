/** Where a request to the API carries the credential. */
export type Placement =
  /**
   * `name` in lower case. `value` is a template of the whole field value, `Token token={key}; email={email}`; without it the value is `prefix`
   * and the credential.
   */
  | { readonly in: 'header'; readonly name: string; readonly prefix?: string; readonly value?: string }
  | { readonly in: 'query'; readonly name: string }
  /** As the path segment after `after`, for paths that begin with it: `/get_cal` -> `/get_cal/KEY`. */
  | { readonly in: 'path'; readonly after: string }
  /** RFC 7617. Both are templates: `{email}/token` and `{key}`. Default: the credential as the user-id, and an empty password. */
  | { readonly in: 'basic'; readonly username?: string; readonly password?: string }

/**
 * A request of the vendor's own form, for what RFC 6749 and RFC 7009 do not describe. `url`, `params`, `headers` and `basic` are templates. Beside
 * parameters and learnt values they may use `{access_token}`, `{refresh_token}`, `{key}`, `{client_id}` and `{client_secret}`. What they are
 * replaced with is encoded for its place.
 */
export type RequestTemplate = {
  readonly url: string
  /** Default: `POST`. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** How `params` are sent: as a form or JSON in the body, or in the query. Default: `form`, with `GET` `query`. */
  readonly format?: 'form' | 'json' | 'query'
  readonly params?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** RFC 7617. */
  readonly basic?: { readonly username: string; readonly password: string }
}

/** A request of the gateway's own, with the credential as in a proxied request. */
export type GatewayRequest = {
  /** Path and query below the API's base URL. Either this or `url` is given. */
  readonly path?: string
  /**
   * Absolute https URL at the origin of one of the API's bases or of the token endpoint, which see the credential in any case. Not requested if
   * the operator has configured other servers: the credential is not theirs.
   */
  readonly url?: string
  /** Default: `GET`. */
  readonly method?: 'GET' | 'HEAD' | 'POST'
  /** Sent as JSON, with `POST`. */
  readonly body?: unknown
}
