import type { RateLimit as DeclaredLimit } from '../core/provider/definition.ts'
import type { RateLimit } from './vendor.ts'

/** Of a vendor whose limits are not documented here. */
const defaultLimit: RateLimit = { limit: 100, windowSeconds: 60 }

/**
 * Counts requests in fixed windows, only for the headers: without a switch no request is rejected. A rejection has the header that the definition
 * declares, or `Retry-After`.
 */
export function createRateWindow(declared: DeclaredLimit | undefined, own: RateLimit = defaultLimit) {
  const { limit, windowSeconds, headers } = own
  let resetsAtSeconds = 0
  let used = 0
  return () => {
    const now = Date.now() / 1000
    if (now >= resetsAtSeconds) {
      resetsAtSeconds = Math.floor(now) + windowSeconds
      used = 0
    }
    used++
    const secondsLeft = Math.ceil(resetsAtSeconds - now)
    const window = { limit, resetsAtSeconds, remaining: Math.max(0, limit - used) }
    const retry = declared
      ? { [declared.header]: String(declared.unit === 'epoch' ? resetsAtSeconds : secondsLeft) }
      : { 'retry-after': String(secondsLeft) }
    return { headers: headers?.(window) ?? {}, rejectionHeaders: { ...headers?.({ ...window, remaining: 0 }), ...retry } }
  }
}
