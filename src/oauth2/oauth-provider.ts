import { codeChallenge, type Flow } from '../core/flow.ts'
import type { TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method, OAuthClient, Provider } from '../core/provider/definition.ts'
import { createOAuth2Client } from './client.ts'
import { createTokenEndpoint, type TokenTimeouts } from './token-endpoint.ts'

/** What a sign-in at one provider needs of it. */
export type OAuthProvider = {
  readonly redirectUri: string
  /** The authorization request (RFC 6749 §4.1.1) with PKCE's challenge (RFC 7636 §4.3). */
  authorizeUrl(flow: Flow): Promise<string>
  readonly tokenEndpoint: TokenEndpoint
}

export type OAuthProviderOptions = {
  readonly definition: Provider
  readonly method: OAuth2Method
  readonly client: OAuthClient
  readonly publicUrl: string
  readonly lookupFor: LookupFor
  readonly timeouts: TokenTimeouts
}

/** Of a token response: far above what any vendor sends. */
const maxResponseBytes = 128 * 1024

/**
 * One provider's `@fastify/oauth2` instance. State, PKCE and cookies are ours (decision 4): without `startRedirectPath` and `pkce`
 * the instance is an OAuth client alone.
 */
export function createOAuthProvider({ definition, method, client, publicUrl, lookupFor, timeouts }: OAuthProviderOptions): OAuthProvider {
  const redirectUri = `${publicUrl}/auth/${definition.name}/callback`
  const openClient = createOAuth2Client({
    callbackUri: redirectUri,
    userAgent: 'grantkeeper',
    credentials: credentials(method, client)
  })
  return {
    redirectUri,
    tokenEndpoint: createTokenEndpoint({ openClient, method, client, lookupFor, timeouts }),
    authorizeUrl: async flow => {
      const { oauth2 } = await openClient()
      return oauth2.authorizeURL({
        ...method.authorizeParams,
        redirect_uri: redirectUri,
        // Without scopes the parameter is left out: an empty one is not allowed (RFC 6749 §3.3).
        ...(client.scopes.length > 0 && { scope: [...client.scopes] }),
        state: flow.state,
        code_challenge: codeChallenge(flow),
        code_challenge_method: 'S256'
      })
    }
  }
}

function credentials(method: OAuth2Method, client: OAuthClient) {
  const [authorize, token] = [new URL(method.authorizeUrl), new URL(method.tokenUrl)]
  return {
    client: { id: client.id, secret: client.secret.reveal() },
    auth: {
      authorizeHost: authorize.origin,
      authorizePath: authorize.pathname + authorize.search,
      tokenHost: token.origin,
      // Absolute: each endpoint may be on a host of its own.
      tokenPath: token.href,
      refreshPath: new URL(method.refreshUrl ?? token).href,
      ...(method.revokeUrl !== undefined && { revokePath: new URL(method.revokeUrl).href })
    },
    // Parses as JSON whatever the Content-Type. A body that is not JSON comes back unchanged in the error.
    http: { json: 'force', maxBytes: maxResponseBytes },
    options: {
      scopeSeparator: method.scopeSeparator ?? ' ',
      bodyFormat: method.tokenRequestFormat ?? 'form',
      authorizationMethod: method.clientAuthentication === 'basic' ? 'header' : 'body'
    }
  }
}
