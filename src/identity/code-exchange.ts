import type { JWTPayload } from 'jose'
import type { ClientAuth, Configuration, CustomFetch, IDToken, ServerMetadata } from 'openid-client'
import type { Clock } from '../core/ports.ts'
import { Secret } from '../core/secret.ts'
import type { LoginConfig } from '../core/users/login-config.ts'
import type { LoginFlow } from '../core/users/login-flow.ts'
import { whyNoUserId } from '../core/users/user.ts'
import { toAccountName } from '../core/util/display-text.ts'
import { withTimeout } from '../core/util/timeout.ts'
import { isClientRefused, readRefusal, toGatewayError } from './exchange-errors.ts'
import type { Issuer } from './issuer.ts'
import { IssuerError, issuerUnavailable, loginInvalid } from './issuer-errors.ts'
import type { IssuerResponse } from './issuer-fetch.ts'
import { InvalidJwtError, type KindRules, leewaySeconds } from './jwt-rules.ts'
import type { LoginResult, SignedInUser } from './login-result.ts'
import { isClaimText } from './logout-token.ts'

/**
 * Verifies a JWT that the issuer made for this client.
 * @throws {InvalidJwtError} what is wrong with it
 * @throws {GatewayError} `issuer_unavailable`
 */
export type VerifyLoginJwt = (jwt: string, rules: KindRules) => Promise<JWTPayload>

type CodeExchangeOptions = {
  readonly config: LoginConfig
  readonly redirectUri: string
  readonly clock: Clock
  readonly issuer: Issuer
  readonly verify: VerifyLoginJwt
  readonly userInfoTimeoutMs: number
}

type CodeExchange = (params: URLSearchParams, flow: LoginFlow) => Promise<LoginResult>

const idTokens: KindRules = {
  kind: 'an id token',
  requiredClaims: ['exp', 'sub', 'nonce'],
  // It is issued for the token request. Some issuers date it back by five minutes.
  maxAgeSeconds: 15 * 60,
  isTypeAllowed: type => !type?.endsWith('+jwt')
}

type Claims = Readonly<Record<string, unknown>>

type ClientMethod = 'client_secret_basic' | 'client_secret_post' | 'none'

/** From the callback's code to a user: `openid-client` makes the token request and checks the claims, our key set the signature. */
export function createCodeExchange(options: CodeExchangeOptions): CodeExchange {
  const { config, redirectUri, clock, issuer, verify, userInfoTimeoutMs } = options
  /** The way of client authentication that the provider has accepted. */
  let accepted: ClientMethod | undefined

  const fetchResponse: CustomFetch = async (url, { method, headers, body }) => {
    const text = body === undefined || body === null ? undefined : String(body)
    const response = await issuer.fetch(url, { what: 'the token response of the issuer', method, headers, body: text })
    return new Response(response.body, { status: response.status, headers: headersOf(response) })
  }

  async function configure(metadata: ServerMetadata, method: ClientMethod): Promise<Configuration> {
    const openid = await import('openid-client')
    const secret = config.clientSecret?.reveal() ?? ''
    const auth: ClientAuth =
      method === 'none'
        ? openid.None()
        : method === 'client_secret_post'
          ? openid.ClientSecretPost(secret)
          : openid.ClientSecretBasic(secret)
    // The library reads the system's clock; the skew is what ours differs from it.
    const clientMetadata = {
      [openid.clockSkew]: Math.round((clock.now() - Date.now()) / 1000),
      [openid.clockTolerance]: leewaySeconds
    }
    const configuration = new openid.Configuration(metadata, config.clientId, clientMetadata, auth)
    configuration[openid.customFetch] = fetchResponse
    if (config.issuer.startsWith('http:')) openid.allowInsecureRequests(configuration)
    return configuration
  }

  /**
   * A provider announces the ways that it knows, not the one for which this client is registered. A refused client has not used up its
   * code, so the second way is tried where the first is refused. The body comes first: some providers do not decode what Basic encodes
   * (RFC 6749 §2.3.1).
   */
  function methodsFor({ token_endpoint_auth_methods_supported: announced }: ServerMetadata): readonly ClientMethod[] {
    if (!config.clientSecret) return ['none']
    // OpenID Connect Discovery §3: Basic is what a provider knows that announces nothing.
    const usable = announced
      ? (['client_secret_post', 'client_secret_basic'] as const).filter(method => announced.includes(method))
      : (['client_secret_basic', 'client_secret_post'] as const)
    return usable.length > 0 ? usable.toSorted((a, b) => Number(b === accepted) - Number(a === accepted)) : ['client_secret_basic']
  }

  async function requestTokens(metadata: ServerMetadata, params: URLSearchParams, flow: LoginFlow) {
    const { authorizationCodeGrant } = await import('openid-client')
    const callback = new URL(redirectUri)
    callback.search = params.toString()
    const checks = {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.codeVerifier,
      idTokenExpected: true,
      ...(config.maxAgeSeconds !== undefined && { maxAge: config.maxAgeSeconds })
    }
    const methods = methodsFor(metadata)
    for (const [i, method] of methods.entries()) {
      const configuration = await configure(metadata, method)
      try {
        const tokens = await authorizationCodeGrant(configuration, callback, checks)
        accepted = method
        return { configuration, tokens }
      } catch (error) {
        if (i === methods.length - 1 || !isClientRefused(error)) throw error
      }
    }
    throw issuerUnavailable(new IssuerError('there is no way to authenticate there'))
  }

  async function exchange(params: URLSearchParams, flow: LoginFlow): Promise<SignedInUser> {
    const metadata = await issuer.metadata()
    const { configuration, tokens } = await requestTokens(metadata, params, flow)
    const idToken = tokens.id_token ?? ''
    await verify(idToken, idTokens)
    const claims = tokens.claims()
    if (!claims) throw new InvalidJwtError('is missing')
    checkClaims(claims)
    const profile: Claims = { ...claims, ...(await fetchMissingName(metadata, configuration, tokens.access_token, claims)) }
    const name = toAccountName(profile.name) ?? toAccountName(profile.preferred_username)
    const email = toAccountName(profile.email)
    return {
      subject: claims.sub,
      ...(name !== undefined && { name }),
      ...(email !== undefined && { email }),
      ...(isClaimText(claims.sid) && { sid: claims.sid }),
      idToken: new Secret(idToken),
      ...(claims.auth_time !== undefined && { authTimeMs: claims.auth_time * 1000 })
    }
  }

  /** What neither library checks. */
  function checkClaims({ sub, azp, acr }: IDToken): void {
    // OpenID Connect Core §3.1.3.7, 5: also where there is one audience only.
    if (azp !== undefined && azp !== config.clientId) throw new InvalidJwtError('has an invalid "azp"')
    const whyNot = whyNoUserId(sub)
    if (whyNot !== undefined) throw new InvalidJwtError(`names no user: its "sub" ${whyNot}`)
    // `acr_values` is a wish (§3.1.2.1): without this check an issuer that cannot fulfil it would weaken the sign-in in silence.
    if (config.acrValues && !config.acrValues.includes(String(acr)))
      throw new InvalidJwtError('tells of a sign-in that was not as strong as LOGIN_ACR_VALUES requires ("acr")')
  }

  /** Best effort: a user without a name is signed in all the same. */
  async function fetchMissingName(
    metadata: ServerMetadata,
    configuration: Configuration,
    accessToken: string,
    claims: IDToken
  ): Promise<Claims> {
    if (claims.name !== undefined || metadata.userinfo_endpoint === undefined) return {}
    const { fetchUserInfo } = await import('openid-client')
    try {
      // Its `sub` is compared: the response could be about another user (OpenID Connect Core §5.3.2).
      return await withTimeout(userInfoTimeoutMs, fetchUserInfo(configuration, accessToken, claims.sub))
    } catch {
      return {}
    }
  }

  return async (params, flow) => {
    try {
      return { kind: 'signed_in', user: await exchange(params, flow) }
    } catch (error) {
      if (error instanceof InvalidJwtError) throw loginInvalid(`the id token of the identity provider ${error.message}`)
      const refusal = readRefusal(error)
      if (refusal !== undefined) return { kind: 'refused', error: refusal }
      throw toGatewayError(error, clock.now())
    }
  }
}

function headersOf({ headers }: IssuerResponse): Headers {
  const fields = new Headers()
  for (const [name, values] of Object.entries(headers)) for (const value of [values ?? []].flat()) fields.append(name, value)
  return fields
}
