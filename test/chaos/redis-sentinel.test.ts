import t from 'tap'
import { eventually, isMaster, startSentinel } from '../stores/redis/topologies.ts'
import { startFleet } from './fleet.ts'
import { startSessions, surviveOutage, switches } from './sessions.ts'

t.test('Redis Sentinel: a failover signs nobody out', async t => {
  const longTimeoutMs = 30_000
  const { url, master, replicas, downAfter } = await startSentinel(t, { replicas: 2, sentinels: 3, downAfterMs: longTimeoutMs })
  const fleet = await startFleet(t, { redisUrl: url, switches })
  const sessions = await startSessions(t, fleet)
  await surviveOutage(t, fleet, sessions, {
    inject: async () => {
      await master.stop()
      await downAfter(1000)
    },
    // The long timeout keeps the new master from being failed over when it only lacks CPU time.
    recover: async () => {
      await eventually('a replica is promoted', async () => (await Promise.all(replicas.map(isMaster))).includes(true))
      await downAfter(longTimeoutMs)
    }
  })
  await sessions.stop()
  t.match(fleet.sandbox.vendor('productboard').counts, { refusedRefreshes: 0, reuses: 0 }, 'no refresh token was reused')
})
