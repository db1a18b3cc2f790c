import { randomBytes } from 'node:crypto'
import type { ContractCases } from './contract.ts'
import { bytes, minute, records } from './records.ts'

/** How records are read, and when they expire. */
export const recordCases: ContractCases = {
  async 'records are read in the order of the fields, absent ones as undefined'(t, { store, other }) {
    t.ok(await store.commit('order', { put: records({ a: '1', b: '2', c: '3' }), ttlMs: minute }))
    t.same(await other.read('order', ['c', 'x', 'a', 'c']), [bytes('3'), undefined, bytes('1'), bytes('3')])
    t.same(await other.readAll('order'), new Map(records({ a: '1', b: '2', c: '3' })))
    t.same(await other.read('order', []), [])
  },

  async 'an owner without records reads as empty'(t, { store }) {
    t.same(await store.read('nobody', ['a']), [undefined])
    t.same(await store.readAll('nobody'), new Map())
    await store.deleteOwner('nobody')
  },

  async 'the records of two owners are separate'(t, { store }) {
    await store.commit('mine', { put: records({ a: 'mine' }), ttlMs: minute })
    await store.commit('yours', { put: records({ a: 'yours' }), ttlMs: minute })
    await store.deleteOwner('yours')
    t.same(await store.read('mine', ['a']), [bytes('mine')])
  },

  async 'the records of one owner expire together'(t, { store, elapse }) {
    await store.commit('end', { put: records({ a: '1' }), ttlMs: minute })
    await store.commit('end', { put: records({ b: '2' }), ttlMs: 50 })
    await elapse(50)
    t.same(await store.read('end', ['a', 'b']), [undefined, undefined])
    t.equal((await store.readAll('end')).size, 0)
  },

  async 'expired records do not come back with new ones'(t, { store, elapse }) {
    await store.commit('again', { put: records({ old: '1' }), ttlMs: 20 })
    await elapse(20)
    t.notOk(await store.commit('again', { put: records({ new: '2' }) }), 'without a TTL there is no owner to add to')
    t.notOk(await store.commit('again', { expect: records({ old: '1' }), ttlMs: minute }))
    t.ok(await store.commit('again', { expect: [['old', undefined]], put: records({ new: '2' }), ttlMs: minute }))
    t.same([...(await store.readAll('again')).keys()], ['new'])
  },

  async 'every owner has a TTL'(t, { store }) {
    t.notOk(await store.commit('immortal', { put: records({ a: '1' }) }))
    t.notOk(await store.commit('immortal', {}))
    t.equal((await store.readAll('immortal')).size, 0)
    t.ok(await store.commit('immortal', { ttlMs: minute }), 'a TTL alone makes no owner')
    t.notOk(await store.commit('immortal', { put: records({ a: '1' }) }))
    await store.commit('immortal', { put: records({ a: '1' }), ttlMs: minute })
    t.ok(await store.commit('immortal', { remove: ['a'] }))
    t.notOk(await store.commit('immortal', { put: records({ a: '1' }) }), 'an owner whose records are all removed is gone')
  },

  async 'any bytes are read as they were written'(t, { store }) {
    const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const large = randomBytes(1024 * 1024)
    await store.commit('bytes', {
      put: [
        ['all', allBytes],
        ['empty', Buffer.alloc(0)],
        ['large', large]
      ],
      ttlMs: minute
    })
    t.ok(
      await store.commit('bytes', {
        expect: [
          ['all', allBytes.subarray(0, 200)],
          ['large', large],
          ['empty', Buffer.alloc(0)]
        ]
      })
    )
    const read = await store.read('bytes', ['all', 'empty', 'large'])
    for (const record of read) t.ok(Buffer.isBuffer(record))
    t.ok(allBytes.equals(read[0] ?? bytes('')))
    t.equal(read[1]?.length, 0)
    t.ok(large.equals(read[2] ?? bytes('')))
  },

  async 'any text can name an owner, a field or a key'(t, { store }) {
    const names = [
      '',
      ' ',
      '{}',
      'a}b',
      '}:claim',
      '__proto__',
      'constructor',
      '10',
      'a\0b',
      'a\0c',
      "'; --",
      '%_*?',
      'é😀',
      'n'.repeat(2000)
    ]
    for (const owner of names) {
      t.ok(await store.commit(owner, { put: names.map(field => [field, bytes(owner + field)] as const), ttlMs: minute }))
      t.ok(await store.claim(owner, minute))
      t.ok(await store.acquire(owner, owner, minute))
    }
    for (const owner of names) {
      t.same(
        await store.read(owner, names),
        names.map(field => bytes(owner + field))
      )
      const all = await store.readAll(owner)
      t.same(
        names.map(field => all.get(field)),
        names.map(field => bytes(owner + field))
      )
      t.equal(all.size, names.length)
    }
  },

  async 'a scan by expiry finds the owners that expire in time, and no others'(t, { store, other, elapse, ttlMs }) {
    const soon = [...Array(1_100).keys()].map(i => `expiring-${i}`).concat(['expiring}b', "expiring'; --", 'expiring\0b'])
    for (let i = 0; i < soon.length; i += 50) {
      await Promise.all(soon.slice(i, i + 50).map(name => store.commit(name, { put: records({ a: '1' }), ttlMs: 2 * minute })))
    }
    await store.commit('expiring later', { put: records({ a: '1' }), ttlMs: 10 * minute })
    await store.commit('expiring by now', { put: records({ a: '1' }), ttlMs })
    await elapse(ttlMs)
    const found = async (withinMs: number) => {
      const names = new Set<string>()
      for await (const owners of other.scanOwners(withinMs)) for (const owner of owners) names.add(owner)
      return [...names].filter(name => name.startsWith('expiring')).sort()
    }
    t.strictSame(await found(5 * minute), soon.sort())
    t.strictSame(await found(ttlMs), [])
  },

  async 'a scan finds all owners that have records, and no others'(t, { store, other, elapse }) {
    const names = [...Array(1_200).keys()].map(i => `owner-${i}`).concat(['a}b', '}:claim', '{}', '%_*?', 'é😀', "'; --", 'a\0b'])
    // The deadline of a call starts with the call: of all calls at once, the last might miss it.
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(names.slice(i, i + 50).map(name => store.commit(name, { put: records({ a: '1' }), ttlMs: minute })))
    }
    await store.commit('expired', { put: records({ a: '1' }), ttlMs: 20 })
    await store.commit('deleted', { put: records({ a: '1' }), ttlMs: minute })
    await store.deleteOwner('deleted')
    await store.claim('claimed', minute)
    await store.acquire('leased', '{}', minute)
    await store.increment('counted', minute)
    await elapse(20)
    const found = new Set<string>()
    for await (const owners of other.scanOwners()) for (const owner of owners) found.add(owner)
    t.strictSame(
      names.filter(name => !found.has(name)),
      []
    )
    const others = ['expired', 'deleted', 'claimed', 'leased', 'counted', '{}:claim', '{}:lease:{']
    t.strictSame(
      others.filter(name => found.has(name)),
      []
    )
  }
}
