import type { RateLimit } from './vendor.ts'

/** Counts calls in fixed windows, for the headers only: no call is refused, unless a switch says so. */
export function rateWindow({ limit, windowSeconds, headers, refusalHeaders }: RateLimit) {
  let resetsAtSeconds = 0
  let used = 0
  return () => {
    const now = Date.now() / 1000
    if (now >= resetsAtSeconds) {
      resetsAtSeconds = Math.floor(now) + windowSeconds
      used = 0
    }
    used++
    const window = { limit, resetsAtSeconds, secondsLeft: Math.ceil(resetsAtSeconds - now), remaining: Math.max(0, limit - used) }
    return {
      headers: headers?.(window) ?? {},
      refusalHeaders: { ...headers?.({ ...window, remaining: 0 }), ...refusalHeaders?.(window) }
    }
  }
}
