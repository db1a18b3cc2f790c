import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { administer, eventually } from '../stores/redis/topologies.ts'
import { closed } from '../support/raw.ts'
import { startRedis } from '../support/redis.ts'
import { type Instance, startFleet } from './fleet.ts'
import { startLoad } from './load.ts'
import { assertServed } from './results.ts'
import { startSlowTokenEndpoint } from './slow-token-endpoint.ts'

/** In which this process, as a balancer, must have seen the 503 and acted on it, on a machine that does other things too. */
const delayMs = 3000
const timeoutMs = 3000
/** For the start of timers and the end of a process, there too. */
const slackMs = 5000

t.test('instances leave well', async t => {
  const redis = await startRedis(t)
  const endpoint = await startSlowTokenEndpoint(t, () => `${productboard.issuer}/token`)
  const fleet = await startFleet(t, {
    redisUrl: redis.url,
    size: 2,
    environment: { SHUTDOWN_DELAY: `${delayMs / 1000}`, SHUTDOWN_TIMEOUT: `${timeoutMs / 1000}`, PRODUCTBOARD_TOKEN_URL: endpoint.url }
  })
  const productboard = fleet.sandbox.vendor('productboard')
  const [staying, leaving] = fleet.instances as [Instance, Instance]
  const browser = await fleet.signIn('ignition')
  const get = (instance: Instance, path: string) => browser.copy().fetch(`${instance.url}${path}`)

  await t.test('on SIGTERM nobody notices who came before, and who comes later is told first', async t => {
    const listed = [...fleet.urls]
    const load = startLoad(t, listed, browser, { path: '/proxy/ignition/reporting/clients' })
    await load.recovered(performance.now())
    const idle = connect(Number(new URL(leaving.url).port), '127.0.0.1')
    idle.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(idle, 'data')
    const idleEnds = closed(idle)
    const slow = get(leaving, `/proxy/ignition/slow?ms=${delayMs + 1000}`)
    const events = (await get(leaving, '/proxy/ignition/events')).text()
    const other = await fleet.signIn('productboard')
    productboard.expireAccessTokens()
    const tokenCall = endpoint.holdNext()
    const renewed = other.copy().fetch(`${leaving.url}/proxy/productboard/v2/notes`)
    await tokenCall.received

    const startMs = performance.now()
    const since = () => Math.round(performance.now() - startMs)
    const left = leaving.terminate()
    // What a balancer does.
    await eventually('it says that it is not ready', async () => (await fetch(`${leaving.url}/health/ready`)).status === 503)
    t.same(await (await fetch(`${leaving.url}/health/ready`)).json(), { status: 'leaving' })
    const toldMs = since()
    listed.pop()
    await eventually('it takes no new connections', () => isRefused(leaving))
    const closedMs = since()
    await tokenCall.forward()
    tokenCall.respond()

    t.equal((await renewed).status, 200, 'the renewal under way is finished')
    t.equal((await slow).status, 200, 'and so is the slow call')
    t.match(await events, /sequence":3/, 'the event stream ends, and is not cut')
    await idleEnds
    const { code, tookMs } = await left
    await load.stop()
    t.comment(`told after ${toldMs} ms, closed after ${closedMs} ms, ended after ${Math.round(tookMs)} ms`)
    t.equal(code, 0)
    // A timer may be early by a millisecond.
    t.ok(closedMs >= delayMs - 1, 'a balancer had time to see it')
    t.ok(tookMs < delayMs + timeoutMs + slackMs)
    assertServed(t, 'the load', load.since(0), [])
    t.notOk(
      load.since(0).some(({ retries }) => retries > 0),
      'no call broke at its socket'
    )

    t.same(await administer(redis, say => say('KEYS', '*:lease:*')), [], 'the right to refresh was handed back')
    productboard.expireAccessTokens()
    t.equal((await other.fetch(`${staying.url}/proxy/productboard/v2/notes`)).status, 200, 'and the next refresh waits for nobody')
    t.equal(productboard.counts.reuses, 0)
  })

  await t.test('a call that lasts for longer than it may is cut, and the end comes all the same', async t => {
    const { requests } = fleet.sandbox.vendor('ignition')
    const endless = get(staying, '/proxy/ignition/slow?ms=30000')
    const cut = t.rejects(endless, 'cut')
    await eventually('it is under way', async () => requests.some(({ url }) => url.includes('ms=30000')))
    const { code, tookMs } = await staying.terminate()
    await cut
    t.comment(`ended after ${Math.round(tookMs)} ms`)
    t.equal(code, 0)
    t.ok(tookMs >= delayMs + timeoutMs && tookMs < delayMs + timeoutMs + slackMs)
    await eventually('the provider is let go', async () =>
      requests.some(({ url, outcome }) => url.includes('ms=30000') && outcome === 'cut')
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
