import type { Clock, Store } from '../core/ports.ts'
import type { RedisTarget } from './redis/target.ts'

export type StoreOptions = {
  /** `REDIS_URL`; without it, records lie in an embedded file. */
  redis?: RedisTarget | undefined
  /** `DATA_DIR`: where that file is. */
  dataDir: string
  clock: Clock
}

/**
 * Only the store that is chosen is loaded: the other's client would take memory and time to start, and serve nobody.
 * @throws when the file cannot be opened. A Redis that is down is no reason to throw: it may come.
 */
export async function openStore({ redis, dataDir, clock }: StoreOptions): Promise<Store> {
  if (redis !== undefined) return (await import('./redis/store.ts')).openRedisStore({ target: redis })
  return (await import('./sqlite/store.ts')).openSqliteStore({ directory: dataDir, clock })
}
