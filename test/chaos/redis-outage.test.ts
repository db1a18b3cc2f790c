import t from 'tap'
import { administer, eventually } from '../stores/redis/topologies.ts'
import { startRedis } from '../support/redis.ts'
import { type Instance, startFleet } from './fleet.ts'
import { startLoad } from './load.ts'
import { assertServed, countOutcomes } from './results.ts'
import { type Outage, startSessions, surviveOutage, switches } from './sessions.ts'
import { startSlowTokenEndpoint } from './slow-token-endpoint.ts'

t.test('Redis outages sign nobody out', async t => {
  // A killed process loses nothing that it has written to the page cache, so no fsync is needed. With `everysec`, a Redis on a busy disk
  // may acknowledge a write up to two seconds before it writes it; with `always` it waits for the disk.
  const redis = await startRedis(t, ['--appendonly', 'yes', '--appendfsync', 'no'])
  const endpoint = await startSlowTokenEndpoint(t, () => productboard.definition.methods.oauth2?.tokenUrl ?? '')
  const fleet = await startFleet(t, { redisUrl: redis.url, switches, environment: { PRODUCTBOARD_TOKEN_URL: endpoint.url } })
  const productboard = fleet.sandbox.vendor('productboard')

  const sessions = await startSessions(t, fleet)
  const outages: Record<string, Outage> = {
    'killed and restarted after two seconds': { inject: redis.stop, durationMs: 2000, recover: redis.start },
    'frozen for two seconds': { inject: redis.freeze, durationMs: 2000, recover: redis.thaw },
    'killed and restarted at once': { inject: redis.stop, recover: redis.start }
  }
  for (const [name, outage] of Object.entries(outages)) {
    await t.test(name, async t => {
      await surviveOutage(t, fleet, sessions, outage)
      await administer(redis, say =>
        eventually('every instance has its change feed again', async () => {
          const channels = (await say('PUBSUB', 'CHANNELS', 'grantkeeper:alive:*')) as unknown[]
          return channels.length === fleet.instances.length
        })
      )
    })
  }
  await sessions.stop()
  t.match(productboard.counts, { refusedRefreshes: 0, reuses: 0 }, 'no refresh token was reused')

  await t.test('killed during a token request: the new token is used from memory and saved later', async t => {
    const [holder] = fleet.instances as [Instance]
    const browser = await fleet.signIn('productboard')
    const path = '/proxy/productboard/v2/notes'
    productboard.reset()
    productboard.expireAccessTokens()
    const tokenRequest = endpoint.holdNext()
    const send = () => browser.copy().fetch(`${holder.url}${path}`)
    const reads = () =>
      administer(redis, async say => Number(/cmdstat_hmget:calls=(\d+)/.exec(String(await say('INFO', 'commandstats')))?.[1]))
    const first = send()
    await tokenRequest.received
    // Acquiring the lease evicted the session. The next request caches it again and waits for the same token.
    const before = await reads()
    const second = send()
    await eventually('the second request has read its session', async () => (await reads()) > before)
    await redis.stop()
    const stopMs = performance.now()
    await tokenRequest.forward()
    tokenRequest.respond()
    for (const response of await Promise.all([first, second])) t.equal(response.status, 200)

    const load = startLoad(t, [holder.url], browser, { path })
    await eventually('the new token has expired too', async () => countOutcomes(load.since(stopMs))['503 store_unavailable'] !== undefined)
    const startMs = performance.now()
    await redis.start()
    await load.recovered(startMs)
    await load.stop()
    assertServed(t, 'session', load.since(stopMs))
    for (const { url } of fleet.instances) t.equal((await browser.copy().fetch(`${url}${path}`)).status, 200)
    t.match(productboard.counts, { refusedRefreshes: 0, reuses: 0 })
  })
})
