import type { RequestTemplate } from './request-template.ts'
import { variablesIn } from './template.ts'

/** Everything that a request of the vendor's own form needs to know. */
export function requestVariables({ url, params = {}, headers = {}, basic }: RequestTemplate): ReadonlySet<string> {
  const templates = [url, ...Object.values(params), ...Object.values(headers), ...(basic ? [basic.username, basic.password] : [])]
  return new Set(templates.flatMap(variablesIn))
}

/** Whether a refresh takes the access token itself, and so a grant needs no refresh token. */
export function isRenewedByItself(refreshRequest: RequestTemplate): boolean {
  const variables = requestVariables(refreshRequest)
  return variables.has('access_token') && !variables.has('refresh_token')
}
