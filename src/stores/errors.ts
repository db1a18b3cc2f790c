import { GatewayError } from '../core/errors.ts'

/** What was written is there, and only there. */
export const replicationUnconfirmed = (cause: Error): GatewayError =>
  new GatewayError(
    'store_unavailable',
    'It is done, but only one server of the store knows: the one that stands by has not confirmed it, and could undo it if it took over now. This is not your fault. Try again in a moment.',
    { retryAfter: 1, cause }
  )

/** How every store says that it cannot work now: the client reads what to do, the log reads the cause. */
export const storeUnavailable = (cause: Error): GatewayError =>
  new GatewayError(
    'store_unavailable',
    'Grantkeeper cannot reach its store just now. This is not your fault and you stay signed in: try again.',
    {
      retryAfter: 1,
      cause
    }
  )
