import t from 'tap'
import { administer, eventually, isMaster, startCluster } from '../stores/redis/topologies.ts'
import type { RedisServer } from '../support/redis.ts'
import { startFleet } from './fleet.ts'
import { nextRenewal, startSessions, surviveOutage, switches } from './sessions.ts'

/** Long enough that a master which only lacks CPU time is not failed over. */
const longTimeoutMs = 30_000

t.test('Redis Cluster: resharding and a failover sign nobody out', async t => {
  const { url, nodes, nodeTimeout } = await startCluster(t, { replicas: 1, nodeTimeoutMs: longTimeoutMs })
  const fleet = await startFleet(t, { redisUrl: url, switches })
  const sessions = await startSessions(t, fleet)

  await t.test('every slot in use moves to another master', async t => {
    await surviveOutage(t, fleet, sessions, { inject: () => moveSlots(nodes.slice(0, 3), () => nextRenewal(fleet)) })
  })
  await t.test('the master of a session with renewals freezes, and its replica takes over', async t => {
    const ownsSession = await Promise.all(nodes.map(async node => (await isMaster(node)) && holdsRenewing(node)))
    const [home] = nodes.splice(ownsSession.indexOf(true), 1) as [RedisServer]
    const masters = async () => (await Promise.all(nodes.map(isMaster))).filter(Boolean).length
    await surviveOutage(t, fleet, sessions, {
      inject: async () => {
        home.freeze()
        await nodeTimeout(1000, nodes)
      },
      recover: async () => {
        await eventually('its replica is promoted', async () => (await masters()) === 3)
        await nodeTimeout(longTimeoutMs, nodes)
      }
    })
  })
  await sessions.stop()
  t.match(fleet.sandbox.vendor('productboard').counts, { refusedRefreshes: 0, reuses: 0 }, 'no refresh token was reused')
})

const ownersIn = (node: RedisServer): Promise<string[]> => administer(node, async say => (await say('KEYS', 'grantkeeper:{*}')) as string[])

const holdsRenewing = async (node: RedisServer): Promise<boolean> => {
  const owners = await ownersIn(node)
  return administer(node, async say => {
    const found = await Promise.all(owners.map(owner => say('HEXISTS', owner, 'connection:productboard')))
    return found.includes(1)
  })
}

/**
 * Moves each master's slots in use to the next master, as `redis-cli --cluster reshard` does.
 * @param halfway runs when the keys have moved and most nodes do not know it yet
 */
async function moveSlots(masters: readonly RedisServer[], halfway: () => Promise<void>): Promise<void> {
  const ids = await Promise.all(masters.map(node => administer(node, async say => String(await say('CLUSTER', 'MYID')))))
  const moves = await Promise.all(
    masters.map(async (from, i) => {
      const next = (i + 1) % masters.length
      const keys = await ownersIn(from)
      const slots = await administer(from, say => Promise.all(keys.map(async key => Number(await say('CLUSTER', 'KEYSLOT', key)))))
      return { from, fromId: ids[i] ?? '', to: masters[next] as RedisServer, toId: ids[next] ?? '', slots: [...new Set(slots)] }
    })
  )
  for (const { from, fromId, to, toId, slots } of moves) {
    for (const slot of slots) {
      await administer(to, say => say('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId))
      await administer(from, async say => {
        await say('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
        await eventually('the slot is empty', async () => {
          const keys = (await say('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
          if (keys.length > 0) await say('MIGRATE', '127.0.0.1', to.port, '', 0, 1000, 'KEYS', ...keys)
          return keys.length === 0
        })
      })
    }
  }
  await halfway()
  for (const { from, to, toId, slots } of moves) {
    for (const slot of slots) for (const node of [to, from]) await administer(node, say => say('CLUSTER', 'SETSLOT', slot, 'NODE', toId))
  }
}
