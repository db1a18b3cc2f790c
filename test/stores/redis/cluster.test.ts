import t from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { storeContract } from '../contract.ts'
import { openConnected, openConnectedPair, openRedisAt } from '../open-redis.ts'
import { minute, records } from '../records.ts'
import { timed } from '../timed.ts'
import { eventually, pingSucceeds, startCluster } from './topologies.ts'

const owners = Array.from({ length: 30 }, (_, i) => `owner ${i}`)

/** The commits that fail. There are owners on every node, and the first command to a node opens its connection. */
async function failedCommits(store: Store): Promise<PromiseRejectedResult[]> {
  const commits = owners.map(owner => store.commit(owner, { put: records({ a: '1' }), ttlMs: minute }))
  return (await Promise.allSettled(commits)).filter(outcome => outcome.status === 'rejected')
}

const allCommitsSucceed = (store: Store) => async () => (await failedCommits(store)).length === 0

t.test('a Cluster of three masters', async t => {
  const { url, nodes } = await startCluster(t)
  await t.test('the contract', t =>
    storeContract(t, async t => {
      const pair = await openConnectedPair(t, url)
      for (const opened of [pair.store, pair.other]) await eventually('every node is connected', allCommitsSucceed(opened))
      return pair
    })
  )

  await t.test('when a node is down only its own owners are unavailable', async t => {
    const store = openRedisAt(t, url)
    await eventually('all commits succeed', allCommitsSucceed(store))
    await nodes[0]?.stop()
    const { value: failures, ms } = await timed(() => failedCommits(store))
    t.ok(ms < 800, `at once, without retries: ${ms} ms`)
    t.ok(failures.length > 0 && failures.length < owners.length, `${failures.length} of ${owners.length}`)
    const noTimeout = { message: /^(?!.*timed out)/ }
    for (const outcome of failures) t.match(outcome, { reason: { code: 'store_unavailable', cause: noTimeout } })

    await nodes[0]?.start()
    await eventually('all commits succeed again', allCommitsSucceed(store))
  })

  await t.test('a frozen Cluster is unavailable within a second', async t => {
    const store = await openConnected(t, url)
    for (const node of nodes) node.freeze()
    const calls: Array<() => Promise<unknown>> = [() => store.ping(), () => store.read('owner', ['a'])]
    for (const call of calls) {
      const { ms } = await timed(() => t.rejects(call, { code: 'store_unavailable' }))
      t.ok(ms < 1500, `${ms} ms`)
    }
    for (const node of nodes) node.thaw()
    await eventually('the store works', pingSucceeds(store))
  })
})
