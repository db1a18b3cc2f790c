import { GatewayError } from '../core/errors.ts'

export type JwtRules = {
  /** Values of `alg` that are accepted: those of the keys, never the token's own choice (RFC 8725 §3.1). */
  readonly algorithms: readonly string[]
  /** `undefined` is not compared. */
  readonly issuer: string | undefined
  readonly audiences: readonly string[]
}

/** How far the clocks of issuer and gateway may differ. */
export const leewayMs = 60_000

/** @param problem continues "The bearer token", and repeats nothing of the token */
export const tokenInvalid = (problem: string): GatewayError =>
  new GatewayError('token_invalid', `The bearer token ${problem}. Get another one from your sign-in.`)

export const signatureInvalid = (): GatewayError => tokenInvalid('has a signature that none of the configured keys verifies')
