/** What Grantkeeper itself answers, in a problem document. */
export type GatewayCode =
  | 'api_key_malformed'
  | 'api_key_rejected'
  | 'body_too_large'
  | 'client_rejected'
  | 'connection_required'
  | 'csrf_rejected'
  | 'header_rejected'
  | 'internal_error'
  | 'invitation_invalid'
  | 'method_not_allowed'
  | 'not_found'
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

/** Why a sign-in ended without a connection: OAuth's codes (RFC 6749 §4.1.2.1, §5.2; OpenID Connect Core §3.1.2.6). */
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
 * What goes otherwise in the browser: no popup was allowed, the person left without connecting, or took longer than a sign-in may; or it
 * is connected, but this page cannot use it: the browser sends no cookie of the gateway from a page on another site.
 */
export type BrowserCode = 'popup_blocked' | 'connect_abandoned' | 'connect_timeout' | 'cookies_blocked'

export type ErrorCode = GatewayCode | ConnectErrorCode | BrowserCode

export type Problem = {
  code: ErrorCode
  detail: string
  provider?: string
  /** Of the gateway's answer. */
  status?: number
  connectUrl?: string | undefined
  /** Seconds. */
  retryAfter?: number
  requestId?: string
}

/** A connection as `GET /connections` shows it. Times are RFC 3339. */
export type Connection = {
  provider: string
  title: string
  status: 'connected' | 'reconnect_required' | 'disconnected'
  methods: ('oauth2' | 'api_key')[]
  method?: 'oauth2' | 'api_key'
  account?: string
  scopes?: readonly string[]
  /** Asked for and not granted: the person left them out, or they are asked for since. */
  missingScopes?: readonly string[]
  connectedAt?: string
  expiresAt?: string
  lastUsedAt?: string
  /** Since when renewing its access has failed, for reasons that may pass. */
  failingSince?: string
  apiUrls?: string[]
  connectUrl: string
}

/** What a popup tells the page that opened it. */
export type Outcome = { source: 'grantkeeper'; provider: string; status: 'connected' | 'failed'; error?: ErrorCode }

export type ClientOptions = {
  /** Where the gateway is. When left out: where this script came from. */
  gateway?: string
  /** Instead of the global one. */
  fetch?: typeof fetch
}

export type CallInit = RequestInit & {
  /** What to do when the call needs a connection: connect in a popup and repeat it, leave for the sign-in and come back here, or only throw. */
  reconnect?: 'popup' | 'redirect' | false | undefined
}

export type Client = {
  connections(): Promise<Connection[]>
  /**
   * Has the person connect. A popup must be asked for in a click or a key press, or the browser blocks it; without `popup` this page
   * leaves, and comes back with `connect_error=CODE&provider=NAME` in its address when it did not work.
   */
  connect(provider: string, options?: { popup?: boolean }): Promise<Connection>
  /**
   * Calls a provider's API.
   * @param path below its API's base, or an absolute URL as links in its answers are
   * @returns the provider's own answer, whatever its status
   * @throws `GrantkeeperError` for what Grantkeeper itself says
   */
  fetch(provider: string, path: string | URL, init?: CallInit): Promise<Response>
}
