import type { Grant } from '../connections/connection.ts'
import type { TokenRefusal, TokenResponseShape } from '../provider/provider.ts'
import { Secret } from '../secret.ts'
import { accountName } from '../util/account-name.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import { type ConnectError, isConnectError } from './error-codes.ts'
import { readErrorDescription, readTokenError, type TokenErrorResponse } from './token-error.ts'

export type TokenErrorDetails = {
  /** Of the response. */
  readonly status?: number | undefined
  /** The vendor's own word, for a log. */
  readonly code?: string | undefined
  /** The vendor's own sentence, without what was sent, for a log. */
  readonly description?: string | undefined
  readonly means?: TokenRefusal['means'] | undefined
  /** The refusal says itself that it will pass. */
  readonly isTemporary?: boolean | undefined
  /** The header as it came, where there was one (RFC 9110 §10.2.3). */
  readonly retryAfter?: string | undefined
  /** What a response that grants nothing usable says the next refresh token is: the one that was sent may be spent. */
  readonly rotatedRefreshToken?: Secret | undefined
}

/** Why a token endpoint gave no grant. `reason` is an OAuth error code where it said one. */
export class TokenEndpointError extends Error {
  override readonly name = 'TokenEndpointError'
  readonly kind: 'refused' | 'timeout' | 'unavailable' | 'invalid_response'
  readonly reason: ConnectError | undefined
  readonly details: TokenErrorDetails

  constructor(kind: TokenEndpointError['kind'], message: string, reason?: ConnectError, fault: TokenErrorDetails = {}) {
    super(message)
    this.kind = kind
    this.reason = reason
    this.details = fault
  }

  /** The refresh token is invalid, expired or revoked (RFC 6749 §5.2). The one response after which trying again is pointless. */
  get isInvalidGrant(): boolean {
    return this.kind === 'refused' && (this.details.means ?? this.reason) === 'invalid_grant'
  }

  /** The operator's client is refused, and nobody else can do anything about it. */
  get isClientRejected(): boolean {
    if (this.kind !== 'refused' || this.isInvalidGrant) return false
    return this.details.means === 'invalid_client' || this.reason === 'invalid_client' || this.reason === 'unauthorized_client'
  }

  /** A refusal of what was sent: one after the other for long enough, and the grant is over in whatever words. */
  get isRejection(): boolean {
    const { status = 0, isTemporary, means } = this.details
    if (isTemporary || means === 'invalid_client' || this.reason === 'invalid_client') return false
    // A refusal inside a 200 is its vendor's way to say 400.
    return [400, 401, 403].includes(status) || (this.kind === 'refused' && status === 200)
  }
}

/** A year; a lifetime beyond it is a fault or a joke, and would overflow a date. */
const longestLifetimeSeconds = 366 * 24 * 3600

type Reading = {
  readonly shape?: TokenResponseShape | undefined
  readonly scopeSeparator?: string | undefined
  readonly refusals?: readonly TokenRefusal[] | undefined
  /** Secrets that were sent, and may be repeated. */
  readonly sent?: readonly string[] | undefined
}

/**
 * Reads a successful token response (RFC 6749 §5.1): leniently, since the provider may have rotated for it, but a token that cannot be sent
 * as the definition says is no token. Where there is one, nothing else in the response is a refusal.
 * @throws {TokenEndpointError} of kind `refused` or `invalid_response`.
 */
export function parseTokenResponse(body: unknown, { shape = {}, scopeSeparator = ' ', refusals, sent }: Reading = {}): Grant {
  const document = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined
  const refreshToken = secretAt(document, shape.refreshToken ?? '/refresh_token')
  const bad = (why: string) =>
    new TokenEndpointError('invalid_response', `the token answer ${why}`, undefined, { status: 200, rotatedRefreshToken: refreshToken })
  if (!document) throw bad('is not a JSON object')

  const accessToken = secretAt(document, shape.accessToken ?? '/access_token')
  if (!accessToken) {
    // Some vendors refuse inside a 200.
    const refusal = readTokenError(document, 200, { declared: refusals, sent })
    throw refusal ? rejectedError(200, refusal, { description: readErrorDescription(document, sent) }) : bad('has no access_token')
  }
  const accepted = shape.tokenType || 'bearer'
  const type = resolvePointer(document, '/token_type') ?? ''
  if (typeof type !== 'string' || !['', accepted].includes(type.trim().toLowerCase())) throw bad(`has a token_type that is not ${accepted}`)

  const seconds = lifetimeOf(resolvePointer(document, shape.expiresIn ?? '/expires_in')) ?? shape.defaultExpiresIn
  const scopes = scopesOf(resolvePointer(document, shape.scope ?? '/scope'), scopeSeparator)
  const account = shape.account === undefined ? undefined : accountName(resolvePointer(document, shape.account))
  return {
    accessToken,
    ...(refreshToken && { refreshToken }),
    ...(seconds !== undefined && { expiresInMs: seconds * 1000 }),
    ...(scopes && { scopes }),
    ...(account !== undefined && { account })
  }
}

/** A refusal by the response's words. A reason that OAuth does not know is not repeated to anybody but a log. */
export function rejectedError(
  status: number,
  { code, means, isTemporary }: TokenErrorResponse,
  fault: TokenErrorDetails = {}
): TokenEndpointError {
  const reason = means ?? (code !== undefined && isConnectError(code) ? code : undefined)
  const message = `the token endpoint answered ${status} ${reason ?? 'with an unknown error'}`
  return new TokenEndpointError('refused', message, reason, { ...fault, status, code, means, isTemporary })
}

function secretAt(document: object | undefined, pointer: string): Secret | undefined {
  const value = resolvePointer(document, pointer)
  return isCredential(value) ? new Secret(value) : undefined
}

/** RFC 6749 appendix A.12: visible ASCII. Anything else could not stand in a header. */
const isCredential = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]{1,16384}$/.test(value)

/** Seconds; some servers send them as a string. Zero and less say nothing that a 401 would not. */
function lifetimeOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, longestLifetimeSeconds) : undefined
}

/** RFC 6749 §3.3, less strictly: visible ASCII. */
const isScope = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]{1,256}$/.test(value)

function scopesOf(value: unknown, separator: string): string[] | undefined {
  // Some servers ask for commas and answer with blanks, or the reverse; some name several in one element of a list.
  const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value.filter(part => typeof part === 'string') : undefined
  const scopes = list?.flatMap(part => part.split(separator)).flatMap(part => part.split(/[\s,]+/))
  return scopes?.filter(isScope).slice(0, 100)
}
