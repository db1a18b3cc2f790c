import type { Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { commitPromises } from './contract-commit.ts'
import { endPromises } from './contract-ends.ts'
import { recordPromises } from './contract-records.ts'
import { singleUsePromises } from './contract-single-use.ts'
import { watchPromises } from './contract-watch.ts'

/** Two handles on the same records, as two instances of the gateway have them, and the time that both go by. */
export type OpenStores = {
  store: Store
  other: Store
  elapse(ms: number): Promise<void>
  /** What begins with so long to live still lives at the next calls, however slow the machine is. */
  livesMs: number
}

/** What the port promises, a sentence each, and how it is checked. */
export type PortPromises = Record<string, PortPromise>
type PortPromise = (t: Test, stores: OpenStores) => Promise<void>

const promises: PortPromises = {
  async 'it says what it is and that it works'(t, { store }) {
    t.match(store.description, /\w+/)
    await store.ping()
  },

  ...recordPromises,
  ...commitPromises,
  ...singleUsePromises,
  ...watchPromises,

  async 'after close each call is rejected as store_unavailable'(t, { store }) {
    await store.close()
    await store.close()
    await t.rejects(store.ping(), { code: 'store_unavailable', retryAfter: 1 })
    await t.rejects(store.read('a', ['a']), { code: 'store_unavailable' })
  }
}

/** What `Store` promises, and every store keeps. */
export async function storeContract(t: Test, open: (t: Test) => Promise<OpenStores>): Promise<void> {
  const kept = (check: PortPromise) => async (t: Test) => {
    const stores = await open(t)
    t.teardown(() => Promise.all([stores.store.close(), stores.other.close()]))
    await check(t, stores)
  }
  for (const [sentence, check] of Object.entries(promises)) await t.test(sentence, kept(check))
  // They wait long, each for an end of its own: all of them at the same time.
  const waiting = Object.entries(endPromises)
  t.jobs = waiting.length
  await Promise.all(waiting.map(([sentence, check]) => t.test(sentence, { buffered: true }, kept(check))))
}
