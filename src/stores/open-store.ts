import type { Clock, Store } from '../core/ports.ts'
import type { RedisClient, RedisTarget } from './redis/target.ts'

export type StoreOptions = {
  /** `REDIS_URL`, or an application's client; without it, records are stored in an embedded SQLite file. */
  redis?: RedisTarget | RedisClient | undefined
  /** `DATA_DIR`, the directory of that file. */
  dataDir: string
  clock: Clock
}

/**
 * Imports only the store that is configured: the other's client would cost memory and startup time for nothing.
 * @throws when the file cannot be opened. A Redis that is down is no error: the store connects in the background.
 */
export async function openStore({ redis, dataDir, clock }: StoreOptions): Promise<Store> {
  if (redis !== undefined) return (await import('./redis/store.ts')).openRedisStore({ target: redis })
  return (await import('./sqlite/store.ts')).openSqliteStore({ directory: dataDir, clock })
}
