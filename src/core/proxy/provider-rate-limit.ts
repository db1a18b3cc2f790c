import type { Connection } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Vault } from '../vault/vault.ts'

/** @throws {GatewayError} `rate_limited` while the provider wants no further call of this connection */
export function assertNotRateLimited({ provider, rateLimitedUntilMs = 0 }: Connection, clock: Clock): void {
  const waitMs = rateLimitedUntilMs - clock.now()
  if (waitMs <= 0) return
  throw new GatewayError('rate_limited', 'The provider has asked for a pause in the calls of this connection. Call again after it.', {
    provider,
    retryAfter: Math.ceil(waitMs / 1000)
  })
}

/** Noted in the record, every instance knows it. A note that meets another change is not worth a second try: the next 429 brings it again. */
export async function recordRateLimit(vault: Vault, key: ConnectionKey, untilMs: number): Promise<void> {
  const kept = await vault.readConnection(key)
  if (!kept || (kept.value.rateLimitedUntilMs ?? 0) >= untilMs) return
  await vault.replace(key, kept, { ...kept.value, rateLimitedUntilMs: untilMs })
}
