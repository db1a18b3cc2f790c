import t from 'tap'
import { trackSchedulingDelay } from '../chaos/scheduling-delay.ts'
import { eventually } from '../stores/redis/topologies.ts'
import { Browser } from '../support/browser.ts'
import { connected, problem } from '../support/connected.ts'
import { startRedis } from '../support/redis.ts'

t.test('SEC-41: while Redis is down calls are 503 within a second, nobody is signed out, and all goes on when it is back', async t => {
  const redis = await startRedis(t)
  const s = await connected(t, { environment: { REDIS_URL: redis.url } })
  t.equal((await fetch(`${s.gateway.url}/health/ready`)).status, 200)
  const lateness = trackSchedulingDelay()
  t.teardown(lateness.stop)

  // No call before: until the note of its time has come to Redis, the session in memory would serve.
  for (const [what, down, up] of [['frozen', () => redis.freeze(), () => redis.thaw()]] as const) {
    await down()
    for (const path of ['/proxy/productboard/x', '/connections', '/health/ready']) {
      const startMs = performance.now()
      const response = await s.browser.fetch(s.gateway.url + path)
      const endMs = performance.now()
      t.ok(endMs - startMs - lateness.between(startMs, endMs) < 1500, `${path} answers soon`)
      await problem(t, response, 503, 'store_unavailable')
      t.ok(response.headers.has('retry-after'))
      t.equal(response.headers.getSetCookie().length, 0, `${what}: no cookie is cleared`)
    }
    t.equal((await fetch(`${s.gateway.url}/health/live`)).status, 200)
    await up()
    await eventually(`${what}: ready again without a restart`, async () => (await fetch(`${s.gateway.url}/health/ready`)).status === 200)
    t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200, `${what}: still connected`)
  }
})

t.test('a person gets a page where a program gets a problem document', async t => {
  const s = await connected(t)
  const page = await new Browser().visit(`${s.gateway.url}/auth/productboard/callback?state=x&code=y`)
  t.equal(page.status, 400)
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(page.text, /state_invalid/)
  t.match(page.headers.get('content-security-policy'), /default-src 'none'/)
  const navigation = await s.browser.request(`${s.proxy}/x`, { headers: { accept: 'text/html' } })
  t.match(navigation.headers.get('content-type'), /^text\/html/)
  t.equal(navigation.headers.get('grantkeeper-error'), 'csrf_rejected')
  await problem(t, await s.browser.request(`${s.proxy}/x`), 403, 'csrf_rejected')
})
