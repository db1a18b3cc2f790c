import type { PortPromises } from './contract.ts'
import { minute, records } from './records.ts'
import { eventually } from './redis/topologies.ts'

/** What the port says of `watch`. */
export const watchPromises: PortPromises = {
  async 'the word on changes becomes complete'(_t, { store, other }) {
    for (const { changes } of [store, other]) await eventually('it is complete', async () => changes.isReliable())
  },

  async 'every kind of change is told, by whomever it was made'(t, { store, other }) {
    const told: Array<string | undefined> = []
    for (const { changes } of [store, other]) {
      await eventually('it is complete', async () => changes.isReliable())
      changes.subscribe(owner => told.push(owner))
    }
    const tells = async (what: string, change: () => Promise<unknown>) => {
      told.length = 0
      await change()
      await eventually(`both are told of ${what}`, async () => {
        for (const { changes } of [store, other]) changes.isReliable()
        return told.filter(owner => owner === 'mine' || owner === undefined).length >= 2
      })
    }
    await tells('a put', () => store.commit('mine', { put: records({ a: '1', b: '2' }), ttlMs: minute }))
    await tells('a put over it', () => other.commit('mine', { put: records({ a: '2' }) }))
    await tells('an erased record', () => store.commit('mine', { remove: ['b'] }))
    await tells('an erased owner', () => other.deleteOwner('mine'))
    t.notOk(told.includes('yours'))
  },

  async 'who waits for what is kept under a key is woken when it is'(_t, { store, other }) {
    for (const { changes } of [store, other]) await eventually('it is complete', async () => changes.isReliable())
    for (const writer of [store, other]) {
      const woken = store.changes.waitForChange('a key', minute)
      await writer.setValue('a key', Buffer.from('record'), minute)
      await woken
    }
  },

  async 'who waits for a change is woken by it, or after the time they gave'(t, { store, other }) {
    for (const { changes } of [store, other]) await eventually('it is complete', async () => changes.isReliable())
    await store.commit('mine', { put: records({ a: '1' }), ttlMs: minute })
    for (const writer of [store, other]) {
      const woken = store.changes.waitForChange('mine', minute)
      await writer.commit('mine', { put: records({ a: '2' }) })
      await woken
    }
    for (const waiter of [store, other]) {
      const hold = await store.acquire('mine', 'lease', minute)
      const woken = waiter.changes.waitForChange('mine', minute)
      await hold?.release()
      await woken
    }
    await store.changes.waitForChange('yours', 10)
    t.pass('all of them')
  },

  async 'a lease leaves what is held of the records as true as it was'(t, { store }) {
    await eventually('it is complete', async () => store.changes.isReliable())
    const told: Array<string | undefined> = []
    store.changes.subscribe(owner => told.push(owner))
    await store.commit('mine', { put: records({ a: '1' }), ttlMs: minute })
    await eventually('the commit is told', async () => told.includes('mine'))
    told.length = 0
    const hold = await store.acquire('mine', 'lease', minute)
    await hold?.extend(minute)
    const woken = store.changes.waitForChange('mine', minute)
    await hold?.release()
    await woken
    store.changes.isReliable()
    t.same(told, [])
  }
}
