import { GatewayError } from '../core/errors.ts'

/** Which JSON Web Tokens are accepted. */
export type JwtRules = {
  /** Values of `alg` that are accepted: those of the keys, never the token's own choice (RFC 8725 §3.1). */
  readonly algorithms: readonly string[]
  /** `undefined` is not compared. */
  readonly issuer: string | undefined
  /** `aud` must name one of them. */
  readonly audiences: readonly string[]
  /** Names of the settings with issuer and audience, for errors. */
  readonly settings: { readonly issuer: string; readonly audience: string }
} & KindRules

/** What is required of one kind of token. */
export type KindRules = {
  /** What kind of token it must be, for errors: "an access token". */
  readonly kind: string
  readonly requiredClaims: readonly string[]
  /** Since its `iat`, which is then required. */
  readonly maxAgeSeconds?: number
  /**
   * RFC 8725 §3.11: a token that is typed for another purpose is refused.
   * @param type its `typ` in lower case, without "application/" (RFC 7515 §4.1.9)
   */
  readonly isTypeAllowed: (type: string | undefined) => boolean
}

/** A JSON Web Token that is not accepted. */
export class InvalidJwtError extends Error {
  override readonly name = 'InvalidJwtError'

  /** @param problem continues "The token", and repeats nothing of the token but names of claims */
  constructor(problem: string) {
    super(problem)
  }
}

/** How far the clocks of issuer and gateway may differ. */
export const leewaySeconds = 60

/** @param problem continues "The bearer token", and repeats nothing of the token */
export const tokenInvalid = (problem: string): GatewayError =>
  new GatewayError('token_invalid', `The bearer token ${problem}. Get another one from your sign-in.`)
