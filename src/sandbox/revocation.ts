import { clientProblem } from './client-authentication.ts'
import type { Asked, EndpointResponse, ReadRequest } from './endpoint.ts'
import { addressOf, type PlayedRequest, readAddress, readParams, readTemplateRequest } from './played-request.ts'
import type { PlayedVendor } from './played-vendor.ts'
import { tokenError } from './token-errors.ts'

/** A vendor's revocation: by RFC 7009, or as the definition has it. */
export function createRevocation({ definition, prefix, client, facts, store }: PlayedVendor): ReadRequest | undefined {
  const { oauth2: method } = definition.methods
  if (!method) return undefined
  const { revokeUrl, revokeRequest, revocation = 'grant' } = method

  /** Ends what the definition says that a revocation ends. Any token counts as revoked, also one that is not known (RFC 7009 §2.2). */
  function end(...revoked: ReadonlyArray<string | undefined>): EndpointResponse {
    const grants = revoked.flatMap(token => (token === undefined ? [] : (store.grantOf(token) ?? [])))
    const accounts = new Set(grants.map(({ account }) => account))
    store.end(...(revocation === 'token' ? grants : store.grants().filter(({ account }) => accounts.has(account))))
    return { status: 200, headers: { 'cache-control': 'no-store' } }
  }

  const kind = 'revoke'
  const ready = (respond: () => EndpointResponse): Asked => ({ kind, respond })

  if (revokeRequest)
    return request => {
      const found = readTemplateRequest(revokeRequest, request, prefix)
      if (!found) return undefined
      if ('problem' in found) return { kind, ...found }
      const { access_token: accessToken, refresh_token: refreshToken } = found.variables
      return ready(() => {
        const grant = store.grantOf(refreshToken ?? accessToken ?? '')
        const wrong = facts.problemIn(found.variables, grant)
        return wrong === undefined ? end(accessToken, refreshToken) : tokenError(method, 'invalid_request', wrong)
      })
    }

  if (revokeUrl === undefined) return undefined
  const address = addressOf(revokeUrl, prefix)
  return request => {
    if (request.method !== 'POST') return undefined
    const found = readAddress(request, address)
    if (!found) return undefined
    if ('problem' in found) return { kind, ...found }
    return ready(() => {
      const params = paramsOf(request)
      if ('problem' in params) return tokenError(undefined, 'invalid_request', params.problem)
      const wrong = clientProblem(method, client, facts, { params, headers: request.headers })
      if (wrong !== undefined) return tokenError(method, 'invalid_client', wrong)
      const token = params.get('token')
      if (!token) return tokenError(undefined, 'invalid_request', 'token is missing')
      const another = facts.problemIn(found.variables, store.grantOf(token))
      return another === undefined ? end(token) : tokenError(method, 'invalid_request', another)
    })
  }

  /** A form (RFC 7009 §2.1). A client that sends JSON to the token endpoint may do so here. */
  function paramsOf(request: PlayedRequest) {
    const isJson = method?.tokenRequestFormat === 'json' && /^application\/json\b/i.test(request.headers['content-type'] ?? '')
    return readParams(request, isJson ? 'json' : 'form', address)
  }
}
