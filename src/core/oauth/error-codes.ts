/** RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6: why a browser comes back without a code. */
export const authorizationErrors = [
  'access_denied',
  'invalid_request',
  'unauthorized_client',
  'unsupported_response_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
  'interaction_required',
  'login_required',
  'account_selection_required',
  'consent_required'
] as const

/** RFC 6749 §5.2 and RFC 7009 §2.2.1: why a token endpoint sends an error. */
const tokenErrors = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'unsupported_token_type'
] as const

/** Why a sign-in ended without a connection, as `connect_error` says it. `provider_error` stands for every other code. */
export type ConnectError = (typeof authorizationErrors)[number] | (typeof tokenErrors)[number] | 'provider_error'

const connectErrors: ReadonlySet<string> = new Set([...authorizationErrors, ...tokenErrors, 'provider_error'])

export const isConnectError = (text: string): text is ConnectError => connectErrors.has(text)
