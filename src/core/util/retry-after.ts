/** The header that says when to try again, and what a number in it means: seconds from now, or seconds since the epoch. */
type RateLimitHeader = { readonly header: string; readonly unit: 'seconds' | 'epoch' }

/** However long a provider says: a slip of its clock must not end a connection for days. */
const longestMs = 60 * 60_000

/**
 * Until when a provider wants no further call, by the header of its 429 (RFC 6585 §4).
 * @returns milliseconds since the epoch; `undefined` when the header is absent, malformed or past
 */
export function retryAtMs(
  { header, unit }: RateLimitHeader,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  nowMs: number
) {
  const text = [headers[header]].flat()[0]?.trim() ?? ''
  const number = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : undefined
  // RFC 9110 §10.2.3 lets Retry-After be either; an HTTP date is never a bare number.
  const untilMs = number === undefined ? dateOf(text) : unit === 'epoch' ? number : nowMs + number
  return untilMs > nowMs ? Math.min(untilMs, nowMs + longestMs) : undefined
}

/** RFC 9110 §5.6.7: the one form that is sent today. `Date.parse` reads much more, and something else into it. */
const dateOf = (text: string): number =>
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN
