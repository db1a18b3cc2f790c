import type { ServerMetadata } from 'openid-client'
import type { Events } from '../core/events.ts'
import { codeChallenge } from '../core/flow.ts'
import type { Clock, LookupFor } from '../core/ports.ts'
import type { Secret } from '../core/secret.ts'
import type { LoginConfig } from '../core/users/login-config.ts'
import { isLoginFlowExpired, type LoginFlow } from '../core/users/login-flow.ts'
import { createCodeExchange, type VerifyLoginJwt } from './code-exchange.ts'
import { createIssuer, type Issuer } from './issuer.ts'
import { loginInvalid } from './issuer-errors.ts'
import { idTokenAlgorithms } from './issuer-metadata.ts'
import { InvalidJwtError } from './jwt-rules.ts'
import type { LoginResult } from './login-result.ts'
import { type LogoutToken, LogoutTokenError, logoutTokens, readLogoutToken } from './logout-token.ts'

type AuthorizationOptions = {
  /** OpenID Connect Core §3.1.2.1: `login` asks for the credentials again, `none` shows no page. */
  readonly prompt?: 'none' | 'login' | 'consent' | 'select_account'
  readonly loginHint?: string
}

/** This gateway as a client of the operator's OpenID provider. Every method rejects with `issuer_unavailable` while that is down. */
export type LoginClient = {
  /** The authentication request (OpenID Connect Core §3.1.2.1) with PKCE's challenge (RFC 7636 §4.3). */
  authorizationUrl(flow: LoginFlow, options?: AuthorizationOptions): Promise<string>
  /**
   * Exchanges the code of a callback and validates the id token (OpenID Connect Core §3.1.3.7). The caller makes sure that the flow is
   * this browser's and is completed once.
   * @param params the query of the callback
   * @throws {GatewayError} `state_invalid` when the callback or the id token is not valid, `client_rejected` when the provider refuses the
   * operator's client, `issuer_unavailable`
   */
  complete(params: URLSearchParams, flow: LoginFlow): Promise<LoginResult>
  /**
   * Where the browser ends its session at the provider (OpenID Connect RP-Initiated Logout §2).
   * @returns `undefined` when the provider has no such page, or is down: a sign-out here must not fail for it
   */
  endSessionUrl(options: EndSessionOptions): Promise<string | undefined>
  /**
   * Verifies a logout token (OpenID Connect Back-Channel Logout §2.6). The caller makes sure that its `jti` is used once.
   * @throws {LogoutTokenError} for a token that is not valid
   * @throws {GatewayError} `issuer_unavailable` when that cannot be found out
   */
  verifyLogoutToken(jwt: string): Promise<LogoutToken>
  /** Fetches the issuer's metadata and keys, so that the first sign-in need not wait. Never rejects. */
  preload(): Promise<void>
  /** Ends fetches of metadata and keys in flight, unless the issuer is shared. */
  close(): void
}

type EndSessionOptions = {
  /** Of the session that ends, so that the provider need not ask which. */
  readonly idToken?: Secret
  /** Must be registered at the provider. */
  readonly postLogoutRedirectUri: string
  /** Comes back with the redirect. */
  readonly state?: string
}

export type LoginClientOptions = {
  readonly config: LoginConfig
  /** Absolute, without a query: the address of the callback. */
  readonly redirectUri: string
  readonly clock: Clock
  /** The one that bearer tokens are verified with, to share its metadata and keys. By default one is made of the options below. */
  readonly issuer?: Issuer | undefined
  readonly events: Events
  /** Trusts the issuer's origin. */
  readonly lookupFor: LookupFor
  /** For each request to the issuer; by default 5 s. */
  readonly fetchTimeoutMs?: number | undefined
  /** For the request of a name that the id token does not hold; by default 2 s. */
  readonly userInfoTimeoutMs?: number | undefined
}

const defaultUserInfoTimeoutMs = 2_000
const settings = { issuer: 'LOGIN_ISSUER', audience: 'LOGIN_CLIENT_ID' }

/** Requests nothing before its first use: a provider that is down does not fail the start. */
export function createLoginClient(options: LoginClientOptions): LoginClient {
  const { config, clock, events, lookupFor, fetchTimeoutMs, userInfoTimeoutMs = defaultUserInfoTimeoutMs } = options
  const { clientId } = config
  // Normalized as in the token request, which must repeat it (RFC 6749 §4.1.3).
  const redirectUri = new URL(options.redirectUri).href
  const issuer = options.issuer ?? createIssuer({ issuer: config.issuer, isForLogin: true, clock, events, lookupFor, fetchTimeoutMs })

  const verify: VerifyLoginJwt = async (jwt, kindRules) => {
    const algorithms = idTokenAlgorithms(await issuer.metadata())
    const rules = { ...kindRules, algorithms, issuer: config.issuer, audiences: [clientId], settings }
    const { verifyJwt } = await import('./verify-jwt.ts')
    return verifyJwt(jwt, { rules, keys: issuer.keys, clock })
  }

  const exchange = createCodeExchange({ config, redirectUri, clock, issuer, verify, userInfoTimeoutMs })

  return {
    async authorizationUrl(flow, { prompt, loginHint } = {}) {
      const { authorization_endpoint: endpoint } = await issuer.metadata()
      return withParams(endpoint, {
        client_id: clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: config.scopes.join(' '),
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: codeChallenge(flow),
        code_challenge_method: 'S256',
        acr_values: config.acrValues?.join(' '),
        max_age: config.maxAgeSeconds?.toString(),
        prompt,
        login_hint: loginHint
      })
    },

    async complete(params, flow) {
      if (isLoginFlowExpired(flow, clock.now())) throw loginInvalid('it took longer than ten minutes')
      return exchange(params, flow)
    },

    async endSessionUrl({ idToken, postLogoutRedirectUri, state }) {
      const { end_session_endpoint: endpoint } = await issuer.metadata().catch((): Partial<ServerMetadata> => ({}))
      if (endpoint === undefined) return undefined
      return withParams(endpoint, {
        client_id: clientId,
        id_token_hint: idToken?.reveal(),
        post_logout_redirect_uri: postLogoutRedirectUri,
        state
      })
    },

    async verifyLogoutToken(jwt) {
      try {
        return readLogoutToken(await verify(jwt, logoutTokens))
      } catch (error) {
        if (error instanceof InvalidJwtError) throw new LogoutTokenError(`The logout token ${error.message}.`)
        throw error
      }
    },

    preload: issuer.preload,
    close: options.issuer ? () => {} : issuer.close
  }
}

/** Keeps the query that the endpoint has (RFC 6749 §3.1). The endpoint was checked with the metadata. */
function withParams(endpoint: string | undefined, params: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(String(endpoint))
  for (const [name, value] of Object.entries(params)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}
