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
 * Errors that only the browser sees:
 * - `popup_blocked`: the browser did not open the popup. Call `connect` in a click or key handler.
 * - `connect_abandoned`: the user closed the popup or came back without connecting.
 * - `connect_timeout`: the sign-in did not end within ten minutes.
 * - `cookies_blocked`: the provider is connected, but this page is on another site than the gateway, so that the browser sends it no cookie.
 */
export type BrowserCode = 'popup_blocked' | 'connect_abandoned' | 'connect_timeout' | 'cookies_blocked'

export type ErrorCode = GatewayCode | ConnectErrorCode | BrowserCode

export type Problem = {
  code: ErrorCode
  /** A sentence for the user or for your log. It may change: branch on `code`. */
  detail: string
  provider?: string
  /** HTTP status of the gateway's response. Absent for errors that only the browser sees. */
  status?: number
  /** Where the user connects the provider. Present if a new connection fixes the error. */
  connectUrl?: string | undefined
  /** Seconds until a retry may succeed. */
  retryAfter?: number
  /** Identifies the request in the gateway's log. */
  requestId?: string
}

/** A connection as `GET /connections` returns it. Times are RFC 3339. */
export type Connection = {
  provider: string
  title: string
  /** `reconnect_required`: the provider does not accept the grant any more. */
  status: 'connected' | 'reconnect_required' | 'disconnected'
  /** How the provider can be connected here. */
  methods: ('oauth2' | 'api_key')[]
  /** How it was connected. */
  method?: 'oauth2' | 'api_key'
  account?: string
  /** Granted scopes. */
  scopes?: readonly string[]
  /** Configured scopes that the user did not grant, or that were configured after the sign-in. */
  missingScopes?: readonly string[]
  connectedAt?: string
  /** When the access token expires. The gateway renews it if it has a refresh token. */
  expiresAt?: string
  lastUsedAt?: string
  /** When renewal started to fail temporarily. The gateway keeps retrying. */
  failingSince?: string
  /** Base URLs of the provider's API: `fetch` accepts absolute URLs below them. */
  apiUrls?: string[]
  connectUrl: string
}

/** Message from the popup to the page that opened it. */
export type PopupMessage = { source: 'grantkeeper'; provider: string; status: 'connected' | 'failed'; error?: ErrorCode }

export type ClientOptions = {
  /** URL of the gateway. Defaults to the origin that served this script. */
  gateway?: string
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch
}

export type FetchInit = RequestInit & {
  /**
   * What to do if the request needs a connection:
   * - `'popup'`: connect in a popup, then repeat the request
   * - `'redirect'`: leave for the sign-in and come back to this page
   * - otherwise throw
   */
  reconnect?: 'popup' | 'redirect' | false | undefined
}

export type Client = {
  /** @returns one entry for each provider, connected or not */
  connections(): Promise<Connection[]>

  /**
   * Asks the user to connect a provider.
   *
   * With `popup`, call this in a click or key handler: browsers block other popups. Simultaneous calls share one popup. Without `popup` the
   * page navigates away and comes back to its URL; after a failed sign-in with `connect_error=CODE&provider=NAME` in the query.
   *
   * @throws {GrantkeeperError} with a `ConnectErrorCode`, a `BrowserCode` or `provider_unknown`
   */
  connect(provider: string, options?: { popup?: boolean }): Promise<Connection>

  /**
   * Requests the API of a provider through the gateway, which adds the credential.
   *
   * @param path relative to the base URL of the API, or an absolute URL below one of `apiUrls`, such as a link in a response
   * @returns the response of the provider, whatever its status
   * @throws {GrantkeeperError} if the gateway itself responds, such as `connection_required` or `rate_limited`
   */
  fetch(provider: string, path: string | URL, init?: FetchInit): Promise<Response>
}
