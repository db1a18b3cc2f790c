import type { PortPromises } from './contract.ts'
import { bytes, minute, records } from './records.ts'

/** What lives until its end, and ends then. They are checked at the same time: each has names of its own. */
export const endPromises: PortPromises = {
  async 'the end stays as it was when no time to live is given'(t, { store, elapse, livesMs }) {
    await store.commit('kept', { put: records({ a: '1' }), ttlMs: livesMs })
    t.ok(await store.commit('kept', { put: records({ b: '2' }), remove: ['a'] }))
    t.same(await store.read('kept', ['a', 'b']), [undefined, bytes('2')])
    await elapse(livesMs)
    t.equal((await store.readAll('kept')).size, 0)
  },

  async 'a time to live alone moves the end of all records'(t, { store, elapse, livesMs }) {
    await store.commit('moved', { put: records({ a: '1', b: '2' }), ttlMs: livesMs })
    t.ok(await store.commit('moved', { ttlMs: minute }))
    await elapse(livesMs)
    t.equal((await store.readAll('moved')).size, 2)
  },

  async 'replacing the only record keeps the end'(t, { store, elapse, livesMs }) {
    await store.commit('only', { put: records({ a: '1' }), ttlMs: livesMs })
    t.ok(await store.commit('only', { remove: ['a'], put: records({ b: '2' }) }))
    await elapse(livesMs)
    t.equal((await store.readAll('only')).size, 0)
  },

  async 'a commit is all or nothing'(t, { store, elapse, livesMs }) {
    await store.commit('all', { put: records({ a: '1', b: '2' }), ttlMs: livesMs })
    const before = await store.readAll('all')
    const change = { put: records({ a: 'x', c: 'x' }), remove: ['b'], ttlMs: minute } as const
    t.notOk(await store.commit('all', { ...change, expect: records({ a: '1', b: 'x' }) }))
    t.same(await store.readAll('all'), before)
    await elapse(livesMs)
    t.equal((await store.readAll('all')).size, 0, 'its end was not moved either')
  },

  async 'a count goes up for everybody, and begins again when its time is over'(t, { store, other, elapse, livesMs }) {
    const counts = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).increment('calls', minute)))
    t.same(
      counts.map(({ count }) => count).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1)
    )
    for (const { endsInMs } of counts) t.ok(endsInMs > 0 && endsInMs <= minute)
    t.equal((await store.increment('another', livesMs)).count, 1)
    t.equal((await other.increment('another', minute)).count, 2)
    await elapse(livesMs)
    t.equal((await store.increment('another', minute)).count, 1)
  },

  async 'what is kept ends by its own time, and anew each time it is kept'(t, { store, other, elapse, livesMs }) {
    await store.setValue('brief', bytes('1'), livesMs)
    await store.setValue('renewed', bytes('1'), livesMs)
    await other.setValue('renewed', bytes('2'), minute)
    await elapse(livesMs)
    t.equal(await other.getValue('brief'), undefined)
    t.same(await store.getValue('renewed'), bytes('2'))
  },

  async 'a lease lives on while its holder extends it, and only then'(t, { store, other, elapse, livesMs }) {
    const hold = await store.acquire('owner', 'extended', livesMs)
    t.equal(await hold?.extend(minute), true)
    await elapse(livesMs)
    t.equal(await other.acquire('owner', 'extended', minute), undefined)
    t.equal(await hold?.extend(20), true)
    await elapse(20)
    t.equal(await hold?.extend(minute), false, 'what has ended is not revived')
    const next = await other.acquire('owner', 'extended', minute)
    t.ok(next)
    t.equal(await hold?.extend(minute), false, 'nor taken back')
    await hold?.release()
    t.equal(await next?.extend(minute), true)
  }
}
