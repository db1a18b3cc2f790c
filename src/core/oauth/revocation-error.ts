import type { RevocableGrant } from './token-endpoint.ts'

type Facts = Partial<Pick<RevocationError, 'status' | 'code' | 'isGone' | 'isFinal'>>

/** Why a provider has not revoked a token. */
export class RevocationError extends Error {
  override readonly name = 'RevocationError'
  /** HTTP status of the response, if there was one. */
  readonly status: number | undefined
  /** The OAuth error code in the response. */
  readonly code: string | undefined
  /** The token is invalid already, so nothing is left to revoke (RFC 7009 §2.2). */
  readonly isGone: boolean
  /** A retry cannot help. */
  readonly isFinal: boolean
  /** The tokens that a retry needs, since the attempt has renewed those that it was given. */
  renewed: Pick<RevocableGrant, 'token' | 'accessToken'> | undefined

  constructor(message: string, { status, code, isGone = false, isFinal = false }: Facts = {}) {
    super(message)
    this.status = status
    this.code = code
    this.isGone = isGone || (code !== undefined && (status ?? 0) < 500 && goneCodes.has(code))
    this.isFinal = isFinal || code === 'unsupported_token_type'
  }
}

/** RFC 6750 §3.1, RFC 6749 §5.2, and the codes of vendors that refuse inside a 200 (Slack's `auth.revoke`). */
const goneCodes: ReadonlySet<string> = new Set(['invalid_token', 'invalid_grant', 'token_revoked', 'token_expired'])
