import type { FastifyBaseLogger } from 'fastify'
import { connectErrorOf } from '../../../src/core/oauth/complete-sign-in.ts'
import type { TokenEndpointError } from '../../../src/core/oauth/token-response.ts'
import { redact } from '../../../src/core/util/display-text.ts'

/** Logs a callback with an error, or with neither code nor error. @param sent secrets that no log may repeat */
export function logRefusal(
  log: FastifyBaseLogger,
  provider: string,
  error: string | undefined,
  description: unknown,
  sent: readonly string[]
): void {
  const message = error === undefined ? 'the provider sent neither a code nor an error' : 'the provider refused a sign-in'
  log.warn({ provider, reason: redact(error, sent), description: redact(description, sent) }, message)
}

/** Logs a token endpoint that gave no grant. @param sent secrets that no log may repeat */
export function logFailure(log: FastifyBaseLogger, provider: string, error: TokenEndpointError, sent: readonly string[]): void {
  const { kind, reason, message, details } = error
  const [vendorCode, description] = [redact(details.code, sent), redact(details.description, sent)]
  // Every sign-in fails until the operator has corrected the client.
  const level = connectErrorOf(error) === 'client_rejected' ? 'error' : 'warn'
  log[level]({ provider, kind, reason, status: details.status, vendorCode, description }, message)
}
