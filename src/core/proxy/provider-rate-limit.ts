import type { Connection } from '../connections/connection.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { RateLimit } from '../provider/provider.ts'
import type { Vault } from '../vault/vault.ts'

/** However long a provider says: a slip of its clock must not end a connection for days. */
const longestMs = 60 * 60_000

/**
 * Until when a provider wants no further call, by the header of its 429 (RFC 6585 §4).
 * @returns milliseconds since the epoch; `undefined` when the header is absent, malformed or past
 */
export function heldBackUntil(limit: RateLimit, headers: Readonly<Record<string, string | string[] | undefined>>, nowMs: number) {
  const text = [headers[limit.header]].flat()[0]?.trim() ?? ''
  const number = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : undefined
  // RFC 9110 §10.2.3 lets Retry-After be either; an HTTP date is never a bare number.
  const untilMs = number === undefined ? dateOf(text) : limit.unit === 'epoch' ? number : nowMs + number
  return untilMs > nowMs ? Math.min(untilMs, nowMs + longestMs) : undefined
}

/** RFC 9110 §5.6.7: the one form that is sent today. `Date.parse` reads much more, and something else into it. */
const dateOf = (text: string): number =>
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN

/** @throws {GatewayError} `rate_limited` while the provider wants no further call of this connection */
export function refuseHeldBack({ provider, heldBackUntilMs = 0 }: Connection, clock: Clock): void {
  const waitMs = heldBackUntilMs - clock.now()
  if (waitMs <= 0) return
  throw new GatewayError('rate_limited', 'The provider has asked for a pause in the calls of this connection. Call again after it.', {
    provider,
    retryAfter: Math.ceil(waitMs / 1000)
  })
}

/** Noted in the record, every instance knows it. A note that meets another change is not worth a second try: the next 429 brings it again. */
export async function holdBack(vault: Vault, owner: string, provider: string, untilMs: number): Promise<void> {
  const kept = await vault.readConnection(owner, provider)
  if (!kept || (kept.value.heldBackUntilMs ?? 0) >= untilMs) return
  await vault.replace(owner, kept, { ...kept.value, heldBackUntilMs: untilMs })
}
