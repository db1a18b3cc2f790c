import type { OAuth2Method } from '../core/provider/definition.ts'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import { clientProblem } from './client-authentication.ts'
import type { Asked, EndpointResponse, ReadRequest } from './endpoint.ts'
import type { Grant } from './grant-store.ts'
import { addressOf, type PlayedRequest, readAddress, readParams, readTemplateRequest } from './played-request.ts'
import type { PlayedVendor } from './played-vendor.ts'
import { tokenError } from './token-errors.ts'

const kind = 'revoke'

/** A vendor's revocations: by RFC 7009, or as the definition has them. */
export function createRevocations({ definition, prefix, client, facts, store }: PlayedVendor): ReadRequest[] {
  const { oauth2, apiKey } = definition.methods

  /** Ends what the definition says that a revocation ends. A token that is not known counts as revoked (RFC 7009 §2.2). */
  function end(grants: readonly Grant[], revocation: OAuth2Method['revocation'] = 'grant'): EndpointResponse {
    const accounts = new Set(grants.map(({ account }) => account))
    store.end(...(revocation === 'token' ? grants : store.grants().filter(({ account }) => accounts.has(account))))
    return { status: 200, headers: { 'cache-control': 'no-store' } }
  }

  const grantsOf = (token: string): Grant[] => [store.grantOf(token) ?? []].flat()

  const ready = (respond: () => EndpointResponse): Asked => ({ kind, respond })

  const ofTemplate =
    (template: RequestTemplate, method: OAuth2Method | undefined): ReadRequest =>
    request => {
      const found = readTemplateRequest(template, request, prefix)
      if (!found) return undefined
      if ('problem' in found) return { kind, ...found }
      const { variables } = found
      const token = variables.refresh_token ?? variables.access_token
      return ready(() => {
        // Without a token it names an account by what that has.
        const named = token === undefined ? store.grants() : grantsOf(token)
        const right = named.filter(grant => facts.problemIn(variables, grant) === undefined)
        const wrong =
          right.length > 0 ? undefined : (facts.problemIn(variables, named[0]) ?? (token === undefined ? 'no account is meant' : undefined))
        return wrong === undefined ? end(right, method ? method.revocation : 'token') : tokenError(method, 'invalid_request', wrong)
      })
    }

  /** RFC 7009 §2.1. */
  const ofStandard = (method: OAuth2Method, revokeUrl: string): ReadRequest => {
    const address = addressOf(revokeUrl, prefix)
    return request => {
      if (request.method !== 'POST') return undefined
      const found = readAddress(request, address)
      if (!found) return undefined
      if ('problem' in found) return { kind, ...found }
      return ready(() => {
        const params = readParams(request, formatOf(method, request), address)
        if ('problem' in params) return tokenError(undefined, 'invalid_request', params.problem)
        const wrong = clientProblem(method, client, facts, { params, headers: request.headers })
        if (wrong !== undefined) return tokenError(method, 'invalid_client', wrong)
        const token = params.get('token')
        if (!token) return tokenError(undefined, 'invalid_request', 'token is missing')
        const [grant] = grantsOf(token)
        const another = facts.problemIn(found.variables, grant)
        return another === undefined ? end(grant ? [grant] : [], method.revocation) : tokenError(method, 'invalid_request', another)
      })
    }
  }

  return [
    ...(oauth2?.revokeRequest ? [ofTemplate(oauth2.revokeRequest, oauth2)] : []),
    ...(oauth2?.revokeUrl === undefined ? [] : [ofStandard(oauth2, oauth2.revokeUrl)]),
    ...(apiKey?.revokeRequest ? [ofTemplate(apiKey.revokeRequest, undefined)] : [])
  ]
}

/** A form. A client that sends JSON to the token endpoint may do so here. */
function formatOf({ tokenRequestFormat }: OAuth2Method, { headers }: PlayedRequest): 'form' | 'json' {
  return tokenRequestFormat === 'json' && /^application\/json\b/i.test(headers['content-type'] ?? '') ? 'json' : 'form'
}
