import t from 'tap'
import type { RateLimit } from '../../../src/core/provider/definition.ts'
import { assertNotRateLimited, recordRateLimit } from '../../../src/core/proxy/provider-rate-limit.ts'
import { retryAtMs } from '../../../src/core/util/retry-after.ts'
import { codeOf, connectionWith, hour, keyOf, manualClock, minute, openInstance, second, startMs } from '../support.ts'

const seconds: RateLimit = { header: 'retry-after', unit: 'seconds' }
const epoch: RateLimit = { header: 'x-ratelimit-reset', unit: 'epoch' }

t.test('a rate limit header has seconds, a date or an epoch', async t => {
  const until = (limit: RateLimit, value: string | string[] | undefined) => retryAtMs(limit, { [limit.header]: value }, startMs)
  t.equal(until(seconds, '5'), startMs + 5 * second)
  t.equal(until(seconds, ' 5 '), startMs + 5 * second)
  t.equal(until(seconds, ['7', '9']), startMs + 7 * second)
  t.equal(until(seconds, new Date(startMs + minute).toUTCString()), startMs + minute)
  t.equal(until(epoch, String(startMs / 1000 + 30)), startMs + 30 * second)
  t.equal(until(epoch, new Date(startMs + minute).toUTCString()), startMs + minute)
  for (const value of [undefined, '', '0', '-5', '1.5', 'soon', '5 seconds', '1e9', new Date(startMs - second).toUTCString()])
    t.equal(until(seconds, value), undefined, String(value))
  t.equal(until(epoch, '5'), undefined, 'in the past')
  t.equal(until(seconds, '999999'), startMs + hour, 'an hour at most')
  t.equal(until(epoch, '999999999999'), startMs + hour)
})

t.test('a rate limited connection is refused until its time, with Retry-After in seconds', async t => {
  const clock = manualClock()
  const refused = () => codeOf(() => assertNotRateLimited(connectionWith({ rateLimitedUntilMs: startMs + 1500 }), clock))
  t.throws(() => assertNotRateLimited(connectionWith({ rateLimitedUntilMs: startMs + 1500 }), clock), {
    code: 'rate_limited',
    status: 429,
    provider: 'acme',
    retryAfter: 2
  })
  clock.advance(1499)
  t.equal(refused(), 'rate_limited')
  clock.advance(1)
  t.same(refused(), { returned: undefined })
  t.same(
    codeOf(() => assertNotRateLimited(connectionWith(), clock)),
    { returned: undefined }
  )
})

t.test('a rate limit is stored in the record, and never shortened', async t => {
  const { vault } = openInstance(t)
  await vault.connect('owner', undefined, connectionWith())
  const noted = async () => (await vault.readConnection(keyOf()))?.value.rateLimitedUntilMs
  await recordRateLimit(vault, keyOf(), startMs + minute)
  t.equal(await noted(), startMs + minute)
  await recordRateLimit(vault, keyOf(), startMs + second)
  t.equal(await noted(), startMs + minute)
  await recordRateLimit(vault, keyOf(), startMs + hour)
  t.equal(await noted(), startMs + hour)
  await recordRateLimit(vault, keyOf('nobody'), startMs + hour)
  t.equal(await vault.readConnection(keyOf('nobody')), undefined)
})
