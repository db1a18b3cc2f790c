import t from 'tap'
import { administer, eventually } from '../stores/redis/topologies.ts'
import { startRedis } from '../support/redis.ts'
import { type Instance, startFleet } from './fleet.ts'
import { startLoad } from './load.ts'
import { assertServed, countOutcomes } from './results.ts'
import { type Outage, startSessions, surviveOutage, switches } from './sessions.ts'
import { startSlowTokenEndpoint } from './slow-token-endpoint.ts'

t.test('Redis goes and comes back, and nobody is signed out', async t => {
  // It is killed, and not its machine: what it has handed to the system is kept. With `everysec`, a Redis whose disk is busy may answer
  // for up to two seconds before it does that; with `always` it waits for the disk, however slow that is.
  const redis = await startRedis(t, ['--appendonly', 'yes', '--appendfsync', 'no'])
  const endpoint = await startSlowTokenEndpoint(t, () => `${productboard.issuer}/token`)
  const fleet = await startFleet(t, { redisUrl: redis.url, switches, environment: { PRODUCTBOARD_TOKEN_URL: endpoint.url } })
  const productboard = fleet.sandbox.vendor('productboard')

  const sessions = await startSessions(t, fleet)
  const outages: Record<string, Outage> = {
    'killed, and started again after two seconds': { inject: redis.stop, durationMs: 2000, recover: redis.start },
    'frozen for two seconds': { inject: redis.freeze, durationMs: 2000, recover: redis.thaw },
    'killed, and started again at once': { inject: redis.stop, recover: redis.start }
  }
  for (const [name, outage] of Object.entries(outages)) {
    await t.test(name, async t => {
      await surviveOutage(t, fleet, sessions, outage)
      await administer(redis, say =>
        eventually('every instance is told of changes again', async () => {
          const channels = (await say('PUBSUB', 'CHANNELS', 'grantkeeper:alive:*')) as unknown[]
          return channels.length === fleet.instances.length
        })
      )
    })
  }
  await sessions.stop()
  t.match(productboard.counts, { refusedRefreshes: 0, reuses: 0 }, 'no refresh token was spent twice')

  await t.test('killed during a token call: what was renewed serves, until it ends, and is saved when Redis is back', async t => {
    const [holder] = fleet.instances as [Instance]
    const browser = await fleet.signIn('productboard')
    const path = '/proxy/productboard/v2/notes'
    productboard.reset()
    productboard.expireAccessTokens()
    const tokenCall = endpoint.holdNext()
    const call = () => browser.copy().fetch(`${holder.url}${path}`)
    const reads = () =>
      administer(redis, async say => Number(/cmdstat_hmget:calls=(\d+)/.exec(String(await say('INFO', 'commandstats')))?.[1]))
    const first = call()
    await tokenCall.received
    // The lease was a change of this session: it is in memory again with the next call, which waits for the same token.
    const before = await reads()
    const second = call()
    await eventually('it has read its session', async () => (await reads()) > before)
    await redis.stop()
    const stopMs = performance.now()
    await tokenCall.forward()
    tokenCall.respond()
    for (const answer of await Promise.all([first, second])) t.equal(answer.status, 200)

    const load = startLoad(t, [holder.url], browser, { path })
    await eventually(
      'the new token has ended as well',
      async () => countOutcomes(load.since(stopMs))['503 store_unavailable'] !== undefined
    )
    const startMs = performance.now()
    await redis.start()
    await load.recovered(startMs)
    await load.stop()
    assertServed(t, 'the session', load.since(stopMs))
    for (const { url } of fleet.instances) t.equal((await browser.copy().fetch(`${url}${path}`)).status, 200)
    t.match(productboard.counts, { refusedRefreshes: 0, reuses: 0 })
  })
})
