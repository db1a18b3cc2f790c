import t, { type Test } from 'tap'
import { trackSchedulingDelay } from '../chaos/scheduling-delay.ts'
import { eventually } from '../stores/redis/topologies.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { startRedis } from '../support/redis.ts'

/** A ready gateway whose session has not been used. The gateway would serve a session in use from memory while Redis is down. */
async function setUp(t: Test) {
  const redis = await startRedis(t)
  const s = await startConnected(t, { environment: { REDIS_URL: redis.url } })
  const ready = async () => (await fetch(`${s.gateway.url}/health/ready`)).status
  t.equal(await ready(), 200)
  return { ...s, redis, ready }
}

t.test('SEC-41: while Redis is down requests soon get 503, and no cookie is cleared', async t => {
  const s = await setUp(t)
  const delay = trackSchedulingDelay()
  t.teardown(delay.stop)
  s.redis.freeze()
  for (const path of ['/proxy/productboard/x', '/connections', '/health/ready']) {
    const startMs = performance.now()
    const response = await s.browser.fetch(s.gateway.url + path)
    const endMs = performance.now()
    t.ok(endMs - startMs - delay.between(startMs, endMs) < 1500, `${path} responds soon`)
    await assertProblem(t, response, 503, 'store_unavailable')
    t.ok(response.headers.has('retry-after'))
    t.equal(response.headers.getSetCookie().length, 0)
  }
  t.equal((await fetch(`${s.gateway.url}/health/live`)).status, 200)
})

t.test('SEC-41: when Redis is back sessions continue without a restart', async t => {
  const s = await setUp(t)
  s.redis.freeze()
  await assertProblem(t, await s.browser.fetch(`${s.proxy}/x`), 503, 'store_unavailable')
  s.redis.thaw()
  await eventually('the gateway is ready again', async () => (await s.ready()) === 200)
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
})

t.test('a navigation gets an error page where a fetch gets a problem document', async t => {
  const s = await startConnected(t)
  const page = await new Browser().visit(`${s.gateway.url}/auth/productboard/callback?state=x&code=y`)
  t.equal(page.status, 400)
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(page.text, /state_invalid/)
  t.match(page.headers.get('content-security-policy'), /default-src 'none'/)
  const navigation = await s.browser.request(`${s.proxy}/x`, { headers: { accept: 'text/html' } })
  t.match(navigation.headers.get('content-type'), /^text\/html/)
  t.equal(navigation.headers.get('grantkeeper-error'), 'csrf_rejected')
  await assertProblem(t, await s.browser.request(`${s.proxy}/x`), 403, 'csrf_rejected')
})
