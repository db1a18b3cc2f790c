import type { Connection } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import { GatewayError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Vault } from '../vault/vault.ts'

/** @throws {GatewayError} `rate_limited` while the provider wants no further request of this connection */
export function assertNotRateLimited({ provider, rateLimitedUntilMs = 0 }: Connection, clock: Clock): void {
  const waitMs = rateLimitedUntilMs - clock.now()
  if (waitMs <= 0) return
  throw new GatewayError('rate_limited', 'The provider has rate limited this connection. Try again after the pause that it asks for.', {
    provider,
    retryAfter: Math.ceil(waitMs / 1000)
  })
}

/** Stores the pause in the record, for all replicas. A write that conflicts with another is not retried: the next 429 repeats it. */
export async function recordRateLimit(vault: Vault, key: ConnectionKey, untilMs: number): Promise<void> {
  const record = await vault.readConnection(key)
  if (!record || (record.value.rateLimitedUntilMs ?? 0) >= untilMs) return
  await vault.replace(key, record, { ...record.value, rateLimitedUntilMs: untilMs })
}
