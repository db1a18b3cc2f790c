/**
 * Every error code of Grantkeeper by status, with a short title for people (`title` of RFC 9457). Repeated in the README and docs/reference, and as
 * `GatewayCode` in the types of the browser client.
 */
const problems = {
  api_key_malformed: [400, 'This is not an API key'],
  header_rejected: [400, 'A header was refused'],
  parameters_invalid: [400, 'The parameters are not valid'],
  path_rejected: [400, 'The path was refused'],
  request_malformed: [400, 'The request could not be read'],
  return_to_rejected: [400, 'The return address was refused'],
  state_invalid: [400, 'This sign-in cannot be finished'],
  connection_required: [401, 'Not connected'],
  reconnect_required: [401, 'The connection has ended'],
  token_invalid: [401, 'The bearer token is not valid'],
  user_required: [401, 'Nobody is signed in'],
  csrf_rejected: [403, 'The request was refused'],
  not_allowed: [403, 'This is not allowed here'],
  user_mismatch: [403, 'Another user began this sign-in'],
  connection_unknown: [404, 'No such connection'],
  not_found: [404, 'Nothing here'],
  provider_unknown: [404, 'No such provider'],
  method_not_allowed: [405, 'Method not allowed'],
  request_timeout: [408, 'The request did not arrive in time'],
  invitation_invalid: [410, 'This invitation is not valid any more'],
  body_too_large: [413, 'The body is too large'],
  api_key_rejected: [422, 'The key was not accepted'],
  rate_limited: [429, 'Too many requests'],
  internal_error: [500, 'Something went wrong in Grantkeeper'],
  client_rejected: [502, 'The provider refuses this gateway'],
  provider_unavailable: [502, 'The provider cannot be reached'],
  issuer_unavailable: [503, 'Sign-in cannot be checked now'],
  retry_request: [503, 'Please send the request again'],
  store_unavailable: [503, 'Grantkeeper cannot reach its store'],
  provider_timeout: [504, 'The provider did not respond in time']
} as const

export type ErrorCode = keyof typeof problems

export const errorCodes = Object.keys(problems) as ErrorCode[]

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(problems, text)

export type ErrorDetails = {
  cause?: unknown
  /** Name of the provider concerned. */
  provider?: string
  /** Name of the parameter or field that is not valid. */
  parameter?: string
  /** Whole seconds to wait before a retry (RFC 9110 §10.2.3). */
  retryAfter?: number
  /** Methods for the `Allow` header of a 405. */
  allow?: readonly string[]
  /** Replaces the status of the code where HTTP has a more precise one (431). */
  status?: number
}

/** The error class whose message reaches the client, by way of `plugins/hooks/errors.ts`. Branch on `code`, never on the message. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: ErrorCode
  readonly status: number
  readonly title: string
  readonly provider: string | undefined
  readonly parameter: string | undefined
  readonly retryAfter: number | undefined
  readonly allow: readonly string[] | undefined

  /** @param detail what happened, who caused it and what to do; sent to the client */
  constructor(code: ErrorCode, detail: string, details: ErrorDetails = {}) {
    super(detail, { cause: details.cause })
    const [status, title] = problems[code]
    this.code = code
    this.status = details.status ?? status
    this.title = title
    this.provider = details.provider
    this.parameter = details.parameter
    this.retryAfter = details.retryAfter
    this.allow = details.allow
  }
}

export const hasCode = (error: unknown, code: ErrorCode): boolean => error instanceof GatewayError && error.code === code

/** The stack of an error for a log, without the message: a library's message may repeat the request, client secret included. */
export const stackFrames = ({ stack }: Error): string[] | undefined => stack?.split('\n').filter(line => line.startsWith('    at '))
