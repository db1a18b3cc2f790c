import { InvalidJwtError, type JwtRules } from './jwt-rules.ts'
import type { VerificationKey } from './verification-keys.ts'

/** What the header of a JWT says of its key. */
type JwtHeader = { readonly algorithm: string; readonly kid: unknown }

const maxCharacters = 64 * 1024

/**
 * The header of a JWT in compact form (RFC 7519 §7.2), which says nothing that is trusted: keys in it (`jwk`, `x5c`) and addresses of keys
 * (`jku`, `x5u`) are not looked at.
 * @throws {InvalidJwtError}
 */
export function readJwtHeader(token: string, { algorithms, kind, isTypeAllowed }: JwtRules): JwtHeader {
  if (token.length > maxCharacters) throw new InvalidJwtError(`is longer than ${maxCharacters / 1024} KiB`)
  const parts = token.split('.')
  const [header, , signature = ''] = parts
  const fields = parts.length === 3 ? parseHeader(header) : undefined
  if (!fields) throw new InvalidJwtError('is not a signed JSON Web Token (RFC 7519)')
  const { alg, kid, typ, crit } = fields
  if (typeof alg !== 'string' || !algorithms.includes(alg))
    throw new InvalidJwtError(`is not signed with an algorithm that is accepted here, which are ${algorithms.join(', ')}`)
  if (crit !== undefined) throw new InvalidJwtError('has an extension ("crit") that is not understood here')
  if ((typ !== undefined && typeof typ !== 'string') || !isTypeAllowed(typ?.toLowerCase().replace(/^application\//, '')))
    throw new InvalidJwtError(`is another kind of JSON Web Token than ${kind}`)
  // A decoder ignores the last bits of some characters: one signature would have several spellings.
  if (signature !== Buffer.from(signature, 'base64url').toString('base64url')) throw signatureInvalid()
  return { algorithm: alg, kid }
}

export const signatureInvalid = () => new InvalidJwtError('has a signature that none of the keys verifies')

function parseHeader(encoded = ''): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/**
 * The keys that may have signed a token. A key that has the token's `kid` excludes all others.
 * @returns whether that key was found as well: if not, a newer key set may have it
 */
export function keysFor({ algorithm, kid }: JwtHeader, keys: readonly VerificationKey[]) {
  const fitting = keys.filter(key => key.algorithms.includes(algorithm))
  const named = kid === undefined ? [] : fitting.filter(key => key.kid === kid)
  if (named.length > 0) return { candidates: named, isNamed: true }
  return { candidates: kid === undefined ? fitting : fitting.filter(key => key.kid === undefined), isNamed: false }
}
