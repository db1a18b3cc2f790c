import type { Connection } from '../connections/connection.ts'
import type { OAuth2Method, Provider } from '../provider/definition.ts'
import { requestVariables } from '../provider/request-variables.ts'
import { variablesIn } from '../provider/template.ts'

/** The names of all that a revocation may need of a connection beside the token. Nothing else waits with it in the store. */
export function revocationNeeds({ methods }: Provider, method: Connection['method']): ReadonlySet<string> {
  const { oauth2, apiKey } = methods
  if (method === 'oauth2') return oauth2 ? needsOf(oauth2) : new Set()
  return apiKey?.revokeRequest ? requestVariables(apiKey.revokeRequest) : new Set()
}

function needsOf(method: OAuth2Method): ReadonlySet<string> {
  const { authorizeUrl, tokenUrl, refreshUrl = '', revokeUrl = '', tokenHeaders = {}, refreshParams = {} } = method
  const { revokeRequest, refreshRequest } = method
  // An instance of the package has all addresses; and an access token that has expired is renewed to revoke with it.
  const templates = [authorizeUrl, tokenUrl, refreshUrl, revokeUrl, ...Object.values(tokenHeaders), ...Object.values(refreshParams)]
  const requests = revokeRequest ? [revokeRequest, ...(refreshRequest ? [refreshRequest] : [])] : []
  return new Set([...templates.flatMap(variablesIn), ...requests.flatMap(request => [...requestVariables(request)])])
}
