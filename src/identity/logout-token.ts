import type { JWTPayload } from 'jose'
import { whyNoUserId } from '../core/users/user.ts'
import { InvalidJwtError, type KindRules, leewaySeconds } from './jwt-rules.ts'

/** What a logout token ends: the sessions of a subject, one session of the issuer, or one session of one subject. */
export type LogoutToken = {
  readonly subject?: string
  readonly sid?: string
  /** Must be used once: the caller remembers it until `expiresAtMs`. */
  readonly jti: string
  /** From then on the token is refused by its age. */
  readonly expiresAtMs: number
}

/** A logout token that is not accepted: a 400 (OpenID Connect Back-Channel Logout §2.8). The message repeats nothing of the token. */
export class LogoutTokenError extends Error {
  override readonly name = 'LogoutTokenError'
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const maxAgeSeconds = 5 * 60
const maxClaimCharacters = 255

export const logoutTokens: KindRules = {
  kind: 'a logout token',
  requiredClaims: ['jti', 'events'],
  maxAgeSeconds,
  // §2.4 recommends the first; some issuers do not type it.
  isTypeAllowed: type => type === 'logout+jwt' || type === 'jwt' || type === undefined
}

/**
 * Reads the claims of a logout token that was verified by the rules of its kind (OpenID Connect Back-Channel Logout §2.6). That it is used
 * once is the caller's to check.
 * @throws {InvalidJwtError} what is wrong with them
 */
export function readLogoutToken(claims: JWTPayload): LogoutToken {
  const { sub, sid, jti, events, iat = 0, exp = Number.POSITIVE_INFINITY } = claims
  if (Object.hasOwn(claims, 'nonce')) throw new InvalidJwtError('has a nonce, as an id token')
  if (!isObject(events) || !Object.hasOwn(events, logoutEvent) || !isObject(events[logoutEvent]))
    throw new InvalidJwtError('names no logout in "events"')
  if (!isClaimText(jti)) throw new InvalidJwtError('has an invalid "jti"')
  if (sub === undefined && sid === undefined) throw new InvalidJwtError('has neither "sub" nor "sid"')
  if (sub !== undefined && (typeof sub !== 'string' || whyNoUserId(sub) !== undefined)) throw new InvalidJwtError('has an invalid "sub"')
  if (sid !== undefined && !isClaimText(sid)) throw new InvalidJwtError('has an invalid "sid"')
  return {
    ...(sub !== undefined && { subject: sub }),
    ...(sid !== undefined && { sid }),
    jti,
    expiresAtMs: (Math.ceil(Math.min(exp, iat + maxAgeSeconds)) + leewaySeconds + 1) * 1000
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

export const isClaimText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= maxClaimCharacters
