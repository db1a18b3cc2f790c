import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { administer, eventually } from '../stores/redis/topologies.ts'
import type { Browser } from '../support/browser.ts'
import { problem } from '../support/connected.ts'
import { startRedis } from '../support/redis.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { type Instance, startFleet } from './fleet.ts'
import { maxResponseMs } from './results.ts'
import { trackSchedulingDelay } from './scheduling-delay.ts'
import { startSlowTokenEndpoint, type TokenRequest } from './slow-token-endpoint.ts'

const path = '/proxy/productboard/v2/notes'
/** Stands in every read and write of the connection. */
const record = 'connection:productboard'
/** Sent on the connection by which an instance shows that it lives. */
const heartbeat = '\r\nping\r\n'

t.test('an instance ends or stops while it has the right to refresh', async t => {
  const redis = await startRedis(t)
  const gates = [await startFaultProxy(t, redis.port), await startFaultProxy(t, redis.port)]
  const endpoint = await startSlowTokenEndpoint(t, () => `${vendor.issuer}/token`)
  const environment = { PRODUCTBOARD_TOKEN_URL: endpoint.url }
  const fleet = await startFleet(t, { redisUrl: [redis.url, ...gates.map(({ url }) => url)], environment })
  const vendor = fleet.sandbox.vendor('productboard')
  const [other, ...holders] = fleet.instances as [Instance, Instance, Instance]

  const call = ({ url }: Instance, browser: Browser) => browser.copy().fetch(`${url}${path}`)
  const keys = (pattern: string) => administer(redis, async say => (await say('KEYS', pattern)) as string[])
  /** The connections by which instances show that they live. */
  const subscribers = async () => {
    const list = await administer(redis, async say => String(await say('CLIENT', 'LIST', 'TYPE', 'pubsub')))
    return list.match(/^id=\d+/gm)?.toSorted() ?? []
  }
  const stored = async () => {
    const owners = await keys('grantkeeper:{*}')
    return (await administer(redis, say => Promise.all(owners.map(owner => say('HGET', owner, record))))).join()
  }

  /** Somebody in the memory of both instances, whose access token has just ended. */
  async function someone(t: Test, holder: Instance): Promise<Browser> {
    const browser = await fleet.signIn('productboard')
    for (const instance of [other, holder]) t.equal((await call(instance, browser)).status, 200)
    vendor.expireAccessTokens()
    vendor.reset()
    return browser
  }

  /** The next call after a death. */
  async function timed(t: Test, browser: Browser): Promise<Response> {
    const lateness = trackSchedulingDelay()
    const startMs = performance.now()
    const answer = await call(other, browser)
    const endMs = performance.now()
    const tookMs = Math.round(endMs - startMs - lateness.between(startMs, endMs))
    lateness.stop()
    t.comment(`${answer.status} after ${tookMs} ms`)
    t.ok(tookMs < maxResponseMs)
    return answer
  }

  type Death = {
    /** How far it gets before it is killed, at the gate to its Redis. */
    upTo: (gate: FaultProxy) => Promise<TokenRequest | undefined>
    /** What the provider does when the caller is gone. */
    meanwhile?: (call: TokenRequest) => Promise<void>
    graceSeconds?: number
    /** How often the provider has carried out a refresh when all is over. */
    refreshes: number
    lost?: boolean
  }

  const gotTheLease = async (gate: FaultProxy) => {
    await gate.blockAfter(':lease:')
    await eventually('the lease is in Redis', async () => (await keys('*:lease:*')).length === 1)
    return undefined
  }
  const calls = async () => {
    const call = endpoint.holdNext()
    await call.received
    return call
  }
  const hasTheAnswer = async (gate: FaultProxy) => {
    const call = await calls()
    const writes = gate.blockBefore(record)
    await call.forward()
    call.respond()
    await writes
    return call
  }
  const hasWritten = async (gate: FaultProxy) => {
    const call = await calls()
    const before = await stored()
    const writes = gate.blockAfter(record)
    await call.forward()
    call.respond()
    await writes
    await eventually('the write is in Redis', async () => (await stored()) !== before)
    return call
  }
  const carriesOut = (call: TokenRequest) => call.forward()

  const deaths: Record<string, Death> = {
    'before the token call: another instance takes over': { upTo: gotTheLease, refreshes: 1 },
    'during the token call, which the provider drops: another instance takes over': { upTo: calls, refreshes: 1 },
    'during the token call, which the provider carries out, with grace for a spent token: another instance takes over': {
      upTo: calls,
      meanwhile: carriesOut,
      graceSeconds: 10,
      refreshes: 2
    },
    'after the answer of a strict provider and before the write: the grant is lost, once': {
      upTo: hasTheAnswer,
      refreshes: 2,
      lost: true
    },
    'after the write: others have the new token at once': { upTo: hasWritten, refreshes: 1 }
  }
  // While one is started again, the other one has its turn.
  const started = [Promise.resolve(), Promise.resolve()]
  for (const [i, [when, { upTo, meanwhile, graceSeconds = 0, refreshes, lost = false }]] of Object.entries(deaths).entries()) {
    const turn = i % holders.length
    const [holder, gate] = [holders[turn] as Instance, gates[turn] as FaultProxy]
    await t.test(`killed ${when}`, async t => {
      await started[turn]
      const browser = await someone(t, holder)
      Object.assign(vendor.switches, { graceSeconds })
      const step = upTo(gate)
      void call(holder, browser).catch(() => {})
      const tokenCall = await step
      await holder.kill()
      if (tokenCall) await meanwhile?.(tokenCall)

      const next = await timed(t, browser)
      if (lost) await problem(t, next, 401, 'reconnect_required')
      else t.equal(next.status, 200)
      for (let i = 0; i < 5; i++) t.equal((await call(other, browser)).status, next.status)
      t.equal(vendor.counts.tokenRequests.refresh_token, refreshes, 'and nothing is tried again and again')
      if (lost) t.equal((await browser.connect(other.url, 'productboard')).status, 200)
      vendor.expireAccessTokens()
      t.equal((await timed(t, browser)).status, 200, 'the next refresh is like any other')

      gate.unblock()
      started[turn] = holder.start()
    })
  }
  await Promise.all(started)

  await t.test(
    'it waits for a token call that takes longer than its callers do: both instances tell them, and have what it brings',
    async t => {
      const holder = holders[0] as Instance
      const browser = await someone(t, holder)
      const tokenCall = endpoint.holdNext()
      const first = call(holder, browser)
      await tokenCall.received
      for (const answer of await Promise.all([first, call(other, browser)])) await problem(t, answer, 504, 'provider_timeout')
      t.equal(vendor.counts.tokenRequests.refresh_token, 0, 'which has not been carried out yet')
      await tokenCall.forward()
      tokenCall.respond()
      await eventually('the next calls have it', async () => (await call(other, browser)).status === 200)
      t.equal((await call(holder, browser)).status, 200)
      t.match(vendor.counts, { tokenRequests: { refresh_token: 1 }, reuses: 0 })
    }
  )

  await t.test('frozen for two seconds during its token call: it is not taken for dead, and no refresh token is spent twice', async t => {
    const [holder, gate] = [holders[0] as Instance, gates[0] as FaultProxy]
    const browser = await someone(t, holder)
    const signsOfLife = await subscribers()
    t.equal(signsOfLife.length, fleet.instances.length)
    const tokenCall = endpoint.holdNext()
    const first = call(holder, browser)
    await tokenCall.received
    // With a heartbeat under way, which has run out of time when it goes on.
    await gate.forwarded(heartbeat)
    holder.freeze()
    const others = Array.from({ length: 5 }, () => call(other, browser))
    await tokenCall.forward()
    tokenCall.respond()
    await sleep(2000)
    t.equal(vendor.counts.tokenRequests.refresh_token, 1)
    holder.unfreeze()
    for (const answer of await Promise.all([first, ...others])) t.equal(answer.status, 200)
    t.match(vendor.counts, { tokenRequests: { refresh_token: 1 }, reuses: 0 })
    await gate.forwarded(heartbeat)
    t.strictSame(await subscribers(), signsOfLife, 'nor did it look dead for a moment')
  })
})
