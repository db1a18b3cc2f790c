import t from 'tap'
import { createConcurrencyLimits } from '../../../src/core/proxy/concurrency-limits.ts'
import { providerWith } from '../support.ts'

const api = { baseUrl: 'https://api.acme.example', maxConcurrentRequestsPerSession: 2, maxConcurrentRequests: 3 }
const acme = providerWith({ name: 'acme', api })

t.test('SEC-36: requests in flight are limited by session and by provider', async t => {
  const limits = createConcurrencyLimits()
  const one = [limits.acquire('ada', acme), limits.acquire('ada', acme)]
  t.throws(() => limits.acquire('ada', acme), {
    code: 'rate_limited',
    provider: 'acme',
    retryAfter: 1,
    message: /This session has 2 requests/
  })
  const other = limits.acquire('bob', acme)
  t.throws(() => limits.acquire('bob', acme), { code: 'rate_limited', message: /Too many requests/ })
  other.release()
  t.doesNotThrow(() => limits.acquire('bob', acme).release())
  one[0]?.release()
  t.doesNotThrow(() => limits.acquire('ada', acme).release())
})

t.test('each provider has its own count, with limits by default', async t => {
  const limits = createConcurrencyLimits()
  for (let i = 0; i < 2; i++) limits.acquire('ada', acme)
  const unlimited = providerWith({ name: 'unlimited', api: { baseUrl: 'https://api.unlimited.example' } })
  for (let i = 0; i < 256; i++) limits.acquire('ada', unlimited)
  t.throws(() => limits.acquire('ada', unlimited), { code: 'rate_limited' })
  for (let i = 256; i < 2_048; i++) limits.acquire(`owner ${i}`, unlimited)
  t.throws(() => limits.acquire('bob', unlimited), { code: 'rate_limited' })
})

const roomy = providerWith({ name: 'roomy', api: { baseUrl: 'https://api.roomy.example' } })
const otherNetworks = ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5']

for (const [kind, what, maxPerSession, maxPerNetwork, maxPerProvider] of [
  ['upload', 'uploads', 32, 192, 384],
  ['eventStream', 'event streams', 64, 256, 512]
] as const) {
  t.test(`SEC-36: ${what} have limits of their own, by session and by network`, async t => {
    const limits = createConcurrencyLimits()
    const acquire = (owner: string, network: string) => {
      const slot = limits.acquire(owner, roomy)
      try {
        slot.convertTo(kind, network)
      } catch (error) {
        slot.release()
        throw error
      }
      return slot
    }
    const open = Array.from({ length: maxPerSession }, () => acquire('ada', '192.0.2.1'))
    t.throws(() => acquire('ada', '192.0.2.1'), {
      code: 'rate_limited',
      provider: 'roomy',
      message: `This session has ${maxPerSession} ${what}`
    })
    for (let i = maxPerSession; i < maxPerNetwork; i++) open.push(acquire(`owner ${i >> 5}`, '192.0.2.1'))
    t.throws(() => acquire('eve', '192.0.2.1'), { code: 'rate_limited', message: `Too many ${what}` })
    for (let i = maxPerNetwork; i < maxPerProvider; i++) open.push(acquire(`bob ${i >> 5}`, otherNetworks[i % 4] as string))
    t.throws(() => acquire('eve', '198.51.100.1'), { code: 'rate_limited', message: `Too many ${what}` })

    const requests = Array.from({ length: 256 }, () => limits.acquire('ada', roomy))
    t.throws(() => limits.acquire('ada', roomy), { code: 'rate_limited' }, 'the limit of requests is unchanged')
    for (const slot of [...open, ...requests]) slot.release()
    acquire('ada', '192.0.2.1').release()
    for (let i = 0; i < 256; i++) limits.acquire('ada', roomy)
  })
}

t.test('SEC-36: a definition’s limit per session holds for uploads too', async t => {
  const limits = createConcurrencyLimits()
  for (let i = 0; i < 2; i++) limits.acquire('ada', acme).convertTo('upload', '192.0.2.1')
  const third = limits.acquire('ada', acme)
  t.throws(() => third.convertTo('upload', '192.0.2.1'), { code: 'rate_limited', message: /This session has 2 uploads/ })
})
