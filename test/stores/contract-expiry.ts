import type { ContractCases } from './contract.ts'
import { bytes, minute, records } from './records.ts'

/** What expires, and when. These cases run in parallel, so each has names of its own. */
export const expiryCases: ContractCases = {
  async 'the expiry stays when no TTL is given'(t, { store, elapse, ttlMs }) {
    await store.commit('unchanged', { put: records({ a: '1' }), ttlMs })
    t.ok(await store.commit('unchanged', { put: records({ b: '2' }), remove: ['a'] }))
    t.same(await store.read('unchanged', ['a', 'b']), [undefined, bytes('2')])
    await elapse(ttlMs)
    t.equal((await store.readAll('unchanged')).size, 0)
  },

  async 'a TTL alone moves the expiry of all records'(t, { store, elapse, ttlMs }) {
    await store.commit('moved', { put: records({ a: '1', b: '2' }), ttlMs })
    t.ok(await store.commit('moved', { ttlMs: minute }))
    await elapse(ttlMs)
    t.equal((await store.readAll('moved')).size, 2)
  },

  async 'replacing the only record does not change the expiry'(t, { store, elapse, ttlMs }) {
    await store.commit('only', { put: records({ a: '1' }), ttlMs })
    t.ok(await store.commit('only', { remove: ['a'], put: records({ b: '2' }) }))
    await elapse(ttlMs)
    t.equal((await store.readAll('only')).size, 0)
  },

  async 'a commit is all or nothing'(t, { store, elapse, ttlMs }) {
    await store.commit('all', { put: records({ a: '1', b: '2' }), ttlMs })
    const before = await store.readAll('all')
    const change = { put: records({ a: 'x', c: 'x' }), remove: ['b'], ttlMs: minute } as const
    t.notOk(await store.commit('all', { ...change, expect: records({ a: '1', b: 'x' }) }))
    t.same(await store.readAll('all'), before)
    await elapse(ttlMs)
    t.equal((await store.readAll('all')).size, 0, 'its expiry was not moved either')
  },

  async 'a count is shared and starts again after its window'(t, { store, other, elapse, ttlMs }) {
    const counts = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).increment('shared', minute)))
    t.same(
      counts.map(({ count }) => count).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1)
    )
    for (const { endsInMs } of counts) t.ok(endsInMs > 0 && endsInMs <= minute)
    t.equal((await store.increment('another', ttlMs)).count, 1)
    t.equal((await other.increment('another', minute)).count, 2)
    await elapse(ttlMs)
    t.equal((await store.increment('another', minute)).count, 1)
  },

  async 'a value expires by its own TTL, which each write sets again'(t, { store, other, elapse, ttlMs }) {
    await store.setValue('brief', bytes('1'), ttlMs)
    await store.setValue('renewed', bytes('1'), ttlMs)
    await other.setValue('renewed', bytes('2'), minute)
    await elapse(ttlMs)
    t.equal(await other.getValue('brief'), undefined)
    t.same(await store.getValue('renewed'), bytes('2'))
  },

  async 'a lease lasts while its holder extends it, and no longer'(t, { store, other, elapse, ttlMs }) {
    const lease = await store.acquire('owner', 'extended', ttlMs)
    t.equal(await lease?.extend(minute), true)
    await elapse(ttlMs)
    t.equal(await other.acquire('owner', 'extended', minute), undefined)
    t.equal(await lease?.extend(20), true)
    await elapse(20)
    t.equal(await lease?.extend(minute), false, 'an expired lease is not revived')
    const next = await other.acquire('owner', 'extended', minute)
    t.ok(next)
    t.equal(await lease?.extend(minute), false, 'nor taken from the next holder')
    await lease?.release()
    t.equal(await next?.extend(minute), true)
  }
}
