import type { PortPromises } from './contract.ts'
import { minute, records } from './records.ts'

/** What the port says of `claim` and `acquire`. */
export const singleUsePromises: PortPromises = {
  async 'one of fifty concurrent callers has the claim'(t, { store, other, elapse }) {
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).claim('once', minute)))
    t.equal(claims.filter(Boolean).length, 1)
    t.ok(await store.claim('another', 20), 'keys are apart')
    await elapse(20)
    t.ok(await other.claim('another', minute), 'a claim ends by time')
    t.notOk(await store.claim('another', minute))
  },

  async 'a lease has one holder until it is released'(t, { store, other }) {
    const attempts = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? store : other).acquire('lease', minute)))
    const releases = attempts.filter(release => release !== undefined)
    t.equal(releases.length, 1)
    t.ok(await store.acquire('another', minute), 'keys are apart')
    await releases[0]?.()
    t.ok(await other.acquire('lease', minute))
  },

  async 'a lease ends by time and is released only by its owner'(t, { store, other, elapse }) {
    const first = await store.acquire('timed', 20)
    await elapse(20)
    const second = await other.acquire('timed', minute)
    t.ok(second)
    await first?.()
    t.equal(await store.acquire('timed', minute), undefined, 'the first holder has not taken it from the second')
    await second?.()
    await second?.()
    t.ok(await store.acquire('timed', minute))
  },

  async 'owners, claims and leases of one name are apart'(t, { store }) {
    t.ok(await store.claim('same', minute))
    t.ok(await store.acquire('same', minute))
    t.equal((await store.readAll('same')).size, 0)
    await store.commit('same', { put: records({ a: '1' }), ttlMs: minute })
    await store.erase('same')
    t.notOk(await store.claim('same', minute))
    t.equal(await store.acquire('same', minute), undefined)
  }
}
