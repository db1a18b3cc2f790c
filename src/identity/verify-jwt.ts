import type { JWTPayload } from 'jose'
import { jwtVerify } from 'jose/jwt/verify'
import type { Clock } from '../core/ports.ts'
import { keysFor, readJwtHeader, signatureInvalid } from './jwt-header.ts'
import { InvalidJwtError, type JwtRules, leewaySeconds } from './jwt-rules.ts'
import type { KeySource } from './key-source.ts'
import type { VerificationKey } from './verification-keys.ts'

/** The end of the year 9999. A larger number is in milliseconds, and would not end in our time. */
const maxSeconds = 253_402_300_799

type VerifyOptions = { readonly rules: JwtRules; readonly keys: KeySource; readonly clock: Clock }

/**
 * Verifies the signature, then the claims `iss`, `aud`, `exp`, `nbf` and `iat` (RFC 7519 §4.1). Nobody learns of claims that are wrong who
 * cannot sign. A token with an unknown key has the keys fetched again.
 * @throws {InvalidJwtError}
 * @throws {GatewayError} `issuer_unavailable` while nobody can tell
 */
export async function verifyJwt(token: string, { rules, keys: source, clock }: VerifyOptions): Promise<JWTPayload> {
  const header = readJwtHeader(token, rules)
  let keys: readonly VerificationKey[] | undefined = await source.current()
  while (keys) {
    const { candidates, isNamed } = keysFor(header, keys)
    const claims = await verifyByOneOf(candidates, token, rules, clock.now())
    if (claims) return claims
    if (isNamed) break
    keys = await source.newerThan(keys)
  }
  throw signatureInvalid()
}

/** @returns `undefined` when none of the keys verifies the signature */
async function verifyByOneOf(keys: readonly VerificationKey[], token: string, rules: JwtRules, nowMs: number) {
  const { algorithms, issuer, audiences, requiredClaims, maxAgeSeconds } = rules
  const options = {
    algorithms: [...algorithms],
    audience: [...audiences],
    requiredClaims: [...requiredClaims],
    clockTolerance: leewaySeconds,
    currentDate: new Date(nowMs),
    ...(issuer !== undefined && { issuer }),
    ...(maxAgeSeconds !== undefined && { maxTokenAge: maxAgeSeconds })
  }
  for (const { key } of keys) {
    try {
      const { payload } = await jwtVerify(token, key, options)
      checkTimes(payload, nowMs)
      return payload
    } catch (error) {
      if (error instanceof InvalidJwtError) throw error
      // In our words: the errors of jose hold the claims.
      const facts = error as JoseError
      if (facts.code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw new InvalidJwtError(problemOf(facts, rules))
    }
  }
  return undefined
}

function checkTimes({ iat, exp }: JWTPayload, nowMs: number): void {
  if (exp !== undefined && !(exp <= maxSeconds)) throw new InvalidJwtError('ends after the year 9999: "exp" is in seconds')
  if (iat !== undefined && iat * 1000 > nowMs + leewaySeconds * 1000)
    throw new InvalidJwtError('was issued in the future: the clock of its issuer or of this gateway is wrong')
}

type JoseError = { readonly code?: string; readonly claim?: string; readonly reason?: string }

function problemOf({ code, claim = '', reason = '' }: JoseError, { settings }: JwtRules): string {
  if (code === 'ERR_JWT_EXPIRED') return claim === 'iat' ? 'was issued too long ago' : 'has expired'
  if (code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return 'is malformed, or does not fit the key that it names'
  if (reason === 'missing') return `has no "${claim}"`
  if (claim === 'iss') return `is of another issuer than ${settings.issuer}`
  if (claim === 'aud') return `is for another audience than ${settings.audience}`
  if (reason === 'check_failed') {
    if (claim === 'nbf') return 'is not valid yet'
    if (claim === 'iat') return 'was issued in the future: the clock of its issuer or of this gateway is wrong'
  }
  return `has an invalid "${claim}"`
}
