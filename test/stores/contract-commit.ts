import type { Store } from '../../src/core/ports.ts'
import type { ContractCases } from './contract.ts'
import { bytes, minute, records } from './records.ts'

/** How records change, with concurrent writers too. */
export const commitCases: ContractCases = {
  async 'a field that is both put and removed is removed'(t, { store }) {
    t.ok(await store.commit('both', { put: records({ a: '1', b: '2' }), remove: ['a', 'absent'], ttlMs: minute }))
    t.same([...(await store.readAll('both')).keys()], ['b'])
  },

  async 'an expectation holds while the record begins with the prefix'(t, { store }) {
    await store.commit('prefix', { put: records({ a: 'v1:sealed' }), ttlMs: minute })
    const commit = (prefix: string) => store.commit('prefix', { expect: [['a', bytes(prefix)]], put: [['seen', bytes(prefix)]] })
    t.ok(await commit('v1:'))
    t.ok(await commit('v1:sealed'))
    t.ok(await commit(''))
    t.notOk(await commit('v2:'))
    t.notOk(await commit('1:'))
    t.notOk(await commit('v1:sealed and more'))
    t.notOk(await store.commit('prefix', { expect: records({ b: '' }) }), 'an absent record begins with nothing')
    t.same(await store.read('prefix', ['seen']), [bytes('')])
  },

  async 'an expectation of absence fails on a record, an empty one too'(t, { store }) {
    const create = { expect: [['a', undefined]], put: records({ a: '' }), ttlMs: minute } as const
    t.ok(await store.commit('absent', create))
    t.notOk(await store.commit('absent', create))
  },

  async 'expecting no records fails on any record of the owner'(t, { store }) {
    const create = { expectNone: true, put: records({ a: '1' }), ttlMs: minute } as const
    t.ok(await store.commit('none', create))
    t.notOk(await store.commit('none', { ...create, put: records({ b: '2' }) }))
    t.same([...(await store.readAll('none')).keys()], ['a'])
    await store.deleteOwner('none')
    t.ok(await store.commit('none', create))
    t.notOk(await store.commit('nobody', { expectNone: true, put: records({ a: '1' }) }), 'a new owner needs a TTL')
  },

  async 'one of a hundred concurrent commits that expect no records succeeds'(t, { store, other }) {
    const create = (i: number) =>
      (i % 2 ? store : other).commit('created', { expectNone: true, put: records({ [`by ${i}`]: '' }), ttlMs: minute })
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => create(i)))
    t.equal(outcomes.filter(Boolean).length, 1)
    t.same([...(await store.readAll('created')).keys()], [`by ${outcomes.indexOf(true)}`])
  },

  async 'deleteOwner deletes every record'(t, { store, other }) {
    await store.commit('deleted', { put: records({ a: '1', b: '2' }), ttlMs: minute })
    await store.deleteOwner('deleted')
    t.equal((await other.readAll('deleted')).size, 0)
  },

  async 'deleteOwner wins over a commit in flight'(t, { store, other }) {
    for (let round = 0; round < 20; round++) {
      await store.commit('race', { put: records({ a: '1' }), ttlMs: minute })
      const commit = () => other.commit('race', { expect: records({ a: '1' }), put: records({ a: '12' }), ttlMs: minute })
      await Promise.all([commit(), store.deleteOwner('race'), commit()])
      t.notOk(await commit())
      t.equal((await store.readAll('race')).size, 0)
    }
  },

  async 'one of a hundred concurrent commits that expect the same record succeeds'(t, { store, other }) {
    await store.commit('expected', { put: records({ a: 'old' }), ttlMs: minute })
    const commit = (i: number) =>
      (i % 2 ? store : other).commit('expected', { expect: records({ a: 'old' }), put: records({ a: `new ${i}` }) })
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => commit(i)))
    t.equal(outcomes.filter(Boolean).length, 1)
    t.same(await store.read('expected', ['a']), [bytes(`new ${outcomes.indexOf(true)}`)])
  },

  async 'a hundred increments by twenty concurrent callers are all counted'(t, { store, other }) {
    await store.commit('sum', { put: records({ n: '0.' }), ttlMs: minute })
    const increment = async (store: Store): Promise<void> => {
      const [old = bytes('')] = await store.read('sum', ['n'])
      const next = bytes(`${Number.parseInt(old.toString(), 10) + 1}.`)
      if (!(await store.commit('sum', { expect: [['n', old]], put: [['n', next]] }))) await increment(store)
    }
    const caller = async (i: number) => {
      for (let n = 0; n < 5; n++) await increment(i % 2 ? store : other)
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => caller(i)))
    t.same(await store.read('sum', ['n']), [bytes('100.')])
  }
}
