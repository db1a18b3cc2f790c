import type { ContractCases } from './contract.ts'
import { bytes, minute, records } from './records.ts'

/** Claims, values and leases. */
export const singleUseCases: ContractCases = {
  async 'one of fifty concurrent callers gets the claim'(t, { store, other, elapse }) {
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).claim('once', minute)))
    t.equal(claims.filter(Boolean).length, 1)
    t.ok(await store.claim('another', 20), 'keys are separate')
    await elapse(20)
    t.ok(await other.claim('another', minute), 'a claim expires')
    t.notOk(await store.claim('another', minute))
  },

  async 'a value is shared, and the last write wins'(t, { store, other }) {
    t.equal(await store.getValue('a key'), undefined)
    await store.setValue('a key', bytes('first'), minute)
    t.same(await other.getValue('a key'), bytes('first'))
    await other.setValue('a key', Buffer.of(0, 255, 0), minute)
    t.same(await store.getValue('a key'), Buffer.of(0, 255, 0))
    t.equal(await store.getValue('another key'), undefined)
  },

  async 'a lease has one holder until it is released'(t, { store, other }) {
    const attempts = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).acquire('owner', 'lease', minute)))
    const leases = attempts.filter(lease => lease !== undefined)
    t.equal(leases.length, 1)
    t.ok(await store.acquire('owner', 'another', minute), 'names are separate')
    t.ok(await store.acquire('another', 'lease', minute), 'owners are separate')
    await leases[0]?.release()
    t.ok(await other.acquire('owner', 'lease', minute))
  },

  async 'a lease expires, and only its holder can release it'(t, { store, other, elapse }) {
    const first = await store.acquire('owner', 'timed', 20)
    await elapse(20)
    const second = await other.acquire('owner', 'timed', minute)
    t.ok(second)
    await first?.release()
    t.equal(await store.acquire('owner', 'timed', minute), undefined, 'the first holder has not released the lease of the second')
    await second?.release()
    await second?.release()
    t.ok(await store.acquire('owner', 'timed', minute))
  },

  async 'a living holder keeps its lease, however long others have waited'(t, { store, other }) {
    await store.acquire('owner', 'silent', minute)
    t.equal(await other.acquire('owner', 'silent', minute, 2 * minute), undefined)
  },

  async 'owners, claims, leases and values of one name are separate'(t, { store }) {
    await store.setValue('same', bytes('value'), minute)
    t.ok(await store.claim('same', minute))
    t.ok(await store.acquire('same', 'same', minute))
    t.equal((await store.readAll('same')).size, 0)
    await store.commit('same', { put: records({ a: '1' }), ttlMs: minute })
    await store.deleteOwner('same')
    t.notOk(await store.claim('same', minute))
    t.equal(await store.acquire('same', 'same', minute), undefined)
    t.same(await store.getValue('same'), bytes('value'))
  }
}
