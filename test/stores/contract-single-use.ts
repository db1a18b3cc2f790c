import type { PortPromises } from './contract.ts'
import { bytes, minute, records } from './records.ts'

/** What the port says of `claim`, `keep` and `acquire`. */
export const singleUsePromises: PortPromises = {
  async 'one of fifty concurrent callers has the claim'(t, { store, other, elapse }) {
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).claim('once', minute)))
    t.equal(claims.filter(Boolean).length, 1)
    t.ok(await store.claim('another', 20), 'keys are apart')
    await elapse(20)
    t.ok(await other.claim('another', minute), 'a claim ends by time')
    t.notOk(await store.claim('another', minute))
  },

  async 'what is kept under a key is there for everybody, and the last that was kept stays'(t, { store, other }) {
    t.equal(await store.getValue('a key'), undefined)
    await store.setValue('a key', bytes('first'), minute)
    t.same(await other.getValue('a key'), bytes('first'))
    await other.setValue('a key', Buffer.of(0, 255, 0), minute)
    t.same(await store.getValue('a key'), Buffer.of(0, 255, 0))
    t.equal(await store.getValue('another key'), undefined)
  },

  async 'a lease has one holder until it is released'(t, { store, other }) {
    const attempts = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).acquire('owner', 'lease', minute)))
    const holds = attempts.filter(hold => hold !== undefined)
    t.equal(holds.length, 1)
    t.ok(await store.acquire('owner', 'another', minute), 'names are apart')
    t.ok(await store.acquire('another', 'lease', minute), 'owners are apart')
    await holds[0]?.release()
    t.ok(await other.acquire('owner', 'lease', minute))
  },

  async 'a lease ends by time and is released only by its owner'(t, { store, other, elapse }) {
    const first = await store.acquire('owner', 'timed', 20)
    await elapse(20)
    const second = await other.acquire('owner', 'timed', minute)
    t.ok(second)
    await first?.release()
    t.equal(await store.acquire('owner', 'timed', minute), undefined, 'the first holder has not taken it from the second')
    await second?.release()
    await second?.release()
    t.ok(await store.acquire('owner', 'timed', minute))
  },

  async 'a holder that lives keeps its lease, however long the others have waited'(t, { store, other }) {
    await store.acquire('owner', 'silent', minute)
    t.equal(await other.acquire('owner', 'silent', minute, 2 * minute), undefined)
  },

  async 'owners, claims, leases and what is kept under one name are apart'(t, { store }) {
    await store.setValue('same', bytes('kept'), minute)
    t.ok(await store.claim('same', minute))
    t.ok(await store.acquire('same', 'same', minute))
    t.equal((await store.readAll('same')).size, 0)
    await store.commit('same', { put: records({ a: '1' }), ttlMs: minute })
    await store.deleteOwner('same')
    t.notOk(await store.claim('same', minute))
    t.equal(await store.acquire('same', 'same', minute), undefined)
    t.same(await store.getValue('same'), bytes('kept'))
  }
}
