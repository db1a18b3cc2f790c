import { GatewayError } from '../errors.ts'

type RenewalFailure = 'provider_unavailable' | 'provider_timeout' | 'client_rejected'

/** @param waitMs until the next renewal is attempted */
export const renewalFailed = (provider: string, code: RenewalFailure, waitMs: number, cause?: unknown) =>
  new GatewayError(code, code === 'client_rejected' ? clientRejected : temporaryFailure, {
    provider,
    retryAfter: Math.ceil(waitMs / 1000),
    cause
  })

const temporaryFailure = 'The provider could not renew the access just now. The connection is kept. Try again a little later.'
const clientRejected =
  'The provider rejects the OAuth client of this gateway. The connection is kept, but only the operator of the gateway can fix this.'

/** A request no longer waits for a renewal, which continues. */
export const renewalPending = (provider: string) =>
  new GatewayError(
    'provider_timeout',
    'The provider is slow to renew the access. The renewal continues and the connection is kept. Try again a little later.',
    {
      provider,
      retryAfter: 1
    }
  )

export const connectionRequired = (provider: string) =>
  new GatewayError('connection_required', 'This session has no connection to this provider. Open connectUrl to connect.', {
    provider
  })

export const reconnectRequired = (provider: string, cause?: unknown) =>
  new GatewayError('reconnect_required', 'The provider no longer accepts this connection. Open connectUrl to connect again.', {
    provider,
    cause
  })
