import type { Connection, Grant } from '../connections/connection.ts'
import type { Variables } from '../provider/template.ts'
import type { Secret } from '../secret.ts'

/** An authorization code and what its exchange needs beside it. */
export type AuthorizationCode = {
  readonly code: string
  readonly redirectUri: string
  readonly codeVerifier: string
  /** What the user has given for the definition's parameters. */
  readonly parameters?: Variables | undefined
  /** The query of the authorization response. A parameter that is given twice is a list. */
  readonly callback?: Readonly<Record<string, unknown>> | undefined
}

/** A token to revoke. RFC 7009 §2.1: the type helps the provider to find it. */
type RevocableToken = { readonly token: Secret; readonly type: 'refresh_token' | 'access_token' }

/** A token to revoke, and what the vendor's own form of the request may need beside it. */
export type RevocableGrant = RevocableToken & {
  /** Default: `oauth2`. */
  readonly method?: Connection['method']
  /** The other token, where `token` is the refresh token. */
  readonly accessToken?: Secret
  /** The key that `token` was exchanged for. */
  readonly key?: Secret
  /** As in `Connection`. */
  readonly parameters?: Variables
  readonly values?: Variables
}

/** What a request for another access token needs of a connection. */
export type RenewableCredential = Pick<Connection, 'credential' | 'refreshToken' | 'parameters' | 'values'>

/** What renews and revokes the credentials of connections, as the definition describes it. */
export type CredentialEndpoint = {
  /**
   * A new access token for the connection's: RFC 6749 §6, the vendor's own request, or another exchange of the key.
   * @throws {TokenEndpointError}
   * @throws {GatewayError} `reconnect_required` when the request needs a value that the connection was made without
   */
  refresh(connection: RenewableCredential): Promise<Grant>
  /** RFC 7009, or the vendor's own request. Resolves when the provider confirms; at once if it has no revocation. @throws {RevocationError} */
  revoke(grant: RevocableGrant): Promise<void>
}

/** A provider's token and revocation endpoints, as its definition describes them. `src/oauth2/token-endpoint.ts` implements it. */
export type TokenEndpoint = CredentialEndpoint & {
  /** RFC 6749 §4.1.3, with PKCE's verifier. @throws {TokenEndpointError} */
  exchange(code: AuthorizationCode): Promise<Grant>
}

/** Exchanges keys for access tokens (`ApiKeyMethod.tokenRequest`). `src/oauth2/key-exchange.ts` implements it. */
export type KeyExchange = CredentialEndpoint & {
  /**
   * @param parameters the fields beside the key, and the definition's parameters
   * @returns a grant whose refresh token is the key: with it the connection is renewed as any other
   * @throws {TokenEndpointError} with `isInvalidGrant` or `isRejection` when the provider does not accept what the user has given
   * @throws {LearntValueError} when a value that is read from the key is not in it
   */
  exchange(key: Secret, parameters?: Variables): Promise<Grant>
}
