import t from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { connected, connectedPair, openAt } from '../connected.ts'
import { storeContract } from '../contract.ts'
import { minute, records } from '../records.ts'
import { timed } from '../timed.ts'
import { eventually, startCluster, works } from './topologies.ts'

const owners = Array.from({ length: 30 }, (_, i) => `owner ${i}`)

/** Whose records cannot be changed. There are owners on every node, and each node is connected to by its first command. */
async function failed(store: Store): Promise<PromiseRejectedResult[]> {
  const commits = owners.map(owner => store.commit(owner, { put: records({ a: '1' }), ttlMs: minute }))
  return (await Promise.allSettled(commits)).filter(outcome => outcome.status === 'rejected')
}

const allAreThere = (store: Store) => async () => (await failed(store)).length === 0

t.test('a Cluster of three masters', async t => {
  const { url, nodes } = await startCluster(t)
  await t.test('the contract', t =>
    storeContract(t, async t => {
      const pair = await connectedPair(t, url)
      for (const opened of [pair.store, pair.other]) await eventually('every node is connected', allAreThere(opened))
      return pair
    })
  )

  await t.test('a node that is gone takes its own owners away and no others, until it is back', async t => {
    const store = openAt(t, url)
    await eventually('all owners are there', allAreThere(store))
    await nodes[0]?.stop()
    const { value: gone, ms } = await timed(() => failed(store))
    t.ok(ms < 800, `at once, not after trying again and again: ${ms} ms`)
    t.ok(gone.length > 0 && gone.length < owners.length, `${gone.length} of ${owners.length}`)
    const nobodyWaited = { message: /^(?!.*timed out)/ }
    for (const outcome of gone) t.match(outcome, { reason: { code: 'store_unavailable', cause: nobodyWaited } })

    await nodes[0]?.start()
    await eventually('all owners are back', allAreThere(store))
  })

  await t.test('a frozen Cluster is unavailable within a second', async t => {
    const store = await connected(t, url)
    for (const node of nodes) node.freeze()
    const calls: Array<() => Promise<unknown>> = [() => store.ping(), () => store.read('owner', ['a'])]
    for (const call of calls) {
      const { ms } = await timed(() => t.rejects(call, { code: 'store_unavailable' }))
      t.ok(ms < 1500, `${ms} ms`)
    }
    for (const node of nodes) node.thaw()
    await eventually('it works', works(store))
  })
})
