import type { Secret } from '../core/secret.ts'

/** A user whom the identity provider has signed in. */
export type SignedInUser = {
  /** `sub`: unique at this issuer and never reassigned (OpenID Connect Core §2). */
  readonly subject: string
  /** For our pages; one line. */
  readonly name?: string
  /** For our pages, and not proven: it may not be the user's own, and can change. */
  readonly email?: string
  /** The id of the session at the issuer, which a logout token may name. */
  readonly sid?: string
  /** As `id_token_hint` for the end of the session. */
  readonly idToken: Secret
  /** When the user last entered their credentials. */
  readonly authTimeMs?: number
}

/** Why the identity provider signed nobody in. `provider_error` stands for every code that no standard defines. */
export type LoginRefusal = (typeof loginRefusals)[number] | 'provider_error'

/** RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6: what the user decided, or has yet to do. */
export const loginRefusals = [
  'access_denied',
  'interaction_required',
  'login_required',
  'account_selection_required',
  'consent_required'
] as const

export type LoginResult =
  | { readonly kind: 'signed_in'; readonly user: SignedInUser }
  | { readonly kind: 'refused'; readonly error: LoginRefusal }
