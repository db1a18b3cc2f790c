import { GatewayError } from '../core/errors.ts'

/** How every store says that it cannot work now: the client reads what to do, the log reads the cause. */
export const storeUnavailable = (cause: Error): GatewayError =>
  new GatewayError(
    'store_unavailable',
    'Latchkey cannot reach its store just now. This is not your fault and you stay signed in: try again.',
    {
      retryAfter: 1,
      cause
    }
  )
