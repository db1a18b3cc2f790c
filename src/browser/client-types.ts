/** Error codes of Grantkeeper's own responses, which are problem documents (RFC 9457) with the header `Grantkeeper-Error`. */
export type GatewayCode =
  | 'api_key_malformed'
  | 'api_key_rejected'
  | 'body_too_large'
  | 'client_rejected'
  | 'connection_required'
  | 'connection_unknown'
  | 'csrf_rejected'
  | 'header_rejected'
  | 'internal_error'
  | 'invitation_invalid'
  | 'issuer_unavailable'
  | 'method_not_allowed'
  | 'not_allowed'
  | 'not_found'
  | 'parameters_invalid'
  | 'path_rejected'
  | 'provider_timeout'
  | 'provider_unavailable'
  | 'provider_unknown'
  | 'rate_limited'
  | 'reconnect_required'
  | 'request_malformed'
  | 'request_timeout'
  | 'retry_request'
  | 'return_to_rejected'
  | 'state_invalid'
  | 'store_unavailable'
  | 'token_invalid'
  | 'user_mismatch'
  | 'user_required'

/** Why a sign-in ended without a connection: OAuth's error codes (RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core §3.1.2.6). */
export type ConnectErrorCode =
  | 'access_denied'
  | 'account_selection_required'
  | 'consent_required'
  | 'interaction_required'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_scope'
  | 'login_required'
  | 'provider_error'
  | 'server_error'
  | 'temporarily_unavailable'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unsupported_token_type'

/**
 * Errors that only the client sees:
 * - `popup_blocked`: the browser did not open the popup. Call `connect` in a click or key handler.
 * - `connect_abandoned`: the user closed the popup or came back without connecting.
 * - `connect_timeout`: the sign-in did not end within ten minutes.
 * - `cookies_blocked`: the provider is connected, but this page is on another site than the gateway, so that the browser sends it no cookie.
 * - `gateway_unreachable`: no response, or a response of something else than a gateway, whose `status` the error then has. The gateway or the
 *   network is down, `gateway` is another server's URL, or the gateway's `ALLOWED_ORIGINS` lacks this page.
 */
export type BrowserCode = 'popup_blocked' | 'connect_abandoned' | 'connect_timeout' | 'cookies_blocked' | 'gateway_unreachable'

export type ErrorCode = GatewayCode | ConnectErrorCode | BrowserCode

export type Problem = {
  code: ErrorCode
  /** A sentence for the user or for your log. It may change: branch on `code`. */
  detail: string
  provider?: string | undefined
  /** With `parameters_invalid`: which parameter of the provider, or field of a key, is not valid. */
  parameter?: string
  /** HTTP status of the response. Absent if there was none. */
  status?: number
  /** Where the user connects the provider. Present if a new connection fixes the error. */
  connectUrl?: string | undefined
  /** Where the user signs in at the gateway. Present if nobody is signed in; `login` leads there and back. */
  loginUrl?: string
  /** Seconds until a retry may succeed. */
  retryAfter?: number
  /** Identifies the request in the gateway's log. */
  requestId?: string
}

/** A connection as `GET /connections` returns it: one for each account, or `disconnected` for a provider without any. Times are RFC 3339. */
export type Connection = {
  /** Absent if the provider is disconnected. */
  id?: string
  provider: string
  title: string
  /** `reconnect_required`: the provider does not accept the grant any more. */
  status: 'connected' | 'reconnect_required' | 'disconnected'
  /** How the provider can be connected here. */
  methods: ('oauth2' | 'api_key')[]
  /** How it was connected. */
  method?: 'oauth2' | 'api_key'
  /** Display name of the account. */
  account?: string
  /** What the user has given for the provider's parameters and a key's fields, by their names: `{ subdomain: 'acme' }`. Never a secret. */
  parameters?: Readonly<Record<string, string>>
  /** Whether requests that name no account use this one. */
  isDefault?: boolean
  /** Granted scopes. */
  scopes?: readonly string[]
  /** Configured scopes that the user did not grant, or that were configured after the sign-in. */
  missingScopes?: readonly string[]
  /** Who connected it, if not the user: somebody whom they invited, or a backend. */
  connectedBy?: string
  connectedAt?: string
  /** When the access token expires. The gateway renews it if it has a refresh token. */
  expiresAt?: string
  lastUsedAt?: string
  /** When renewal started to fail temporarily. The gateway keeps retrying. */
  failingSince?: string
  /** Base URLs of the provider's API: `fetch` accepts absolute URLs below them. */
  apiUrls?: string[]
  /** The same of its other bases, by the name that `fetch` takes as `base`. */
  apiBases?: Readonly<Record<string, string>>
  /** What requests use of all that the account reaches, such as one of several sites: `choose` changes it. */
  choice?: Choice
  connectUrl: string
}

export type Choice = {
  /** What is chosen: `Site`. */
  title: string
  /** That of the option in use. */
  value: string
  options: readonly { value: string; name: string }[]
}

/** Message from the popup to the page that opened it. `code` completes a sign-in that `token` began. */
export type PopupMessage = { source: 'grantkeeper'; provider: string; status: 'connected' | 'failed'; error?: ErrorCode; code?: string }

/** What the page that opened a popup learns of its end. */
export type PopupOutcome = Pick<PopupMessage, 'error' | 'code'> & { connection?: Connection }

type Token = string | null | undefined

export type ClientOptions = {
  /** URL of the gateway, with its path if it has one. Defaults to the gateway that served this script; required in the package. */
  gateway?: string
  /**
   * Returns the access token of your app's own sign-in (the gateway's `JWT_ISSUER` or `JWT_SECRETS`). Called for each request, and once more
   * if the gateway refuses the token as invalid. Without this option, requests carry the gateway's cookie.
   */
  token?: () => Token | Promise<Token>
  /** Replaces the global `fetch`, which otherwise is looked up for each request. */
  fetch?: typeof fetch
}

type Account = {
  /** `id` of a connection. Defaults to the provider's default account. */
  account?: string | undefined
}

type ApiBase = {
  /** Name of another base of the provider's API, for paths below it. An absolute URL has its own. */
  base?: string | undefined
}

export type FetchInit = RequestInit &
  Account &
  ApiBase & {
    /**
     * What to do if the request needs a connection:
     * - `'popup'`: connect in a popup, then repeat the request
     * - `'redirect'`: leave for the sign-in and come back to this page; if nobody is signed in, for the sign-in at the gateway
     * - otherwise throw
     */
    reconnect?: 'popup' | 'redirect' | false | undefined
  }

export type SignInOptions = {
  /** Where the browser goes at the end: a URL on one of the gateway's `ALLOWED_ORIGINS`. Defaults to this page. */
  returnTo?: string | undefined
  /** `'add'` connects one more account; the `id` of a connection renews that one. */
  account?: 'add' | (string & {}) | undefined
  /** Scopes within what the operator allows. */
  scopes?: readonly string[] | undefined
  /**
   * What the provider asks each user, such as `{ subdomain: 'acme' }`. Left out, a page of the gateway asks for it; with `token` the call fails
   * with `parameters_invalid`.
   */
  parameters?: Readonly<Record<string, string>> | undefined
  /** The account that the provider preselects, such as an email address (`login_hint` of OpenID Connect). */
  loginHint?: string | undefined
}

export type ConnectOptions = SignInOptions & {
  /** Whether to open a popup instead of leaving this page. */
  popup?: boolean
}

/** A sign-in that waits for the user's browser. */
export type PendingSignIn = {
  /** Opens once, until `expiresAt`. */
  url: string
  /** RFC 3339. Absent without `token`. */
  expiresAt?: string
}

/** A URL that works until `expiresAt`, which is RFC 3339. */
export type ExpiringUrl = { url: string; expiresAt: string }

/** Every method throws a `GrantkeeperError`, with a `GatewayCode` or `gateway_unreachable` if nothing else is said. */
export type Client = {
  /** @returns one entry for each account of each provider, and one for each provider that is not connected */
  connections(): Promise<Connection[]>

  /**
   * Asks the user to connect a provider.
   *
   * With `popup`, call this in a click or key handler: browsers block other popups. Simultaneous calls for one account share one popup.
   * Without `popup` the page navigates away and comes back to its URL, where `complete` has the outcome.
   *
   * @throws {GrantkeeperError} also with a `ConnectErrorCode` or a `BrowserCode`
   */
  connect(provider: string, options?: ConnectOptions): Promise<Connection>

  /**
   * The first half of `connect`, for apps that open the URL themselves, such as React Native's. The browser comes back to `returnTo` with
   * `connect_code` or `connect_error`, and `provider`, in the query: give that URL to `complete`.
   */
  begin(provider: string, options: SignInOptions): Promise<PendingSignIn>

  /**
   * The outcome of the sign-in with which this page was loaded, if there was one. With `token`, `createClient` has begun to complete it, and
   * removes it from the page's URL; without, the connection is complete already, and this tells only of errors.
   *
   * @throws {GrantkeeperError} with a `ConnectErrorCode`, or `user_mismatch` if another user began the sign-in, or `state_invalid` if it was
   * completed before or began more than ten minutes ago
   */
  complete(): Promise<Connection | undefined>
  /** @param end the URL to which the browser came back, or its `connect_code` */
  complete(end: string): Promise<Connection>

  /** Leaves this page for the sign-in at the gateway (`LOGIN_ISSUER`), and comes back. Without `token`. */
  login(): Promise<never>

  /**
   * Ends this browser's session at the gateway.
   *
   * @returns where to go to end the session at the identity provider too, if it has such a page
   */
  logout(): Promise<{ logoutUrl?: string }>

  /**
   * Requests the API of a provider through the gateway, which adds the credential.
   *
   * @param path relative to the base URL of the API, or an absolute URL below one of `apiUrls` or `apiBases`, such as a link in a response
   * @returns the response of the provider, whatever its status
   * @throws {GrantkeeperError} if the gateway itself responds, such as `connection_required` or `rate_limited`
   */
  fetch(provider: string, path: string | URL, init?: FetchInit): Promise<Response>

  /**
   * Connects with an API key, or with the fields that the provider has beside it: `{ email, key }`.
   *
   * @throws {GrantkeeperError} `parameters_invalid`, whose `parameter` names the field, `api_key_malformed` or `api_key_rejected`
   */
  connectWithKey(
    provider: string,
    key: string | Readonly<Record<string, string>>,
    options?: Pick<SignInOptions, 'parameters' | 'account'>
  ): Promise<Connection>

  /** @param value of one of the options of the connection's `choice`, which its requests use from now on */
  choose(provider: string, id: string, value: string): Promise<Connection>

  /** Renews the access token now. */
  refresh(provider: string, options?: Account): Promise<Connection>

  /** Deletes one account, or without `account` the provider's connections, and revokes them at the provider. */
  disconnect(provider: string, options?: Account): Promise<void>

  /** Makes an account the one that requests use which name none. */
  setDefault(provider: string, id: string): Promise<void>

  /** @returns a one-time link with which somebody else makes the connection for this user, who sees `name` there */
  invite(provider: string, options?: { name?: string | undefined }): Promise<ExpiringUrl>

  /**
   * @param path as for `fetch`
   * @param options `expiresIn` in seconds, at most 900
   * @returns a URL for `<img>`, a download or `EventSource`, which can send no header
   */
  link(provider: string, path: string | URL, options?: Account & ApiBase & { expiresIn?: number | undefined }): Promise<ExpiringUrl>
}
