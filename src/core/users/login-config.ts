import type { Secret } from '../secret.ts'

/** The operator's identity provider, at which users sign in (OpenID Connect Core), and the client registered there. */
export type LoginConfig = {
  /** Exactly as its metadata and tokens spell it, with or without a trailing slash. */
  readonly issuer: string
  readonly clientId: string
  /** Absent for a public client, which PKCE alone protects. */
  readonly clientSecret?: Secret
  /** Including `openid`. */
  readonly scopes: readonly string[]
  /** The authentication context classes of which the id token must name one, the preferred one first. */
  readonly acrValues?: readonly string[]
  /** How long ago the user may have entered their credentials. */
  readonly maxAgeSeconds?: number
}
