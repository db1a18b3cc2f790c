import type { Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { changeCases } from './contract-changes.ts'
import { commitCases } from './contract-commit.ts'
import { expiryCases } from './contract-expiry.ts'
import { recordCases } from './contract-records.ts'
import { singleUseCases } from './contract-single-use.ts'

/** Two stores on the same records, as two instances of the gateway have them, and their common clock. */
export type StorePair = {
  store: Store
  other: Store
  elapse(ms: number): Promise<void>
  /** Long enough that records still exist at the next calls, however slow the machine is. */
  ttlMs: number
}

/** The promises of the port, by a sentence each. */
export type ContractCases = Record<string, ContractCase>
type ContractCase = (t: Test, stores: StorePair) => Promise<void>

const cases: ContractCases = {
  async 'the store has a description and responds to a ping'(t, { store }) {
    t.match(store.description, /\w+/)
    await store.ping()
  },

  ...recordCases,
  ...commitCases,
  ...singleUseCases,
  ...changeCases,

  async 'after close every call is rejected with store_unavailable'(t, { store }) {
    await store.close()
    await store.close()
    await t.rejects(store.ping(), { code: 'store_unavailable', retryAfter: 1 })
    await t.rejects(store.read('a', ['a']), { code: 'store_unavailable' })
  }
}

/** Checks a store against the `Store` port. */
export async function storeContract(t: Test, open: (t: Test) => Promise<StorePair>): Promise<void> {
  const withStores = (check: ContractCase) => async (t: Test) => {
    const stores = await open(t)
    t.teardown(() => Promise.all([stores.store.close(), stores.other.close()]))
    await check(t, stores)
  }
  for (const [sentence, check] of Object.entries(cases)) await t.test(sentence, withStores(check))
  // Each of these waits long for an expiry: they run in parallel.
  const slowCases = Object.entries(expiryCases)
  t.jobs = slowCases.length
  await Promise.all(slowCases.map(([sentence, check]) => t.test(sentence, { buffered: true }, withStores(check))))
}
