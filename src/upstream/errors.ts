import { GatewayError } from '../core/errors.ts'
import { errors } from './undici.ts'

/** The provider was silent for too long. */
export class StallTimeoutError extends Error {}
/** The client no longer waits for the response. */
export class ClientDisconnectedError extends Error {}

/** Whether the peer has closed the connection. A malformed response is another error. */
export const isConnectionClosed = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'

/** RFC 9112 §6.1: the gateway sends no TE, so the provider may use no transfer coding but chunked. */
export const unexpectedTransferCoding = () =>
  new GatewayError('provider_unavailable', 'The provider’s response has an unexpected transfer coding and cannot be read.', {
    cause: Object.assign(new Error('unexpected transfer coding'), { code: 'ERR_TRANSFER_CODING' })
  })

export const tooManyEventStreams = () =>
  new GatewayError('rate_limited', 'Too many event streams of this provider are open. Try again in a moment.', { retryAfter: 5 })

/** The error that the client gets. */
export function asGatewayError(cause: Error): GatewayError {
  // From the request body (too large, too slow) or from the lookup (not a public IP address).
  if (cause instanceof GatewayError) return cause
  if (cause instanceof StallTimeoutError || cause instanceof errors.ConnectTimeoutError) {
    return new GatewayError('provider_timeout', 'The provider did not respond in time. Nothing is wrong with the connection; try again.', {
      cause
    })
  }
  return new GatewayError(
    'provider_unavailable',
    'The provider could not be reached, or closed the connection before it responded. Try again a little later.',
    { cause: withCode(cause) }
  )
}

/** undici's parser errors should have the code of the HTTP rule that was broken, and sometimes have `undefined`. */
function withCode(cause: NodeJS.ErrnoException): Error {
  return cause.name === 'HTTPParserError' && cause.code === undefined ? Object.assign(cause, { code: 'HPE_MALFORMED' }) : cause
}
