import { GatewayError } from './errors.ts'

/** @param waitMs how long the provider is not asked again */
export const renewalFailed = (provider: string, code: 'provider_unavailable' | 'provider_timeout', waitMs: number, cause?: unknown) =>
  new GatewayError(code, 'The provider could not renew the access just now. The connection is kept; try again a little later.', {
    provider,
    retryAfter: Math.ceil(waitMs / 1000),
    cause
  })

export const connectionRequired = (provider: string) =>
  new GatewayError('connection_required', 'There is no connection to this provider in this session. Open connectUrl to make one.', {
    provider
  })

export const reconnectRequired = (provider: string) =>
  new GatewayError('reconnect_required', 'The provider no longer honours this connection. Open connectUrl to connect again.', { provider })
