import { createHash } from 'node:crypto'
import type { OAuth2Method } from '../core/provider/definition.ts'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import type { Variables } from '../core/provider/template.ts'
import type { Authorization, Code } from './authorization.ts'
import { clientProblem } from './client-authentication.ts'
import type { Asked, EndpointResponse, ReadRequest } from './endpoint.ts'
import { type Authority, defaultAccount } from './facts.ts'
import { type Address, addressOf, type Found, readAddress, readParams, readTemplateRequest, readTemplates } from './played-request.ts'
import type { PlayedVendor } from './played-vendor.ts'
import { tokenError } from './token-errors.ts'
import { createTokens } from './tokens.ts'

/** Everything at which a vendor gives tokens: those with requests of the vendor's own form first. */
export function createTokenEndpoints(vendor: PlayedVendor, findCode: Authorization['findCode']): ReadRequest[] {
  const { definition, prefix, facts, state, store } = vendor
  const { oauth2: method, apiKey } = definition.methods
  const { switches, counts } = state
  const tokens = createTokens(vendor)
  const hasRefreshTokens = method?.tokens?.refreshToken !== 'none'
  const refreshShape = method?.refreshResponse ?? method?.tokenResponse

  const refuse = (code: 'invalid_grant' | 'invalid_client' | 'invalid_request', description: string) =>
    tokenError(method, code, description)

  /** A code for tokens (RFC 6749 §4.1.3). */
  function exchange(params: URLSearchParams, { pkce = 'S256', ...own }: OAuth2Method, variables: Variables): EndpointResponse {
    const code = findCode(params.get('code') ?? '')
    if (!code || code.expiresAtMs <= Date.now()) return refuse('invalid_grant', 'the code is unknown, or has expired')
    if (code.grantId !== undefined) {
      store.end(...store.grants().filter(({ id }) => id === code.grantId))
      return refuse('invalid_grant', 'the code was used before')
    }
    if (params.get('redirect_uri') !== code.redirectUri)
      return refuse('invalid_grant', 'redirect_uri is not that of the authorization request')
    const verifierProblem = verify(code, pkce, params.get('code_verifier'))
    if (verifierProblem !== undefined) return refuse(pkce ? 'invalid_grant' : 'invalid_client', verifierProblem)
    const wrong = facts.problemIn(variables, { ...code, method: 'oauth2' })
    if (wrong !== undefined) return refuse('invalid_request', wrong)
    const { account, scopes, parameters } = code
    const grant = store.addGrant({ method: 'oauth2', account, scopes, parameters })
    code.grantId = grant.id
    const isInterim = own.upgradeRequest !== undefined
    return tokens.issue(grant, { shape: own.tokenResponse, hasRefreshToken: hasRefreshTokens && !isInterim, isInterim })
  }

  /** RFC 6749 §6. */
  function refresh(refreshToken: string, variables: Variables): EndpointResponse {
    const isRotated = switches.rotateRefreshTokens
    const redeemed = store.redeem(refreshToken, { isRotated, lifetimeSeconds: tokens.refreshSeconds })
    if (typeof redeemed === 'string') {
      counts.refusedRefreshes++
      if (redeemed === 'reused') counts.reuses++
      return refuse(
        'invalid_grant',
        redeemed === 'reused' ? 'the refresh token was used before' : 'the refresh token is unknown, or has expired'
      )
    }
    const wrong = facts.problemIn(variables, redeemed.grant)
    if (wrong !== undefined) return refuse('invalid_request', wrong)
    return tokens.issue(redeemed.grant, { shape: refreshShape, hasRefreshToken: isRotated })
  }

  /** Another access token for one that is still good. */
  function renew(accessToken: string, variables: Variables, shape: OAuth2Method['tokenResponse'], mayBeInterim: boolean): EndpointResponse {
    const found = store.findAccessToken(accessToken)
    const wrong = found && facts.problemIn(variables, found.grant)
    if (wrong !== undefined) return refuse('invalid_request', wrong)
    if (found && (found.token.isInterim === true) === mayBeInterim)
      return tokens.issue(found.grant, { shape, hasRefreshToken: mayBeInterim && hasRefreshTokens })
    if (!mayBeInterim) counts.refusedRefreshes++
    return refuse('invalid_grant', 'the access token is unknown, has expired, or is of another kind')
  }

  function exchangeKey(variables: Variables): EndpointResponse {
    const authority: Authority = { method: 'apiKey', account: defaultAccount, parameters: parametersIn(variables) }
    const wrong = variables.key === facts.key ? facts.problemIn(variables, authority) : 'the key is not valid'
    if (wrong !== undefined) return tokenError(undefined, 'invalid_client', wrong)
    return tokens.issue(store.addGrant({ ...authority, scopes: [] }), { shape: apiKey?.tokenResponse })
  }

  const parametersIn = (variables: Variables): Variables =>
    Object.fromEntries(Object.entries(variables).filter(([name]) => Object.hasOwn(definition.parameters ?? {}, name)))

  const ofTemplate =
    (kind: string, template: RequestTemplate, respond: (variables: Variables) => EndpointResponse): ReadRequest =>
    request => {
      const found = readTemplateRequest(template, request, prefix)
      if (!found) return undefined
      return 'problem' in found ? { kind, ...found } : ready(kind, found, respond)
    }

  const ready = (kind: string, { variables }: Found, respond: (variables: Variables) => EndpointResponse): Asked => ({
    kind,
    respond() {
      const { client_id: id, client_secret: secret } = variables
      const sent = { ...(id !== undefined && { client_id: id }), ...(secret !== undefined && { client_secret: secret }) }
      const wrong = facts.problemIn(sent, undefined)
      return wrong === undefined ? respond(variables) : refuse('invalid_client', wrong)
    }
  })

  type GrantType = 'authorization_code' | 'refresh_token'

  /** A request by RFC 6749, of one grant type. */
  const ofStandard =
    (own: OAuth2Method, grantType: GrantType, url: string, declared: Readonly<Record<string, string>> | undefined): ReadRequest =>
    request => {
      const { tokenRequestFormat: format = 'form' } = own
      if (request.method !== (format === 'query' ? 'GET' : 'POST')) return undefined
      const address: Address = addressOf(url, prefix)
      const found = readAddress(request, address)
      if (!found) return undefined
      const params = readParams(request, format, address)
      if ('problem' in params) return { kind: '', ...params }
      const kind = params.get('grant_type') ?? ''
      if ('problem' in found) return { kind, ...found }
      if (kind !== grantType) return { kind, problem: `grant_type ${kind} is not known at this address` }
      const respond = (variables: Variables): EndpointResponse => {
        const client = clientProblem(own, vendor.client, facts, { params, headers: request.headers })
        if (client !== undefined) return refuse('invalid_client', client)
        const extra = readTemplates([...Object.entries(declared ?? {})], name => params.get(name), 'parameter')
        const headers = readTemplates(Object.entries(own.tokenHeaders ?? {}), name => request.headers[name]?.toString(), 'header')
        for (const part of [extra, headers]) if ('problem' in part) return refuse('invalid_request', part.problem)
        const all = { ...variables, ...('variables' in extra && extra.variables), ...('variables' in headers && headers.variables) }
        return grantType === 'refresh_token' ? refresh(params.get('refresh_token') ?? '', all) : exchange(params, own, all)
      }
      return { kind, respond: () => respond(found.variables) }
    }

  const endpoints: ReadRequest[] = []
  if (apiKey?.tokenRequest) endpoints.push(ofTemplate('key', apiKey.tokenRequest, exchangeKey))
  if (!method) return endpoints
  const { upgradeRequest, refreshRequest, tokenUrl, refreshUrl = tokenUrl, tokenParams, refreshParams } = method
  if (upgradeRequest)
    endpoints.push(ofTemplate('upgrade', upgradeRequest, all => renew(all.access_token ?? '', all, method.tokenResponse, true)))
  if (refreshRequest) {
    const usesRefreshToken = JSON.stringify(refreshRequest).includes('{refresh_token}')
    endpoints.push(
      ofTemplate('refresh_token', refreshRequest, all =>
        usesRefreshToken ? refresh(all.refresh_token ?? '', all) : renew(all.access_token ?? '', all, refreshShape, false)
      )
    )
  } else if (hasRefreshTokens) endpoints.push(ofStandard(method, 'refresh_token', refreshUrl, refreshParams))
  endpoints.push(ofStandard(method, 'authorization_code', tokenUrl, tokenParams))
  return endpoints
}

function verify({ challenge }: Code, pkce: 'S256' | 'plain' | false, verifier: string | null): string | undefined {
  if (!pkce) return verifier === null ? undefined : 'this vendor accepts no code_verifier'
  const made =
    pkce === 'plain'
      ? verifier
      : createHash('sha256')
          .update(verifier ?? '')
          .digest('base64url')
  return verifier !== null && made === challenge ? undefined : 'code_verifier is not that of the code_challenge'
}
