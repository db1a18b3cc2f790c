import type { ErrorCode, GatewayError } from '../errors.ts'
import type { ProviderSettings } from '../provider/definition.ts'
import { connectUrl } from './view.ts'

/** RFC 9457. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  requestId: string
  provider?: string
  /** Which of the provider's parameters or fields is not valid. */
  parameter?: string
  connectUrl?: string
  /** Where a person signs in. */
  loginUrl?: string
  /** Seconds. */
  retryAfter?: number
}

/** The codes whose remedy is to connect again. */
const connectCodes: ReadonlySet<ErrorCode> = new Set(['connection_required', 'reconnect_required', 'state_invalid'])

type Facts = {
  readonly requestId: string
  /** That of the request, if it is known and on. */
  readonly settings: ProviderSettings | undefined
  readonly publicUrl: string
  readonly loginUrl: string | undefined
}

export const problemOf = (error: GatewayError, { requestId, settings, publicUrl, loginUrl }: Facts): Problem => ({
  type: `urn:grantkeeper:problem:${error.code}`,
  title: error.title,
  status: error.status,
  detail: error.message,
  code: error.code,
  requestId,
  ...(settings && { provider: settings.definition.name }),
  ...(error.parameter !== undefined && { parameter: error.parameter }),
  ...(settings && connectCodes.has(error.code) && { connectUrl: connectUrl(settings, publicUrl) }),
  ...(loginUrl !== undefined && error.code === 'user_required' && error.status === 401 && { loginUrl }),
  ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter })
})
