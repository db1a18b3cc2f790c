import type { Grant } from '../core/connections/connection.ts'
import { variablesOf } from '../core/connections/connection-definition.ts'
import { reconnectRequired } from '../core/connections/errors.ts'
import type { RenewableCredential, TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import { parseTokenResponse, TokenEndpointError } from '../core/oauth/token-response.ts'
import { readNewValues, readValues } from '../core/oauth/token-values.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method, OAuthClient, Provider, TokenResponseShape } from '../core/provider/definition.ts'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import { isRenewedByItself } from '../core/provider/request-variables.ts'
import { expand, type TemplateError, type Variables } from '../core/provider/template.ts'
import { withTimeout } from '../core/util/timeout.ts'
import type { HttpOptions, OAuth2Client, Token } from './client.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import type { InstanceOf } from './instances.ts'
import { documentIn, documentInError } from './read-response.ts'
import { createRevoke } from './revoke.ts'
import { expandRequest, ownRequest, type SendRequest, timedOut } from './send-request.ts'
import { orThrow } from './template-errors.ts'

/** How long a token endpoint may take to the end of its response, in milliseconds. */
export type TokenTimeouts = {
  /** For a sign-in, whose user waits and can begin again. Also for a revocation. */
  readonly exchangeMs: number
  /** For a refresh: the response that is given up may hold a rotated refresh token. */
  readonly refreshMs: number
}

/** For the second request of a sign-in, if the first has taken nearly all of the time. */
const minUpgradeMs = 1_000

export type TokenEndpointOptions = {
  readonly definition: Provider
  /** As the definition has it, with its templates. */
  readonly method: OAuth2Method
  /** The method with what is known of a user's addresses. */
  readonly resolve: (variables: Variables) => OAuth2Method
  readonly client: OAuthClient
  readonly authentication: ClientAuthentication
  readonly instanceOf: InstanceOf
  readonly sendRequest: SendRequest
  readonly lookupFor: LookupFor
  readonly timeouts: TokenTimeouts
}

/** One request to the token endpoint, by a grant type of RFC 6749. */
type TokenRequest = {
  readonly method: OAuth2Method
  readonly url: string
  readonly timeoutMs: number
  readonly grantType: string
  readonly params: Readonly<Record<string, string>>
  /** Secrets in `params`. */
  readonly sent: readonly string[]
  /** Sends it through `@fastify/oauth2`. */
  readonly send: (instance: OAuth2Client, params: object, http: HttpOptions) => Promise<Token>
}

/**
 * Core's `TokenEndpoint` on a provider's `@fastify/oauth2` instances: lenient about the form of responses, and without errors that hold what was
 * sent. What that package has no form for is sent by `send-request.ts` (decision 61).
 */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const { definition, method, resolve, client, authentication, instanceOf, sendRequest, lookupFor, timeouts } = options
  const { refusals, account, values, upgradeRequest, refreshRequest, tokenResponse, refreshResponse = tokenResponse } = method
  const { secrets } = authentication
  const { tokenRequestFormat: format = 'form' } = method
  /** simple-oauth2 has no GET, and makes a `Date` of a response's `expires_at`, whatever that was. */
  const isOwn = format === 'query' || [tokenResponse, refreshResponse].some(shape => shape?.expiresAt !== undefined)
  /** Else the pointers of values lead to something else in it. */
  const isSameShape = refreshResponse === tokenResponse

  async function request({ method, url, timeoutMs, grantType, params, sent, send }: TokenRequest): Promise<unknown> {
    const context = { refusals, sent: [...secrets, ...sent] }
    if (isOwn) {
      const proof = await authentication.proof(method.tokenUrl)
      const own = ownRequest({
        url,
        method: format === 'query' ? 'GET' : 'POST',
        format,
        params: { grant_type: grantType, ...params, ...proof.params },
        headers: { ...method.tokenHeaders, ...proof.headers }
      })
      return documentIn(await sendRequest(own, timeoutMs), { refusals, sent: [...context.sent, ...proof.secrets] })
    }
    const extra = await authentication.extra(method.tokenUrl)
    const instance = await instanceOf(method)()
    // The client's own timeout counts the time for which this process stalled. It cleans up a request that ours has given up.
    const work = async () => send(instance, { ...params, ...extra.params }, { lookup: lookupFor(url), timeout: 2 * timeoutMs })
    return withTimeout(timeoutMs, work(), timedOut).then(
      ({ token }) => token,
      error => documentInError(error, { refusals, sent: [...context.sent, ...extra.secrets] })
    )
  }

  /** Sends the vendor's own form of a request, with the tokens of this credential. @throws {TemplateError} */
  async function sendTemplate(
    template: RequestTemplate,
    credential: Pick<RenewableCredential, 'credential' | 'refreshToken'>,
    variables: Variables,
    timeoutMs: number
  ): Promise<unknown> {
    const { tokenUrl, tokenHeaders } = resolve(variables)
    const secret = await authentication.secret(tokenUrl)
    const tokens = tokensOf(credential)
    const own = expandRequest(template, { ...variables, ...tokens, client_id: client.id, client_secret: secret }, tokenHeaders)
    const sent = [...secrets, ...Object.values(tokens), ...(secret === '' ? [] : [secret])]
    return documentIn(await sendRequest(own, timeoutMs), { refusals, sent })
  }

  const parse = (document: unknown, shape: TokenResponseShape | undefined, sent: readonly string[], issuer?: string): Grant => {
    const audience = { clientId: client.id, issuer }
    const { scopeSeparator } = method
    return parseTokenResponse(document, { shape, scopeSeparator, refusals, sent: [...secrets, ...sent], account, audience })
  }

  /** Some vendors renew an access token with itself. It is kept as its own refresh token. */
  const renewable = (grant: Grant): Grant =>
    refreshRequest && isRenewedByItself(refreshRequest) ? { ...grant, refreshToken: grant.accessToken } : grant

  /** The token that the connection keeps, in place of the one that the code was exchanged for. */
  async function upgrade(first: Grant, variables: Variables, timeoutMs: number): Promise<Grant> {
    if (!upgradeRequest) return first
    const { accessToken, refreshToken, expiresInMs: _, expiresAtMs: _1, ...learnt } = first
    const credential = { credential: accessToken, ...(refreshToken && { refreshToken }) }
    const document = await sendTemplate(upgradeRequest, credential, variables, timeoutMs)
    return { ...learnt, ...parse(document, tokenResponse, Object.values(tokensOf(credential))) }
  }

  async function refresh(connection: RenewableCredential): Promise<Grant> {
    const refreshToken = connection.refreshToken?.reveal() ?? ''
    const document = await orThrow(
      () => reconnectRequired(definition.name),
      () => requestRefresh(connection, refreshToken)
    )
    const grant = renewable(parse(document, refreshResponse, [refreshToken]))
    return values && isSameShape ? { ...grant, ...readNewValues(definition, values, document) } : grant
  }

  async function requestRefresh(connection: RenewableCredential, refreshToken: string): Promise<unknown> {
    const variables = variablesOf(connection)
    if (refreshRequest) return sendTemplate(refreshRequest, connection, variables, timeouts.refreshMs)
    const known = resolve(variables)
    const { refreshUrl = known.tokenUrl, refreshParams } = known
    return request({
      method: known,
      url: expand.url(refreshUrl, {}),
      timeoutMs: timeouts.refreshMs,
      grantType: 'refresh_token',
      // simple-oauth2 adds the token itself.
      params: { ...refreshParams, ...(isOwn && { refresh_token: refreshToken }) },
      sent: [refreshToken],
      send: ({ oauth2 }, params, http) => oauth2.createToken({ refresh_token: refreshToken }).refresh(params, http)
    })
  }

  return {
    async exchange({ code, redirectUri, codeVerifier, parameters, callback = {} }) {
      const before = { ...parameters, ...readValues(definition, values, 'callback', callback) }
      const known = await orThrow(signInLacks, async () => resolve(before))
      const startedAtMs = performance.now()
      const document = await orThrow(signInLacks, async () =>
        request({
          method: known,
          url: expand.url(known.tokenUrl, {}),
          timeoutMs: timeouts.exchangeMs,
          grantType: 'authorization_code',
          params: {
            ...known.tokenParams,
            code,
            redirect_uri: redirectUri,
            ...(known.pkce !== false && { code_verifier: codeVerifier })
          },
          sent: [code, codeVerifier],
          send: ({ oauth2 }, params, http) => oauth2.getToken(params, http)
        })
      )
      const grant = parse(document, tokenResponse, [code, codeVerifier], known.issuer)
      try {
        const learnt = { ...before, ...readValues(definition, values, 'token', document) }
        // A callback that is repeated waits for so long and no longer.
        const leftMs = Math.max(minUpgradeMs, timeouts.exchangeMs - (performance.now() - startedAtMs))
        const upgraded = renewable(await orThrow(signInLacks, () => upgrade(grant, learnt, leftMs)))
        return values ? { ...upgraded, values: onlyOf(values, learnt) } : upgraded
      } catch (error) {
        // It is of no use, and nobody else knows of it.
        throw error instanceof TokenEndpointError ? error.withGrant(renewable(grant)) : error
      }
    },

    refresh,

    revoke: createRevoke(options, refresh)
  }
}

const tokensOf = ({ credential, refreshToken }: Pick<RenewableCredential, 'credential' | 'refreshToken'>): Variables => ({
  access_token: credential.reveal(),
  ...(refreshToken && { refresh_token: refreshToken.reveal() })
})

const onlyOf = (names: object, variables: Variables): Variables =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => Object.hasOwn(names, name)))

/** A request needs a value that this sign-in began without. */
const signInLacks = ({ message }: TemplateError) =>
  new TokenEndpointError('invalid_value', `a request to the token endpoint lacks a value: ${message}`)
