import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { openRedisStore } from '../../src/stores/redis/store.ts'
import { parseRedisUrl } from '../../src/stores/redis/target.ts'
import type { StorePair } from './contract.ts'
import { eventually, pingSucceeds } from './redis/topologies.ts'

type Options = Omit<Parameters<typeof openRedisStore>[0], 'target'>

export function openRedisAt(t: Test, url: string, options: Options = {}): Store {
  const store = openRedisStore({ target: parseRedisUrl(url), ...options })
  t.teardown(() => store.close())
  return store
}

/** Waits for the connection: on a busy machine it takes longer than a call waits for it. */
export async function openConnected(t: Test, url: string, options: Options = {}): Promise<Store> {
  const store = openRedisAt(t, url, options)
  await eventually('it is connected', pingSucceeds(store))
  return store
}

/** For the contract. Redis has its own clock, so an expiry takes real time. */
export async function openConnectedPair(t: Test, url: string): Promise<StorePair> {
  const [store, other] = [await openConnected(t, url), await openConnected(t, url)]
  return { store, other, elapse: ms => sleep(ms + 2), ttlMs: 2000 }
}
