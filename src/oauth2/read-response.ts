import { hasCode } from '../core/errors.ts'
import { readErrorDescription, readTokenError } from '../core/oauth/token-error.ts'
import { rejectedError, TokenEndpointError } from '../core/oauth/token-response.ts'
import { parseTokenResponseBody } from '../core/oauth/token-response-body.ts'
import type { TokenRefusal } from '../core/provider/definition.ts'
import { closed, notPublic, type OwnResponse, timedOut } from './send-request.ts'

/** What simple-oauth2 throws: a Boom error around the server's response. */
type ClientError = {
  readonly output?: { readonly statusCode?: number }
  readonly data?: { readonly res?: Response; readonly payload?: unknown } | null
}
type Response = { readonly statusCode?: number; readonly headers?: { readonly 'retry-after'?: string } }

type Context = {
  readonly refusals: readonly TokenRefusal[] | undefined
  /** Secrets that were sent, and that the response may repeat. */
  readonly sent: readonly string[]
}

/**
 * The response inside the client's error. A response that it could not parse as JSON may still be a good one.
 * @throws {TokenEndpointError} if there is none, in our words
 */
export function documentInError(error: ClientError, context: Context): unknown {
  if (error instanceof TokenEndpointError) throw error
  const { output, data } = error
  // Thrown by the lookup: before the request, or as the cause of the socket's error.
  if ([error, data].some(cause => hasCode(cause, 'provider_unavailable'))) throw notPublic()
  const { statusCode: status, headers } = data?.res ?? {}
  const document = Buffer.isBuffer(data?.payload) ? parseTokenResponseBody(data.payload) : data?.payload
  if (status !== undefined && status >= 400) throw errorResponse(status, document, headers?.['retry-after'], context)
  if (document !== undefined && document !== null) return document
  if (output?.statusCode === 504 || output?.statusCode === 408) throw timedOut(status)
  if (status === undefined && output?.statusCode === 502) throw closed()
  throw unreadable(status)
}

/** @throws {TokenEndpointError} for anything else than a document with a status of success */
export function documentIn({ status, retryAfter, body }: OwnResponse, context: Context): unknown {
  const document = parseTokenResponseBody(body)
  if (status >= 400) throw errorResponse(status, document, retryAfter, context)
  if (status >= 300 || document === undefined || document === null) throw unreadable(status)
  return document
}

function errorResponse(status: number, document: unknown, retryAfter: string | undefined, { refusals, sent }: Context): TokenEndpointError {
  const error = readTokenError(document, status, { declared: refusals, sent })
  const details = { status, retryAfter, code: error?.code, description: readErrorDescription(document, sent) }
  // A 429 or 5xx does not reject what was sent, unless its error code can mean nothing else.
  if (error && (error.means || (status < 500 && status !== 429))) return rejectedError(status, error, details)
  return new TokenEndpointError('unavailable', `the token endpoint responded with ${status}`, undefined, details)
}

const unreadable = (status: number | undefined) =>
  new TokenEndpointError('invalid_response', 'the response of the token endpoint cannot be read', undefined, { status })
