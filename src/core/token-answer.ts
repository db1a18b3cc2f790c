import { accountName } from './account-name.ts'
import type { Grant } from './connection.ts'
import { valueAt } from './json-pointer.ts'
import type { TokenAnswerShape } from './provider.ts'
import { Secret } from './secret.ts'

/** Why a token endpoint gave no grant. `reason` is an OAuth error code where it said one. */
export class TokenEndpointError extends Error {
  override readonly name = 'TokenEndpointError'
  readonly kind: 'refused' | 'timeout' | 'unavailable' | 'bad_answer'
  readonly reason: string | undefined

  constructor(kind: TokenEndpointError['kind'], message: string, reason?: string) {
    super(message)
    this.kind = kind
    this.reason = reason
  }

  /** RFC 6749 §5.2: the refresh token is invalid, expired or revoked. The one answer after which trying again is pointless. */
  get isInvalidGrant(): boolean {
    return this.kind === 'refused' && this.reason === 'invalid_grant'
  }
}

/** A year; a lifetime beyond it is a fault or a joke, and would overflow a date. */
const longestLifetimeSeconds = 366 * 24 * 3600

/**
 * Reads a token answer (RFC 6749 §5.1), strictly: a token that cannot be sent as the definition says is no token.
 * @throws {TokenEndpointError} of kind `bad_answer`.
 */
export function parseTokenAnswer(body: unknown, shape: TokenAnswerShape = {}, scopeSeparator = ' '): Grant {
  const bad = (why: string) => new TokenEndpointError('bad_answer', `the token answer ${why}`)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw bad('is not a JSON object')
  // Some vendors refuse inside a 200.
  if (valueAt(body, '/error') !== undefined && valueAt(body, '/error') !== null) throw bad('holds an error')

  const accessToken = valueAt(body, shape.accessToken ?? '/access_token')
  if (!isCredential(accessToken)) throw bad('has no access_token')
  const accepted = shape.tokenType === '' ? ['', 'bearer'] : [shape.tokenType ?? 'bearer']
  const type = valueAt(body, '/token_type') ?? ''
  if (typeof type !== 'string' || !accepted.includes(type.toLowerCase()))
    throw bad(type === '' ? 'has no token_type' : `has a token_type that is not ${accepted.at(-1)}`)

  const refreshToken = valueAt(body, shape.refreshToken ?? '/refresh_token')
  const seconds = lifetimeOf(valueAt(body, shape.expiresIn ?? '/expires_in')) ?? shape.defaultExpiresIn
  const scopes = scopesOf(valueAt(body, shape.scope ?? '/scope'), scopeSeparator)
  const account = shape.account === undefined ? undefined : accountName(valueAt(body, shape.account))
  return {
    accessToken: new Secret(accessToken),
    ...(isCredential(refreshToken) && { refreshToken: new Secret(refreshToken) }),
    ...(seconds !== undefined && { expiresInMs: seconds * 1000 }),
    ...(scopes && { scopes }),
    ...(account !== undefined && { account })
  }
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
