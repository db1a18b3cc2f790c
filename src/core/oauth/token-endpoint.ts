import type { Grant } from '../connections/connection.ts'
import type { Secret } from '../secret.ts'

/** A token to revoke. RFC 7009 §2.1: the type helps the provider to find it. */
export type RevocableToken = { readonly token: Secret; readonly type: 'refresh_token' | 'access_token' }

/** A provider's token and revocation endpoints, as its definition describes them. `src/oauth2/token-endpoint.ts` implements it. */
export type TokenEndpoint = {
  /** RFC 6749 §4.1.3, with PKCE's verifier. @throws {TokenEndpointError} */
  exchange(code: string, redirectUri: string, codeVerifier: string): Promise<Grant>
  /** RFC 6749 §6. @throws {TokenEndpointError} */
  refresh(refreshToken: Secret): Promise<Grant>
  /** RFC 7009. Resolves when the provider confirms; at once if it has no revocation endpoint. @throws {RevocationError} */
  revoke(token: RevocableToken): Promise<void>
}
