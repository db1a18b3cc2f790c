/** Why a provider has not revoked a token. */
export class RevocationError extends Error {
  override readonly name = 'RevocationError'
  /** Of the response, where there was one. */
  readonly status: number | undefined
  /** The OAuth error code that it held. */
  readonly code: string | undefined
  /** The token is of no use to anybody any more, so that nothing is left to be revoked (RFC 7009 §2.2). */
  readonly isGone: boolean
  /** Another try cannot help. */
  readonly isFinal: boolean

  constructor(message: string, { status, code }: { status?: number | undefined; code?: string | undefined } = {}) {
    super(message)
    this.status = status
    this.code = code
    this.isGone = code !== undefined && (status ?? 0) < 500 && gone.has(code)
    this.isFinal = code === 'unsupported_token_type'
  }
}

/** RFC 6750 §3.1, RFC 6749 §5.2, and what vendors say who refuse inside of a 200 (Slack's `auth.revoke`). */
const gone: ReadonlySet<string> = new Set(['invalid_token', 'invalid_grant', 'token_revoked', 'token_expired'])
