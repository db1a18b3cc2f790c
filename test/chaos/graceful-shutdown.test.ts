import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { administer, eventually } from '../stores/redis/topologies.ts'
import { waitForClose } from '../support/raw.ts'
import { startRedis } from '../support/redis.ts'
import { type Instance, startFleet } from './fleet.ts'
import { startLoad } from './load.ts'
import { assertServed } from './results.ts'
import { startSlowTokenEndpoint } from './slow-token-endpoint.ts'

/** Long enough for this process, as the load balancer, to see the 503 and react on a busy machine. */
const delayMs = 3000
const timeoutMs = 3000
/** Tolerance for late timers and process exit on a busy machine. */
const slackMs = 5000

t.test('graceful shutdown', async t => {
  const redis = await startRedis(t)
  const endpoint = await startSlowTokenEndpoint(t, () => productboard.definition.methods.oauth2?.tokenUrl ?? '')
  const fleet = await startFleet(t, {
    redisUrl: redis.url,
    size: 2,
    environment: { SHUTDOWN_DELAY: `${delayMs / 1000}`, SHUTDOWN_TIMEOUT: `${timeoutMs / 1000}`, PRODUCTBOARD_TOKEN_URL: endpoint.url }
  })
  const productboard = fleet.sandbox.vendor('productboard')
  const [remaining, stopping] = fleet.instances as [Instance, Instance]
  const browser = await fleet.signIn('ignition')
  const get = (instance: Instance, path: string) => browser.copy().fetch(`${instance.url}${path}`)

  await t.test('SIGTERM finishes requests in flight and fails readiness before it closes the port', async t => {
    const targets = [...fleet.urls]
    const load = startLoad(t, targets, browser, { path: '/proxy/ignition/reporting/clients' })
    await load.recovered(performance.now())
    const idle = connect(Number(new URL(stopping.url).port), '127.0.0.1')
    idle.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(idle, 'data')
    const idleClosed = waitForClose(idle)
    const slow = get(stopping, `/proxy/ignition/slow?ms=${delayMs + 1000}`)
    const events = (await get(stopping, '/proxy/ignition/events')).text()
    const other = await fleet.signIn('productboard')
    productboard.expireAccessTokens()
    const tokenRequest = endpoint.holdNext()
    const renewed = other.copy().fetch(`${stopping.url}/proxy/productboard/v2/notes`)
    await tokenRequest.received

    const startMs = performance.now()
    const since = () => Math.round(performance.now() - startMs)
    const shutdown = stopping.terminate()
    // Act as the load balancer.
    await eventually('it reports not ready', async () => (await fetch(`${stopping.url}/health/ready`)).status === 503)
    t.same(await (await fetch(`${stopping.url}/health/ready`)).json(), { status: 'leaving' })
    const notReadyMs = since()
    targets.pop()
    await eventually('it refuses new connections', () => isRefused(stopping))
    const closedMs = since()
    await tokenRequest.forward()
    tokenRequest.respond()

    t.equal((await renewed).status, 200, 'the renewal in flight finishes')
    t.equal((await slow).status, 200, 'the slow request finishes')
    t.match(await events, /sequence":3/, 'the event stream ends and is not aborted')
    await idleClosed
    const { code, tookMs } = await shutdown
    await load.stop()
    t.comment(`not ready after ${notReadyMs} ms, port closed after ${closedMs} ms, exit after ${Math.round(tookMs)} ms`)
    t.equal(code, 0)
    // A timer may fire a millisecond early.
    t.ok(closedMs >= delayMs - 1, 'the load balancer had time to react')
    t.ok(tookMs < delayMs + timeoutMs + slackMs)
    assertServed(t, 'the load', load.since(0), [])
    t.notOk(
      load.since(0).some(({ retries }) => retries > 0),
      'no connection broke'
    )

    t.same(await administer(redis, say => say('KEYS', '*:lease:*')), [], 'the lease was released')
    productboard.expireAccessTokens()
    t.equal((await other.fetch(`${remaining.url}/proxy/productboard/v2/notes`)).status, 200, 'the next refresh waits for no lease')
    t.equal(productboard.counts.reuses, 0)
  })

  await t.test('a request that outlives SHUTDOWN_TIMEOUT is aborted, and the process exits', async t => {
    const { requests } = fleet.sandbox.vendor('ignition')
    const slow = get(remaining, '/proxy/ignition/slow?ms=30000')
    const aborted = t.rejects(slow, 'aborted')
    await eventually('it is in flight', async () => requests.some(({ url }) => url.includes('ms=30000')))
    const { code, tookMs } = await remaining.terminate()
    await aborted
    t.comment(`exit after ${Math.round(tookMs)} ms`)
    t.equal(code, 0)
    t.ok(tookMs >= delayMs + timeoutMs && tookMs < delayMs + timeoutMs + slackMs)
    await eventually('the request to the provider is aborted', async () =>
      requests.some(({ url, outcome }) => url.includes('ms=30000') && outcome === 'aborted')
    )
  })
})

async function isRefused({ url }: Instance): Promise<boolean> {
  await sleep(20)
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const refused = await Promise.race([once(socket, 'connect').then(() => false), once(socket, 'error').then(() => true)]).catch(() => true)
  socket.destroy()
  return refused
}
