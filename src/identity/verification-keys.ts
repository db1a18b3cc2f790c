import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'

/** A key and what it may verify. */
export type VerificationKey = {
  /** Equal for equal keys of two key sets. */
  readonly id: string
  /** `kid` of RFC 7517 §4.5. A key without one may fit any token. */
  readonly kid: string | undefined
  /** Values of `alg` (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
  readonly algorithms: readonly string[]
  readonly key: KeyObject
}

/** RFC 7518 §3.3. */
const minRsaBits = 2048
/** Issuers publish a handful. A token without `kid` is tried with each. */
const maxKeys = 100

const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const curveAlgorithms: Readonly<Record<string, readonly string[]>> = {
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['Ed25519', 'EdDSA']
}

/** What an issuer's key may verify: never HS256, with which everybody could sign who knows a public key (RFC 8725 §2.1). */
export const asymmetricAlgorithms: readonly string[] = [...rsaAlgorithms, ...Object.values(curveAlgorithms).flat()]

/**
 * The usable keys of a key set (RFC 7517 §5), at most a hundred. A member that is malformed, weak, secret or for another use is left out and
 * does not harm the others.
 * @returns `undefined` if the document is not a key set
 */
export function parseKeySet(document: unknown): VerificationKey[] | undefined {
  const members = (document as { keys?: unknown } | null | undefined)?.keys
  if (!Array.isArray(members)) return undefined
  return members
    .values()
    .map(parseKey)
    .filter(key => key !== undefined)
    .take(maxKeys)
    .toArray()
}

function parseKey(member: unknown): VerificationKey | undefined {
  if (typeof member !== 'object' || member === null) return undefined
  const { kty, crv, use, key_ops: operations, kid, alg, d, n, e, x, y } = member as Record<string, unknown>
  // A private key that is published is anybody's.
  if (d !== undefined || (use !== undefined && use !== 'sig')) return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined
  const family = kty === 'RSA' ? rsaAlgorithms : curveAlgorithms[`${kty} ${crv}`]
  const algorithms = family?.filter(name => alg === undefined || alg === name) ?? []
  if (algorithms.length === 0) return undefined
  const jwk = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }
  const key = importKey(jwk)
  if (!key || (kty === 'RSA' && !isStrongRsa(key))) return undefined
  return { id: JSON.stringify([jwk, kid, algorithms]), kid, algorithms, key }
}

function importKey(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' })
  } catch {
    return undefined
  }
}

/** With the exponent 1 a signature is its own message, and anybody can make one. */
function isStrongRsa({ asymmetricKeyDetails: { modulusLength = 0, publicExponent = 0n } = {} }: KeyObject): boolean {
  return modulusLength >= minRsaBits && publicExponent >= 3n && publicExponent % 2n === 1n
}
