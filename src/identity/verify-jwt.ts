import type { JWTPayload } from 'jose'
import { jwtVerify } from 'jose/jwt/verify'
import { GatewayError } from '../core/errors.ts'
import { type JwtRules, leewayMs, tokenInvalid } from './jwt-rules.ts'
import type { VerificationKey } from './verification-keys.ts'

/** The end of the year 9999. A larger number is in milliseconds, and would not end in our time. */
const maxSeconds = 253_402_300_799

/**
 * Verifies the signature, then the claims `iss`, `aud`, `exp`, `nbf` and `iat` (RFC 7519 §4.1). Nobody learns of claims that are wrong who
 * cannot sign.
 * @returns `undefined` when none of the keys verifies the signature
 * @throws `token_invalid`, in our words: the errors of jose hold the claims
 */
export async function verifyJwt(
  token: string,
  keys: readonly VerificationKey[],
  { algorithms, issuer, audiences }: JwtRules,
  nowMs: number
): Promise<JWTPayload | undefined> {
  const options = {
    algorithms: [...algorithms],
    audience: [...audiences],
    requiredClaims: ['exp'],
    clockTolerance: leewayMs / 1000,
    currentDate: new Date(nowMs),
    ...(issuer !== undefined && { issuer })
  }
  for (const { key } of keys) {
    try {
      const { payload } = await jwtVerify(token, key, options)
      checkTimes(payload, nowMs)
      return payload
    } catch (error) {
      if (error instanceof GatewayError) throw error
      const { code, claim, reason } = error as { code?: string; claim?: string; reason?: string }
      if (code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw tokenInvalid(problemOf(code, claim, reason))
    }
  }
  return undefined
}

function checkTimes({ iat, exp = Number.NaN }: JWTPayload, nowMs: number): void {
  if (!(exp <= maxSeconds)) throw tokenInvalid('ends after the year 9999: "exp" is in seconds')
  if (iat !== undefined && iat * 1000 > nowMs + leewayMs)
    throw tokenInvalid('was issued in the future: the clock of its issuer or of this gateway is wrong')
}

function problemOf(code: string | undefined, claim = '', reason = ''): string {
  if (code === 'ERR_JWT_EXPIRED') return 'has expired'
  if (code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return 'is malformed, or does not fit the key that it names'
  if (claim === 'iss') return 'is of another issuer than JWT_ISSUER'
  if (claim === 'aud') return 'is for another audience than JWT_AUDIENCE'
  if (claim === 'nbf' && reason === 'check_failed') return 'is not valid yet'
  if (reason === 'missing') return `has no "${claim}"`
  return `has an invalid "${claim}"`
}
