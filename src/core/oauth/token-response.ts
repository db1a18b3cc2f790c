import { type AccountIdentity, readAccount } from '../connections/account.ts'
import { type Grant, maxLifetimeMs } from '../connections/connection.ts'
import type { OAuth2Method, TokenRefusal, TokenResponseShape } from '../provider/definition.ts'
import { Secret } from '../secret.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import { type ConnectError, isConnectError } from './error-codes.ts'
import { readIdTokenClaims } from './id-token.ts'
import { readErrorDescription, readTokenError, type TokenErrorResponse } from './token-error.ts'

export type TokenErrorDetails = {
  /** HTTP status of the response. */
  readonly status?: number | undefined
  /** The vendor's own code, for a log. */
  readonly code?: string | undefined
  /** The vendor's own description, without what was sent, for a log. */
  readonly description?: string | undefined
  readonly means?: TokenRefusal['means'] | undefined
  /** The error says itself that it is temporary. */
  readonly isTemporary?: boolean | undefined
  /** The `Retry-After` header, unparsed (RFC 9110 §10.2.3). */
  readonly retryAfter?: string | undefined
  /** The next refresh token, in a response without a usable access token: the one that was sent may be spent. */
  readonly rotatedRefreshToken?: Secret | undefined
}

/** Why a token endpoint gave no grant. `reason` is its OAuth error code, if it sent one. */
export class TokenEndpointError extends Error {
  override readonly name = 'TokenEndpointError'
  /** `invalid_value`: the provider has not sent a value that the definition needs, or has sent it in another form. */
  readonly kind: 'refused' | 'timeout' | 'unavailable' | 'invalid_response' | 'invalid_value'
  readonly reason: ConnectError | undefined
  readonly details: TokenErrorDetails
  /** Private, so that nothing that prints an error prints what was learnt with a grant. */
  readonly #grant: Grant | undefined

  constructor(kind: TokenEndpointError['kind'], message: string, reason?: ConnectError, details: TokenErrorDetails = {}, grant?: Grant) {
    super(message)
    this.kind = kind
    this.reason = reason
    this.details = details
    this.#grant = grant
  }

  /** What the sign-in got before it failed, and nobody uses: it is to be revoked. */
  get grant(): Grant | undefined {
    return this.#grant
  }

  withGrant(grant: Grant): TokenEndpointError {
    return new TokenEndpointError(this.kind, this.message, this.reason, this.details, grant)
  }

  /** The refresh token is invalid, expired or revoked (RFC 6749 §5.2). The only response after which a retry is pointless. */
  get isInvalidGrant(): boolean {
    return this.kind === 'refused' && (this.details.means ?? this.reason) === 'invalid_grant'
  }

  /** The operator's OAuth client is rejected. Only the operator can fix that. */
  get isClientRejected(): boolean {
    if (this.kind !== 'refused' || this.isInvalidGrant) return false
    return this.details.means === 'invalid_client' || this.reason === 'invalid_client' || this.reason === 'unauthorized_client'
  }

  /** What was sent is rejected. Nothing but rejections for long enough ends the grant, whatever the error code. */
  get isRejection(): boolean {
    const { status = 0, isTemporary, means } = this.details
    if (isTemporary || means === 'invalid_client' || this.reason === 'invalid_client') return false
    // Some vendors send an error in a 200 that others send in a 400.
    return [400, 401, 403].includes(status) || (this.kind === 'refused' && status === 200)
  }
}

type ParseOptions = {
  readonly shape?: TokenResponseShape | undefined
  readonly scopeSeparator?: string | undefined
  readonly refusals?: readonly TokenRefusal[] | undefined
  /** Secrets that were sent, and that the response may repeat. */
  readonly sent?: readonly string[] | undefined
  readonly account?: OAuth2Method['account'] | undefined
  /** Whose ID token is read: the operator's client at this issuer, if the definition has one. */
  readonly audience?: { readonly clientId: string; readonly issuer?: string | undefined } | undefined
}

/**
 * Parses a successful token response (RFC 6749 §5.1). Leniently, since the provider may have rotated the refresh token for it; but a token of
 * a type that the definition does not send is rejected. If there is an access token, nothing else in the response counts as an error.
 * @throws {TokenEndpointError} of kind `refused` or `invalid_response`.
 */
export function parseTokenResponse(body: unknown, options: ParseOptions = {}): Grant {
  const { shape = {}, scopeSeparator = ' ', refusals, sent } = options
  const document = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined
  const refreshToken = secretAt(document, shape.refreshToken ?? '/refresh_token')
  const invalid = (why: string) =>
    new TokenEndpointError('invalid_response', `the token response ${why}`, undefined, { status: 200, rotatedRefreshToken: refreshToken })
  if (!document) throw invalid('is not a JSON object')

  const accessToken = secretAt(document, shape.accessToken ?? '/access_token')
  if (!accessToken) {
    // Some vendors send errors in a 200.
    const error = readTokenError(document, 200, { declared: refusals, sent })
    throw error ? rejectedError(200, error, { description: readErrorDescription(document, sent) }) : invalid('has no access_token')
  }
  const accepted = shape.tokenType || 'bearer'
  const type = resolvePointer(document, '/token_type') ?? ''
  if (typeof type !== 'string' || !['', accepted].includes(type.trim().toLowerCase()))
    throw invalid(`has a token_type that is not ${accepted}`)

  const expiresAtMs = shape.expiresAt === undefined ? undefined : timeOf(resolvePointer(document, shape.expiresAt))
  const seconds =
    expiresAtMs === undefined
      ? (lifetimeOf(resolvePointer(document, shape.expiresIn ?? '/expires_in')) ?? shape.defaultExpiresIn)
      : undefined
  const scopes = scopesOf(resolvePointer(document, shape.scope ?? '/scope'), scopeSeparator)
  return {
    accessToken,
    ...(refreshToken && { refreshToken }),
    ...(seconds !== undefined && { expiresInMs: seconds * 1000 }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(scopes && { scopes }),
    ...accountIn(document, options)
  }
}

/** Nothing for a look-up, which follows later, and for an ID token that is missing or not for this client: a grant is good without an account. */
function accountIn(document: object, { account, audience }: ParseOptions): AccountIdentity {
  if (account?.from === 'token') return readAccount(document, account)
  if (account?.from !== 'id_token' || !audience) return {}
  return readAccount(readIdTokenClaims(resolvePointer(document, '/id_token'), audience), account)
}

/** An error by the response's code. Only logs show a code that OAuth does not define. */
export function rejectedError(
  status: number,
  { code, means, isTemporary }: TokenErrorResponse,
  details: TokenErrorDetails = {}
): TokenEndpointError {
  const reason = means ?? (code !== undefined && isConnectError(code) ? code : undefined)
  const message = `the token endpoint responded with ${status} ${reason ?? 'with an unknown error'}`
  return new TokenEndpointError('refused', message, reason, { ...details, status, code, means, isTemporary })
}

function secretAt(document: object | undefined, pointer: string): Secret | undefined {
  const value = resolvePointer(document, pointer)
  return isCredential(value) ? new Secret(value) : undefined
}

/** RFC 6749 appendix A.12: visible ASCII. A header field can hold nothing else. */
const isCredential = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]{1,16384}$/.test(value)

/** Seconds; some servers send a string. Zero or less says no more than a 401 will. */
function lifetimeOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, maxLifetimeMs / 1000) : undefined
}

/** Later is a number of milliseconds, and earlier one of seconds: as seconds it is the year 5138, as milliseconds March 1973. */
const secondsEnd = 1e11

/** A date of RFC 3339, whose zone may be missing for UTC; or seconds or milliseconds since the epoch, also in a string. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d[t ]\d\d:\d\d(:\d\d(\.\d+)?)?(z|[+-]\d\d:?\d\d)?$/i.test(value)) {
    const atMs = Date.parse(/(z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value}Z`)
    return Number.isNaN(atMs) ? undefined : atMs
  }
  const number = typeof value === 'string' && /^\d{1,16}(\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number) || number <= 0 || number > maxTimeMs) return undefined
  return number < secondsEnd ? number * 1000 : number
}
/** ECMA-262, the latest time of a date. */
const maxTimeMs = 8.64e15

/** RFC 6749 §3.3, but lenient: visible ASCII. */
const isScope = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]{1,256}$/.test(value)

function scopesOf(value: unknown, separator: string): string[] | undefined {
  // Some servers want commas in requests and send spaces, or the reverse; some put several scopes into one element of a list.
  const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value.filter(part => typeof part === 'string') : undefined
  const scopes = list?.flatMap(part => part.split(separator)).flatMap(part => part.split(/[\s,]+/))
  return scopes?.filter(isScope).slice(0, 100)
}
