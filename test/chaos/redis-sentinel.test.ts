import t from 'tap'
import { eventually, isMaster, startSentinel } from '../stores/redis/topologies.ts'
import { startFleet } from './fleet.ts'
import { startSessions, surviveOutage, switches } from './sessions.ts'

t.test('a master is killed, its sentinels make a replica the master, and nobody is signed out', async t => {
  const patientMs = 30_000
  const { url, master, replicas, downAfter } = await startSentinel(t, { replicas: 2, sentinels: 3, downAfterMs: patientMs })
  const fleet = await startFleet(t, { redisUrl: url, switches })
  const sessions = await startSessions(t, fleet)
  await surviveOutage(t, fleet, sessions, {
    inject: async () => {
      await master.stop()
      await downAfter(1000)
    },
    // A master that a busy machine does not let run is not to be taken for gone as well.
    recover: async () => {
      await eventually('a replica is the master', async () => (await Promise.all(replicas.map(isMaster))).includes(true))
      await downAfter(patientMs)
    }
  })
  await sessions.stop()
  t.match(fleet.sandbox.vendor('productboard').counts, { refusedRefreshes: 0, reuses: 0 }, 'no refresh token was spent twice')
})
