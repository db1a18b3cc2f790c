import type { Clock, Store } from '../core/ports.ts'
import { openRedisStore } from './redis.ts'
import { openSqliteStore } from './sqlite.ts'

export type StoreChoice = {
  /** `REDIS_URL`; without it, records lie in an embedded file. */
  redisUrl?: string | undefined
  /** `DATA_DIR`: where that file is. */
  dataDir: string
  clock: Clock
}

/** @throws when the address is malformed or the file cannot be opened. A Redis that is down is no reason to throw: it may come. */
export function openStore({ redisUrl, dataDir, clock }: StoreChoice): Store {
  return redisUrl === undefined ? openSqliteStore({ directory: dataDir, clock }) : openRedisStore({ url: redisUrl })
}
