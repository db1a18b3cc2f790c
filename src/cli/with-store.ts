import { type Config, readConfig } from '../config/config.ts'
import { loadDefinitions } from '../config/definitions/load-definitions.ts'
import type { Environment } from '../config/environment.ts'
import type { Store } from '../core/ports.ts'
import { openStore } from '../stores/open-store.ts'
import { pollUntil } from '../stores/wait-for-store.ts'

const storeTimeoutMs = 5_000

/**
 * Lets a command work on the gateway's store, and closes it afterwards.
 * @throws {ConfigError} for the environment
 */
export async function withStore<T>(variables: Environment, work: (store: Store, config: Config) => Promise<T>): Promise<T> {
  const config = readConfig(variables, await loadDefinitions(variables))
  const store = await openStore({ redis: config.redis, dataDir: config.dataDir, clock: { now: Date.now } })
  try {
    // The connection may not be established yet. If it still is not after the timeout, the first read reports why.
    await pollUntil(store.ping, storeTimeoutMs)
    return await work(store, config)
  } finally {
    await store.close()
  }
}
