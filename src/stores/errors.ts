import { GatewayError } from '../core/errors.ts'

/** The write is done, on the master only. */
export const replicationUnconfirmed = (cause: Error): GatewayError =>
  new GatewayError(
    'store_unavailable',
    'It is done, but only one server of the store has it: its replica has not confirmed it, and could undo it if it took over now. This is not your fault. Try again in a moment.',
    { retryAfter: 1, cause }
  )

/** The error of every store that cannot work now. The client gets the message, the log gets the cause. */
export const storeUnavailable = (cause: Error): GatewayError =>
  new GatewayError(
    'store_unavailable',
    'Grantkeeper cannot reach its store just now. This is not your fault and you stay signed in: try again.',
    {
      retryAfter: 1,
      cause
    }
  )
