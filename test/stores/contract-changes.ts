import type { ContractCases } from './contract.ts'
import { minute, records } from './records.ts'
import { eventually, untilReliable } from './redis/topologies.ts'

/** The change feed. */
export const changeCases: ContractCases = {
  async 'the change feed becomes reliable'(_t, { store, other }) {
    await Promise.all([store, other].map(untilReliable))
  },

  async 'every kind of change is reported, by either store'(t, { store, other }) {
    const reported: Array<string | undefined> = []
    for (const each of [store, other]) {
      await untilReliable(each)
      each.changes.subscribe(owner => reported.push(owner))
    }
    const reports = async (what: string, change: () => Promise<unknown>) => {
      reported.length = 0
      await change()
      await eventually(`both report ${what}`, async () => {
        for (const { changes } of [store, other]) changes.isReliable()
        return reported.filter(owner => owner === 'mine' || owner === undefined).length >= 2
      })
    }
    await reports('a put', () => store.commit('mine', { put: records({ a: '1', b: '2' }), ttlMs: minute }))
    await reports('an overwrite', () => other.commit('mine', { put: records({ a: '2' }) }))
    await reports('a removed record', () => store.commit('mine', { remove: ['b'] }))
    await reports('a deleted owner', () => other.deleteOwner('mine'))
    t.notOk(reported.includes('yours'))
  },

  async 'a write of a value wakes those who wait for its key'(_t, { store, other }) {
    await Promise.all([store, other].map(untilReliable))
    for (const writer of [store, other]) {
      const woken = store.changes.waitForChange('a key', minute)
      await writer.setValue('a key', Buffer.from('record'), minute)
      await woken
    }
  },

  async 'a waiter is woken by a change, or after its timeout'(t, { store, other }) {
    await Promise.all([store, other].map(untilReliable))
    await store.commit('mine', { put: records({ a: '1' }), ttlMs: minute })
    for (const writer of [store, other]) {
      const woken = store.changes.waitForChange('mine', minute)
      await writer.commit('mine', { put: records({ a: '2' }) })
      await woken
    }
    for (const waiter of [store, other]) {
      const lease = await store.acquire('mine', 'lease', minute)
      const woken = waiter.changes.waitForChange('mine', minute)
      await lease?.release()
      await woken
    }
    await store.changes.waitForChange('yours', 10)
    t.pass()
  },

  async 'a lease reports no change of records'(t, { store }) {
    await untilReliable(store)
    const reported: Array<string | undefined> = []
    store.changes.subscribe(owner => reported.push(owner))
    await store.commit('mine', { put: records({ a: '1' }), ttlMs: minute })
    await eventually('the commit is reported', async () => reported.includes('mine'))
    reported.length = 0
    const lease = await store.acquire('mine', 'lease', minute)
    await lease?.extend(minute)
    const woken = store.changes.waitForChange('mine', minute)
    await lease?.release()
    await woken
    store.changes.isReliable()
    t.same(reported, [])
  }
}
