import type { FastifyInstance } from 'fastify'
import { codeChallenge, type Flow } from '../../../src/core/flow.ts'
import type { Clock, LookupFor } from '../../../src/core/ports.ts'
import type { OAuth2Method, OAuthClient, Provider } from '../../../src/core/provider/provider.ts'
import { createOAuth2Client } from '../../../src/oauth2/client.ts'
import { createTokenEndpoint, type TokenTimeouts } from '../../../src/oauth2/token-endpoint.ts'
import { callback } from './callback.ts'
import { start } from './start.ts'

export type ProviderContextOptions = {
  definition: Provider
  method: OAuth2Method
  client: OAuthClient
  publicUrl: string
  allowedOrigins: ReadonlySet<string>
  lookupFor: LookupFor
  tokenTimeouts: TokenTimeouts
  clock: Clock
}

/** Of a token response: far above what any vendor sends. */
const maxResponseBytes = 128 * 1024

/** One provider's sign-in: its own scope, its own `@fastify/oauth2` instance, its own callback address. */
export async function providerContext(app: FastifyInstance, options: ProviderContextOptions): Promise<void> {
  const { definition, method, client, publicUrl, lookupFor, tokenTimeouts } = options
  const redirectUri = `${publicUrl}/auth/${definition.name}/callback`
  // State, PKCE and cookies are ours (see docs/decisions): without startRedirectPath and pkce the instance is a client alone.
  const openClient = createOAuth2Client({
    callbackUri: redirectUri,
    userAgent: 'grantkeeper',
    credentials: credentials(method, client)
  })
  const authorizeUrl = async (flow: Flow) => {
    const { oauth2 } = await openClient()
    return oauth2.authorizeURL({
      ...method.authorizeParams,
      redirect_uri: redirectUri,
      // An absent scope must be absent, not empty (RFC 6749 §3.3).
      ...(client.scopes.length > 0 && { scope: [...client.scopes] }),
      state: flow.state,
      code_challenge: codeChallenge(flow),
      code_challenge_method: 'S256'
    })
  }
  app.tokenEndpoints.set(definition.name, createTokenEndpoint({ openClient, method, client, lookupFor, times: tokenTimeouts }))
  app.authorizeUrls.set(definition.name, authorizeUrl)
  app.register(start, { ...options, authorizeUrl })
  app.register(callback, { ...options, redirectUri })
}

function credentials(method: OAuth2Method, client: OAuthClient) {
  const [authorize, token] = [new URL(method.authorizeUrl), new URL(method.tokenUrl)]
  return {
    client: { id: client.id, secret: client.secret.reveal() },
    auth: {
      authorizeHost: authorize.origin,
      authorizePath: authorize.pathname + authorize.search,
      tokenHost: token.origin,
      // Absolute, since each may stand on a host of its own.
      tokenPath: token.href,
      refreshPath: new URL(method.refreshUrl ?? token).href,
      ...(method.revokeUrl !== undefined && { revokePath: new URL(method.revokeUrl).href })
    },
    // Whatever it is labelled as; and what is no JSON comes back as it is, in the error that says so.
    http: { json: 'force', maxBytes: maxResponseBytes },
    options: {
      scopeSeparator: method.scopeSeparator ?? ' ',
      bodyFormat: method.tokenRequestFormat ?? 'form',
      authorizationMethod: method.clientAuthentication === 'basic' ? 'header' : 'body'
    }
  }
}
