import type { KeyObject } from 'node:crypto'
import type { ServiceKeyEntry } from './service-keys.ts'

/** What an `Authorization: Bearer` may hold (RFC 6750). */
export type BearerConfig = {
  /** `undefined` when no JWT is accepted. */
  readonly jwt: JwtConfig | undefined
  /** Empty when no service key is accepted. */
  readonly serviceKeys: readonly ServiceKeyEntry[]
}

/** Whose JSON Web Tokens (RFC 7519) name users. */
export type JwtConfig = {
  /** Compared with `iss` character by character (RFC 7519 §4.1.1). With an issuer's keys it is always set; `undefined` is not compared. */
  readonly issuer: string | undefined
  /** At least one: `aud` must name one of them. */
  readonly audiences: readonly string[]
  /** The claim with the user's id. */
  readonly userClaim: string
  readonly keys: JwtKeys
}

export type JwtKeys = IssuerKeysConfig | JwtSecrets

/** The issuer signs with its private keys. */
export type IssuerKeysConfig = {
  readonly kind: 'issuer'
  readonly issuer: string
  /** URL of the key set (RFC 7517 §5); `undefined` when the issuer's metadata names it. */
  readonly jwksUrl: string | undefined
  /** Origins that the operator has set, which may have private IP addresses. */
  readonly trustedOrigins: readonly string[]
}

/** An application signs with a secret (HS256) that it shares with this gateway. */
type JwtSecrets = {
  readonly kind: 'secrets'
  /** Newest first; each has at least 32 bytes. Key objects, because they do not print what they hold. */
  readonly secrets: readonly KeyObject[]
}
