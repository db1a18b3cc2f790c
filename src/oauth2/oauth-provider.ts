import { codeChallenge, type Flow } from '../core/flow.ts'
import type { SignInParams } from '../core/oauth/sign-in-params.ts'
import type { TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method, OAuthClient, Provider } from '../core/provider/definition.ts'
import { parameterInvalid } from '../core/provider/parse-parameters.ts'
import { resolveDefinition } from '../core/provider/resolve-definition.ts'
import { type Variables, variablesIn } from '../core/provider/template.ts'
import { createClientAuthentication } from './client-authentication.ts'
import { createInstances } from './instances.ts'
import { createSendRequest } from './send-request.ts'
import { orThrow } from './template-errors.ts'
import { createTokenEndpoint, type TokenTimeouts } from './token-endpoint.ts'

/** What a sign-in at one provider needs of it. */
export type OAuthProvider = {
  readonly redirectUri: string
  /**
   * The authorization request (RFC 6749 §4.1.1) with PKCE's challenge (RFC 7636 §4.3), at the address that the flow's parameters make.
   * @throws {GatewayError} `parameters_invalid` when the flow lacks a parameter that the request needs
   */
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

/** One provider's authorization server, as its definition describes it, for every user's parameters. */
export function createOAuthProvider({ definition, method, client, publicUrl, lookupFor, timeouts }: OAuthProviderOptions): OAuthProvider {
  const redirectUri = `${publicUrl}/auth/${definition.name}/callback`
  // The same object, so that what is resolved of it is kept once.
  const own: Provider = definition.methods.oauth2 === method ? definition : { ...definition, methods: { oauth2: method } }
  const resolve = (variables: Variables): OAuth2Method => resolveDefinition(own, variables).methods.oauth2 ?? method
  const authentication = createClientAuthentication(method, client)
  const instanceOf = createInstances(redirectUri, authentication)
  const sendRequest = createSendRequest(lookupFor)
  return {
    redirectUri,
    tokenEndpoint: createTokenEndpoint({
      definition: own,
      method,
      resolve,
      client,
      authentication,
      instanceOf,
      sendRequest,
      lookupFor,
      timeouts
    }),
    authorizeUrl: async (flow, { loginHint, prompt } = {}) => {
      const {
        pkce = 'S256',
        scopeParameter = 'scope',
        scopeSeparator = ' ',
        ...asked
      } = await orThrow(
        ({ variable }) => parameterInvalid(definition, variable, 'is not one that an address can have.'),
        async () => resolve(flow.parameters ?? {})
      )
      const { authorizeUrl, authorizeParams = {}, responseMode } = asked
      const [missing] = [authorizeUrl, ...Object.values(authorizeParams)].flatMap(variablesIn)
      if (missing !== undefined) throw parameterInvalid(definition, missing, 'is missing.')
      const { oauth2 } = await instanceOf({ ...asked, scopeSeparator })()
      const scopes = flow.scopes ?? client.scopes
      return oauth2.authorizeURL({
        ...authorizeParams,
        redirect_uri: redirectUri,
        // Without scopes the parameter is left out: an empty one is not allowed (RFC 6749 §3.3).
        ...(scopes.length > 0 && { [scopeParameter]: scopes.join(scopeSeparator) }),
        ...(loginHint !== undefined && { login_hint: loginHint }),
        ...(prompt !== undefined && { prompt: withPrompt(authorizeParams.prompt, prompt) }),
        ...(responseMode !== undefined && { response_mode: responseMode }),
        state: flow.state,
        ...(pkce && { code_challenge: pkce === 'plain' ? flow.codeVerifier : codeChallenge(flow), code_challenge_method: pkce })
      })
    }
  }
}

/** The definition's own prompt stays: some vendors give a refresh token only with it. */
const withPrompt = (own: string | undefined, asked: string): string =>
  [...new Set([...(own?.split(' ') ?? []), ...asked.split(' ')])].join(' ')
