import { randomBytes } from 'node:crypto'

/** A user's sign-in at the identity provider that is in flight. It is stored in a sealed cookie until its callback. */
export type LoginFlow = {
  readonly state: string
  /** In the id token, which it binds to this flow (OpenID Connect Core §3.1.2.1). */
  readonly nonce: string
  /** PKCE `code_verifier` (RFC 7636 §4.1). */
  readonly codeVerifier: string
  readonly returnTo: string
  readonly startedAtMs: number
}

export const loginFlowLifetimeMs = 10 * 60_000

export function createLoginFlow(returnTo: string, nowMs: number): LoginFlow {
  // State and nonce: 192 bits (RFC 9700 requires 128). Verifier: 256 bits, as 43 characters, the minimum of RFC 7636.
  return {
    state: randomBytes(24).toString('base64url'),
    nonce: randomBytes(24).toString('base64url'),
    codeVerifier: randomBytes(32).toString('base64url'),
    returnTo,
    startedAtMs: nowMs
  }
}

export const isLoginFlowExpired = ({ startedAtMs }: LoginFlow, nowMs: number): boolean => startedAtMs + loginFlowLifetimeMs <= nowMs
