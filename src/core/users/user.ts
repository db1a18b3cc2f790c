import { GatewayError } from '../errors.ts'

/**
 * A user as an identity provider or a backend names them. The same values name the same user in every way to sign in: a session's
 * `sub`, a token's claim, a backend's `Grantkeeper-User`.
 */
export type User = {
  /** The identity provider; empty when the operator's backends alone name users. */
  readonly issuer: string
  /** The claim that names the user: `sub`, or what `JWT_USER_CLAIM` says. Users by different claims are different users. */
  readonly claim: string
  /** Compared exactly: case, blanks and Unicode forms make different users. */
  readonly id: string
  /** For people to read, as the identity provider gives it. */
  readonly name?: string
}

/** OpenID Connect Core §2: a subject has at most 255 ASCII characters. */
const maxIdCharacters = 255

/**
 * Why a text cannot be a user's id, as the end of a sentence; `undefined` if it can. Lone surrogates are refused because they all have the
 * same UTF-8 encoding: two users would become one.
 */
export function whyNoUserId(id: string): string | undefined {
  if (id === '') return 'is empty'
  if (id.length > maxIdCharacters) return `is longer than ${maxIdCharacters} characters`
  if (!id.isWellFormed()) return 'is not well-formed Unicode'
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(id)) return 'holds a control character'
  return undefined
}

/** For a request that nobody signed in and no token or key speaks for. */
export const userRequired = (detail: string, status?: 400) =>
  new GatewayError('user_required', detail, { ...(status !== undefined && { status }) })
