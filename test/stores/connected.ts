import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { openRedisStore } from '../../src/stores/redis/store.ts'
import { parseRedisUrl } from '../../src/stores/redis/target.ts'
import type { OpenStores } from './contract.ts'
import { eventually, works } from './redis/topologies.ts'

type Options = Omit<Parameters<typeof openRedisStore>[0], 'target'>

export function openAt(t: Test, url: string, options: Options = {}): Store {
  const store = openRedisStore({ target: parseRedisUrl(url), ...options })
  t.teardown(() => store.close())
  return store
}

/** A first connection takes several steps; on a busy machine longer than a call waits for it. */
export async function connected(t: Test, url: string, options: Options = {}): Promise<Store> {
  const store = openAt(t, url, options)
  await eventually('it is connected', works(store))
  return store
}

/** For the contract. Redis goes by its own clock, so that what ends there has to be waited for. */
export async function connectedPair(t: Test, url: string): Promise<OpenStores> {
  const [store, other] = [await connected(t, url), await connected(t, url)]
  return { store, other, elapse: ms => sleep(ms + 2), livesMs: 2000 }
}
