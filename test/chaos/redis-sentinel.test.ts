import t from 'tap'
import { isMaster, startSentinel } from '../stores/topologies.ts'
import { startFleet } from './fleet.ts'
import { goThrough, startSessions, switches } from './sessions.ts'

t.test('a master is killed, its sentinels make a replica the master, and nobody is signed out', async t => {
  const { url, master, replicas } = await startSentinel(t, { replicas: 2, sentinels: 3 })
  const fleet = await startFleet(t, { redisUrl: url, switches })
  const sessions = await startSessions(t, fleet)
  // On a busy machine another may have become the master already.
  const servers = [master, ...replicas]
  const isMasterNow = await Promise.all(servers.map(isMaster))
  await goThrough(t, fleet, sessions, { begin: () => servers[isMasterNow.indexOf(true)]?.stop() })
  await sessions.stop()
  t.match(fleet.sandbox.vendor('productboard').counts, { refusedRefreshes: 0, reuses: 0 }, 'no refresh token was spent twice')
})
