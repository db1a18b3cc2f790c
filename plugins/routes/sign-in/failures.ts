import type { FastifyBaseLogger } from 'fastify'
import type { TokenEndpointError } from '../../../src/core/oauth/token-response.ts'
import { redact } from '../../../src/core/util/redact.ts'
import type { CallbackParams } from './callback-params.ts'

type Failure = Pick<TokenEndpointError, 'kind' | 'reason' | 'message'> & {
  readonly isClientRejected?: boolean
  /** What the provider said: its status, its own code and its words. */
  readonly fault?: { readonly status?: number | undefined; readonly code?: string | undefined; readonly description?: string | undefined }
}

/** The callback says no, or nothing. @param sent what no log may repeat */
export function logRefusal(log: FastifyBaseLogger, provider: string, params: CallbackParams, sent: readonly string[]): void {
  const message = params.error === undefined ? 'the provider sent neither a code nor an error' : 'the provider refused a sign-in'
  log.warn({ provider, reason: redact(params.error, sent), description: redact(params.description, sent) }, message)
}

/** The token endpoint gives no grant. @param sent what no log may repeat */
export function logFailure(log: FastifyBaseLogger, provider: string, failure: Failure, sent: readonly string[]): void {
  const { kind, reason, message, fault = {} } = failure
  const [vendorCode, description] = [redact(fault.code, sent), redact(fault.description, sent)]
  // Every sign-in fails until the operator has corrected the client.
  const level = connectErrorOf(failure) === 'client_rejected' ? 'error' : 'warn'
  log[level]({ provider, kind, reason, status: fault.status, vendorCode, description }, message)
}

/** Why nothing was connected, as `connect_error` says it. */
export function connectErrorOf({ kind, reason, isClientRejected }: Failure): string {
  if (kind === 'timeout') return 'provider_timeout'
  if (kind !== 'refused') return 'provider_unavailable'
  const isClientAtFault = isClientRejected ?? (reason === 'invalid_client' || reason === 'unauthorized_client')
  return isClientAtFault ? 'client_rejected' : (reason ?? 'provider_error')
}
