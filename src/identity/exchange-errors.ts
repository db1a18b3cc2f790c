import type { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { GatewayError } from '../core/errors.ts'
import { retryAtMs } from '../core/util/retry-after.ts'
import { IssuerError, issuerUnavailable, loginClientRejected, loginInvalid } from './issuer-errors.ts'
import { type LoginRefusal, loginRefusals } from './login-result.ts'

/**
 * What openid-client throws. Its messages and causes may hold the response, tokens included: nothing of them is passed on but standard error
 * codes, a status and the names of claims.
 */
type ClientError = {
  readonly code?: string
  readonly cause?: unknown
  readonly claim?: unknown
  readonly status?: number
  readonly headers?: Headers
}

/** RFC 6749 §4.1.2.1: an authorization request that only the operator can mend. */
const clientErrors: ReadonlySet<string> = new Set(['unauthorized_client', 'invalid_scope', 'invalid_request', 'unsupported_response_type'])
/** The same: an outage. */
const outages: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable'])
/** RFC 6749 §5.2, without `invalid_grant`. */
const tokenErrors: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'invalid_scope',
  'unsupported_grant_type'
])

const isCode = (error: unknown, code: string): boolean => (error as ClientError | undefined)?.code === code

const isAuthorizationError = (error: unknown): error is AuthorizationResponseError => isCode(error, 'OAUTH_AUTHORIZATION_RESPONSE_ERROR')
const isTokenError = (error: unknown): error is ResponseBodyError => isCode(error, 'OAUTH_RESPONSE_BODY_ERROR')

/** Why the provider signed nobody in, if that is what the callback says. */
export function readRefusal(error: unknown): LoginRefusal | undefined {
  if (!isAuthorizationError(error) || clientErrors.has(error.error) || outages.has(error.error)) return undefined
  return loginRefusals.find(code => code === error.error) ?? 'provider_error'
}

/** The token endpoint did not accept the client's authentication, so that it has not looked at the code. */
export const isClientRefused = (error: unknown): boolean =>
  isTokenError(error) ? error.error === 'invalid_client' : statusOf(error) === 401

/** The status of a response without an OAuth error. */
const statusOf = (error: unknown): number | undefined => {
  if (isTokenError(error) || isAuthorizationError(error)) return undefined
  return (error as ClientError).status ?? ((error as ClientError).cause as Response | undefined)?.status
}

/** @param nowMs to which a `Retry-After` counts */
export function toGatewayError(error: unknown, nowMs: number): GatewayError {
  const causes = [...causesOf(error)]
  const own = causes.find(cause => cause instanceof GatewayError)
  if (own) return own
  const failure = causes.find(cause => cause instanceof IssuerError)
  if (failure) return issuerUnavailable(failure)
  if (isAuthorizationError(error))
    return outages.has(error.error) ? issuerUnavailable(new IssuerError(`it reports ${error.error}`)) : loginClientRejected(error.error)
  const response = isTokenError(error)
    ? error.response
    : (error as ClientError).cause instanceof Response
      ? (error as ClientError).cause
      : undefined
  const status = isTokenError(error) ? error.status : statusOf(error)
  if (status !== undefined && (status >= 500 || status === 429))
    return issuerUnavailable(wrongStatus(status), retryAfterOf(response as Response | undefined, nowMs))
  if (isTokenError(error)) {
    if (error.error === 'invalid_grant')
      return loginInvalid('the identity provider did not accept the code, which has expired or been used')
    return loginClientRejected(tokenErrors.has(error.error) ? error.error : 'an error that no standard defines')
  }
  if (status === 401) return loginClientRejected('invalid_client')
  if (status !== undefined && status !== 200) return issuerUnavailable(wrongStatus(status))
  const claim = causes.map(cause => (cause as { readonly claim?: unknown }).claim).find(name => typeof name === 'string')
  return loginInvalid(
    typeof claim === 'string'
      ? `the id token of the identity provider has an invalid "${claim}"`
      : `the identity provider’s response is not valid (${reasonOf(causes)})`
  )
}

const wrongStatus = (status: number) => new IssuerError(`its token endpoint responded with the status ${status}`, { status })

function* causesOf(error: unknown): Generator<object> {
  let cause = error
  for (let depth = 0; depth < 5 && typeof cause === 'object' && cause !== null; depth++) {
    yield cause
    cause = (cause as { readonly cause?: unknown }).cause
  }
}

/** The library's own sentence: those of the classes named here are constant. Of other errors the code alone. */
function reasonOf(causes: readonly object[]): string {
  const errors = causes.filter(cause => cause instanceof Error)
  const named = errors.find(({ name }) => name === 'OperationProcessingError' || name === 'UnsupportedOperationError')
  return named?.message ?? String((errors[0] as ClientError | undefined)?.code ?? 'unknown')
}

function retryAfterOf(response: Response | undefined, nowMs: number): number | undefined {
  const headers = { 'retry-after': response?.headers.get('retry-after') ?? undefined }
  const untilMs = retryAtMs({ header: 'retry-after', unit: 'seconds' }, headers, nowMs)
  return untilMs === undefined ? undefined : Math.ceil((untilMs - nowMs) / 1000)
}
