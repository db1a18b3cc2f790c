import type { OAuth2Method, TokenRefusal } from '../core/provider/definition.ts'
import { buildDocument } from './documents.ts'
import type { EndpointResponse } from './endpoint.ts'

export type TokenErrorCode = TokenRefusal['means'] | 'invalid_request' | 'unsupported_grant_type'

/**
 * The error response of a token endpoint: in the vendor's own words, with status 200 as those that have some send it, or that of RFC 6749 §5.2.
 * @param description for the author of the definition, in any case
 */
export function tokenError(method: OAuth2Method | undefined, code: TokenErrorCode, description: string): EndpointResponse {
  const declared = method?.refusals?.find(({ means }) => means === code)
  if (declared)
    return {
      status: 200,
      body: buildDocument([
        ['/sandbox', description],
        [declared.pointer, declared.oneOf[0]]
      ])
    }
  const isClient = code === 'invalid_client'
  return {
    status: isClient ? 401 : 400,
    body: { error: code, error_description: description },
    ...(isClient && { headers: { 'www-authenticate': 'Basic realm="sandbox"' } })
  }
}
