import { GatewayError } from '../core/errors.ts'
import { errors } from './undici.ts'

/** Why a call was ended here: the provider was silent for too long, or nobody waits for it any more. */
export class StallTimeoutError extends Error {}
export class ClientDisconnectedError extends Error {}

/** Whether the other side has closed. What says that something else came than a response is not among them. */
export const isConnectionClosed = ({ code }: NodeJS.ErrnoException): boolean =>
  code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'

/** RFC 9112 §6.1: a client that is not asked sends no TE, so the provider may use no coding but chunked. */
export const unexpectedTransferCoding = () =>
  new GatewayError('provider_unavailable', 'The provider’s answer has a transfer coding that nobody asked for, and cannot be read.', {
    cause: Object.assign(new Error('a transfer coding that was not asked for'), { code: 'ERR_TRANSFER_CODING' })
  })

export const tooManyEventStreams = () =>
  new GatewayError('rate_limited', 'Too many event streams of this provider are open here. Try again in a moment.', { retryAfter: 5 })

/** What went wrong with a call, for whoever made it. */
export function asGatewayError(cause: Error): GatewayError {
  if (cause instanceof GatewayError) return cause // Of the request's own body, too large; of the lookup, not public.
  if (cause instanceof StallTimeoutError || cause instanceof errors.ConnectTimeoutError) {
    return new GatewayError('provider_timeout', 'The provider did not answer in time. Nothing is wrong with the connection; try again.', {
      cause
    })
  }
  return new GatewayError(
    'provider_unavailable',
    'The provider could not be reached, or broke off before it answered. Try again a little later.',
    { cause: withCode(cause) }
  )
}

/** undici's parser means to say which rule of HTTP was broken, and says `undefined`. */
function withCode(cause: NodeJS.ErrnoException): Error {
  return cause.name === 'HTTPParserError' && cause.code === undefined ? Object.assign(cause, { code: 'HPE_MALFORMED' }) : cause
}
