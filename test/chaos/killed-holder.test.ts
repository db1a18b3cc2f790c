import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { administer, eventually } from '../stores/redis/topologies.ts'
import type { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { startRedis } from '../support/redis.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { type Instance, startFleet } from './fleet.ts'
import { maxResponseMs } from './results.ts'
import { trackSchedulingDelay } from './scheduling-delay.ts'
import { startSlowTokenEndpoint, type TokenRequest } from './slow-token-endpoint.ts'

const path = '/proxy/productboard/v2/notes'
/** Part of every Redis command that reads or writes the connection. */
const record = 'connection:productboard'
/** The liveness ping on an instance's subscriber connection. */
const heartbeat = '\r\nping\r\n'

t.test('a crash or freeze of the instance that holds the refresh lease', async t => {
  const redis = await startRedis(t)
  const proxies = [await startFaultProxy(t, redis.port), await startFaultProxy(t, redis.port)]
  const endpoint = await startSlowTokenEndpoint(t, () => vendor.definition.methods.oauth2?.tokenUrl ?? '')
  const environment = { PRODUCTBOARD_TOKEN_URL: endpoint.url }
  const fleet = await startFleet(t, { redisUrl: [redis.url, ...proxies.map(({ url }) => url)], environment })
  const vendor = fleet.sandbox.vendor('productboard')
  const [other, ...holders] = fleet.instances as [Instance, Instance, Instance]

  const send = ({ url }: Instance, browser: Browser) => browser.copy().fetch(`${url}${path}`)
  const keys = (pattern: string) => administer(redis, async say => (await say('KEYS', pattern)) as string[])
  /** Ids of the subscriber connections, which prove that an instance is alive. */
  const subscribers = async () => {
    const list = await administer(redis, async say => String(await say('CLIENT', 'LIST', 'TYPE', 'pubsub')))
    return list.match(/^id=\d+/gm)?.toSorted() ?? []
  }
  const stored = async () => {
    const owners = await keys('grantkeeper:{*}')
    return (await administer(redis, say => Promise.all(owners.map(owner => say('HGET', owner, record))))).join()
  }

  /** A session that both instances have cached and whose access token has just expired. */
  async function expiredSession(t: Test, holder: Instance): Promise<Browser> {
    const browser = await fleet.signIn('productboard')
    for (const instance of [other, holder]) t.equal((await send(instance, browser)).status, 200)
    vendor.expireAccessTokens()
    vendor.reset()
    return browser
  }

  /** Sends the first request after the crash and checks how long it takes. */
  async function sendTimed(t: Test, browser: Browser): Promise<Response> {
    const delay = trackSchedulingDelay()
    const startMs = performance.now()
    const response = await send(other, browser)
    const endMs = performance.now()
    const tookMs = Math.round(endMs - startMs - delay.between(startMs, endMs))
    delay.stop()
    t.comment(`${response.status} after ${tookMs} ms`)
    t.ok(tookMs < maxResponseMs)
    return response
  }

  type Crash = {
    /** Resolves when the renewal has reached the step at which its instance is killed. */
    reach: (proxy: FaultProxy) => Promise<TokenRequest | undefined>
    /** What the provider does once the instance is gone. */
    afterwards?: (request: TokenRequest) => Promise<void>
    graceSeconds?: number
    /** How many refreshes the provider has carried out in the end. */
    refreshes: number
    lost?: boolean
  }

  const leaseAcquired = async (proxy: FaultProxy) => {
    await proxy.blockAfter(':lease:')
    await eventually('the lease is in Redis', async () => (await keys('*:lease:*')).length === 1)
    return undefined
  }
  const tokenRequestSent = async () => {
    const request = endpoint.holdNext()
    await request.received
    return request
  }
  const tokenReceived = async (proxy: FaultProxy) => {
    const request = await tokenRequestSent()
    const write = proxy.blockBefore(record)
    await request.forward()
    request.respond()
    await write
    return request
  }
  const tokenStored = async (proxy: FaultProxy) => {
    const request = await tokenRequestSent()
    const before = await stored()
    const write = proxy.blockAfter(record)
    await request.forward()
    request.respond()
    await write
    await eventually('the write is in Redis', async () => (await stored()) !== before)
    return request
  }

  const crashes: Record<string, Crash> = {
    'killed before the token request: another instance takes over': { reach: leaseAcquired, refreshes: 1 },
    'killed during a token request that the provider drops: another instance takes over': { reach: tokenRequestSent, refreshes: 1 },
    'killed during a token request, provider with a grace period: another instance takes over': {
      reach: tokenRequestSent,
      afterwards: request => request.forward(),
      graceSeconds: 10,
      refreshes: 2
    },
    'killed between token response and write, strict provider: the grant is lost, once': {
      reach: tokenReceived,
      refreshes: 2,
      lost: true
    },
    'killed after the write: other instances have the new token at once': { reach: tokenStored, refreshes: 1 }
  }
  // While one holder restarts, the next crash uses the other.
  const started = [Promise.resolve(), Promise.resolve()]
  for (const [i, [title, { reach, afterwards, graceSeconds = 0, refreshes, lost = false }]] of Object.entries(crashes).entries()) {
    const turn = i % holders.length
    const [holder, proxy] = [holders[turn] as Instance, proxies[turn] as FaultProxy]
    await t.test(title, async t => {
      await started[turn]
      const browser = await expiredSession(t, holder)
      Object.assign(vendor.switches, { graceSeconds })
      const step = reach(proxy)
      void send(holder, browser).catch(() => {})
      const tokenRequest = await step
      await holder.kill()
      if (tokenRequest) await afterwards?.(tokenRequest)

      const next = await sendTimed(t, browser)
      if (lost) await assertProblem(t, next, 401, 'reconnect_required')
      else t.equal(next.status, 200)
      for (let i = 0; i < 5; i++) t.equal((await send(other, browser)).status, next.status)
      t.equal(vendor.counts.tokenRequests.refresh_token, refreshes, 'no further refresh')
      if (lost) t.equal((await browser.connect(other.url, 'productboard')).status, 200)
      vendor.expireAccessTokens()
      t.equal((await sendTimed(t, browser)).status, 200, 'the next refresh succeeds')

      proxy.unblock()
      started[turn] = holder.start()
    })
  }
  await Promise.all(started)

  await t.test('a token request outlives its waiters: they get 504, and later requests the token', async t => {
    const holder = holders[0] as Instance
    const browser = await expiredSession(t, holder)
    const tokenRequest = endpoint.holdNext()
    const first = send(holder, browser)
    await tokenRequest.received
    for (const response of await Promise.all([first, send(other, browser)])) await assertProblem(t, response, 504, 'provider_timeout')
    t.equal(vendor.counts.tokenRequests.refresh_token, 0, 'the provider has not seen it yet')
    await tokenRequest.forward()
    tokenRequest.respond()
    await eventually('the next requests succeed', async () => (await send(other, browser)).status === 200)
    t.equal((await send(holder, browser)).status, 200)
    t.match(vendor.counts, { tokenRequests: { refresh_token: 1 }, reuses: 0 })
  })

  await t.test('a holder frozen for two seconds keeps its lease, and no refresh token is reused', async t => {
    const [holder, proxy] = [holders[0] as Instance, proxies[0] as FaultProxy]
    const browser = await expiredSession(t, holder)
    const connections = await subscribers()
    t.equal(connections.length, fleet.instances.length)
    const tokenRequest = endpoint.holdNext()
    const first = send(holder, browser)
    await tokenRequest.received
    // Freeze with a heartbeat in flight: its timeout has passed when the process continues.
    await proxy.forwarded(heartbeat)
    holder.freeze()
    const others = Array.from({ length: 5 }, () => send(other, browser))
    await tokenRequest.forward()
    tokenRequest.respond()
    await sleep(2000)
    t.equal(vendor.counts.tokenRequests.refresh_token, 1)
    holder.unfreeze()
    for (const response of await Promise.all([first, ...others])) t.equal(response.status, 200)
    t.match(vendor.counts, { tokenRequests: { refresh_token: 1 }, reuses: 0 })
    await proxy.forwarded(heartbeat)
    t.strictSame(await subscribers(), connections, 'its subscriber connection survived')
  })
})
