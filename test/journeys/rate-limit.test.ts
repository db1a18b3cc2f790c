import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { newKey, startGateway } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'

t.test('a provider’s 429 passes through and rate limits the connection on every instance', async t => {
  const redis = await startRedis(t)
  const environment = { REDIS_URL: redis.url, SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  const definitions = (await loadProviders()).map(definition => ({
    ...definition,
    api: { ...definition.api, rateLimit: { header: 'retry-after', unit: 'seconds' } as const }
  }))
  const { gateway, provider, clock, browser } = await startConnected(t, { environment, definitions })
  const two = await startGateway(t, {
    clock,
    definitions,
    environment: { ...provider.environment, ...environment, PUBLIC_URL: gateway.url }
  })
  const send = ({ url }: { url: string }) => browser.fetch(`${url}/proxy/productboard/x`)
  for (const instance of [gateway, two]) t.equal((await send(instance)).status, 200)

  provider.api = (_, r) => json(r, 429, { its: 'own' }, { 'retry-after': '20' })
  const limited = await send(gateway)
  t.equal(limited.status, 429)
  t.equal(limited.headers.get('grantkeeper-error'), null)
  t.same(await limited.json(), { its: 'own' })
  provider.api = (_, r) => json(r, 200, {})

  // The other instance learns of it through Redis, so its first requests may pass.
  while ((await send(two)).status !== 429) await sleep(5)
  const before = provider.seen.api.length
  for (const instance of [gateway, two]) t.match(await assertProblem(t, await send(instance), 429, 'rate_limited'), { retryAfter: 20 })
  clock.advance(19_999)
  await assertProblem(t, await send(gateway), 429, 'rate_limited')
  t.equal(provider.seen.api.length, before, 'no request reached the provider')
  clock.advance(1)
  for (const instance of [gateway, two]) t.equal((await send(instance)).status, 200)
})
