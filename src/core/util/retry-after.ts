/** The header that says when to retry, and the meaning of a number in it: seconds from now, or seconds since the epoch. */
type RateLimitHeader = { readonly header: string; readonly unit: 'seconds' | 'epoch' }

/** A wrong clock at the provider must not block a connection for days. */
const maxWaitMs = 60 * 60_000

/**
 * The time before which a provider wants no further request, from the header of its 429 response (RFC 6585 §4), at most an hour ahead.
 * @returns milliseconds since the epoch; `undefined` if the header is absent, malformed or in the past
 */
export function retryAtMs(
  { header, unit }: RateLimitHeader,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  nowMs: number
) {
  const text = [headers[header]].flat()[0]?.trim() ?? ''
  const numberMs = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : undefined
  // RFC 9110 §10.2.3 allows a number or a date in Retry-After; an HTTP date is never a bare number.
  const untilMs = numberMs === undefined ? parseHttpDate(text) : unit === 'epoch' ? numberMs : nowMs + numberMs
  return untilMs > nowMs ? Math.min(untilMs, nowMs + maxWaitMs) : undefined
}

/** Accepts only the IMF-fixdate of RFC 9110 §5.6.7. `Date.parse` accepts far more, and misreads some of it. */
const parseHttpDate = (text: string): number =>
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN
