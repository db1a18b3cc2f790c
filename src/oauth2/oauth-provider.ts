import { codeChallenge, type Flow } from '../core/flow.ts'
import type { SignInParams } from '../core/oauth/sign-in-params.ts'
import type { TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method, OAuthClient, Provider } from '../core/provider/definition.ts'
import { createOAuth2Client } from './client.ts'
import { createTokenEndpoint, type TokenTimeouts } from './token-endpoint.ts'

/** What a sign-in at one provider needs of it. */
export type OAuthProvider = {
  readonly redirectUri: string
  /** The authorization request (RFC 6749 §4.1.1) with PKCE's challenge (RFC 7636 §4.3). */
  authorizeUrl(flow: Flow, hints?: AuthorizeHints): Promise<string>
  readonly tokenEndpoint: TokenEndpoint
}

/** Passed on to the authorization server (OpenID Connect Core §3.1.2.1). */
type AuthorizeHints = Pick<{ [Name in keyof SignInParams]: SignInParams[Name] | undefined }, 'loginHint' | 'prompt'>

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
    authorizeUrl: async (flow, { loginHint, prompt } = {}) => {
      const { oauth2 } = await openClient()
      const scopes = flow.scopes ?? client.scopes
      return oauth2.authorizeURL({
        ...method.authorizeParams,
        redirect_uri: redirectUri,
        // Without scopes the parameter is left out: an empty one is not allowed (RFC 6749 §3.3).
        ...(scopes.length > 0 && { scope: [...scopes] }),
        ...(loginHint !== undefined && { login_hint: loginHint }),
        ...(prompt !== undefined && { prompt: withPrompt(method.authorizeParams?.prompt, prompt) }),
        state: flow.state,
        code_challenge: codeChallenge(flow),
        code_challenge_method: 'S256'
      })
    }
  }
}

/** The definition's own prompt stays: some vendors give a refresh token only with it. */
const withPrompt = (own: string | undefined, asked: string): string =>
  [...new Set([...(own?.split(' ') ?? []), ...asked.split(' ')])].join(' ')

function credentials(method: OAuth2Method, client: OAuthClient) {
  const [authorize, token] = [new URL(method.authorizeUrl), new URL(method.tokenUrl)]
  return {
    client: clientCredentials(client),
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
      // A public client names itself in the body (RFC 6749 §3.2.1).
      authorizationMethod: client.secret && method.clientAuthentication === 'basic' ? 'header' : 'body'
    }
  }
}

/**
 * simple-oauth2 always sends a secret, at least an empty one, which some servers refuse. The id under the id's own name is what is left to say
 * for a client that has none.
 */
const clientCredentials = ({ id, secret }: OAuthClient) =>
  secret ? { id, secret: secret.reveal() } : { id, secret: id, secretParamName: 'client_id' }
