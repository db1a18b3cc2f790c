import { GatewayError } from '../errors.ts'

type RenewalFailure = 'provider_unavailable' | 'provider_timeout' | 'client_rejected'

/** @param waitMs how long the provider is not asked again */
export const renewalFailed = (provider: string, code: RenewalFailure, waitMs: number, cause?: unknown) =>
  new GatewayError(code, code === 'client_rejected' ? clientRejected : failedForNow, {
    provider,
    retryAfter: Math.ceil(waitMs / 1000),
    cause
  })

const failedForNow = 'The provider could not renew the access just now. The connection is kept; try again a little later.'
const clientRejected =
  'The provider refuses the client by which this gateway is registered there, so that it cannot renew the access. The connection is kept. Only the operator of the gateway can put this right.'

/** Who waits for a renewal waits no longer; it goes on. */
export const renewalPending = (provider: string) =>
  new GatewayError(
    'provider_timeout',
    'The provider takes long to renew the access. That goes on, and the connection is kept; try again a little later.',
    {
      provider,
      retryAfter: 1
    }
  )

export const connectionRequired = (provider: string) =>
  new GatewayError('connection_required', 'There is no connection to this provider in this session. Open connectUrl to make one.', {
    provider
  })

export const reconnectRequired = (provider: string, cause?: unknown) =>
  new GatewayError('reconnect_required', 'The provider no longer honours this connection. Open connectUrl to connect again.', {
    provider,
    cause
  })
