import t from 'tap'
import { createConcurrencyLimits } from '../../../src/core/proxy/concurrency-limits.ts'
import { providerWith } from '../support.ts'

const api = { baseUrl: 'https://api.acme.example', maxCallsPerSession: 2, maxCalls: 3 }
const acme = providerWith({ name: 'acme', api })

t.test('SEC-36: as many calls as the definition allows are under way at once, by session and in all; one that ends makes room', async t => {
  const limits = createConcurrencyLimits()
  const one = [limits.acquire('ada', acme), limits.acquire('ada', acme)]
  t.throws(() => limits.acquire('ada', acme), {
    code: 'rate_limited',
    provider: 'acme',
    retryAfter: 1,
    message: /This session has 2 calls/
  })
  const other = limits.acquire('bob', acme)
  t.throws(() => limits.acquire('bob', acme), { code: 'rate_limited', message: /Too many calls/ })
  other.release()
  t.doesNotThrow(() => limits.acquire('bob', acme).release())
  one[0]?.release()
  t.doesNotThrow(() => limits.acquire('ada', acme).release())
})

t.test('each provider has a count of its own, and a definition that says nothing leaves room enough', async t => {
  const limits = createConcurrencyLimits()
  for (let i = 0; i < 2; i++) limits.acquire('ada', acme)
  const usual = providerWith({ name: 'usual', api: { baseUrl: 'https://api.usual.example' } })
  for (let i = 0; i < 256; i++) limits.acquire('ada', usual)
  t.throws(() => limits.acquire('ada', usual), { code: 'rate_limited' })
  for (let i = 256; i < 2_048; i++) limits.acquire(`owner ${i}`, usual)
  t.throws(() => limits.acquire('bob', usual), { code: 'rate_limited' })
})

const roomy = providerWith({ name: 'roomy', api: { baseUrl: 'https://api.roomy.example' } })
const otherNetworks = ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5']

for (const [kind, what, ofSession, ofNetwork, ofAll] of [
  ['upload', 'uploads', 32, 192, 384],
  ['eventStream', 'event streams', 64, 256, 512]
] as const) {
  t.test(`SEC-36: ${what} have places of their own, few a session, and no network has them all`, async t => {
    const limits = createConcurrencyLimits()
    const begin = (owner: string, network: string) => {
      const place = limits.acquire(owner, roomy)
      try {
        place.convertTo(kind, network)
      } catch (error) {
        place.release()
        throw error
      }
      return place
    }
    const open = Array.from({ length: ofSession }, () => begin('ada', '192.0.2.1'))
    t.throws(() => begin('ada', '192.0.2.1'), { code: 'rate_limited', provider: 'roomy', message: `This session has ${ofSession} ${what}` })
    for (let i = ofSession; i < ofNetwork; i++) open.push(begin(`owner ${i >> 5}`, '192.0.2.1'))
    t.throws(() => begin('eve', '192.0.2.1'), { code: 'rate_limited', message: `Too many ${what}` })
    for (let i = ofNetwork; i < ofAll; i++) open.push(begin(`bob ${i >> 5}`, otherNetworks[i % 4] as string))
    t.throws(() => begin('eve', '198.51.100.1'), { code: 'rate_limited', message: `Too many ${what}` })

    const calls = Array.from({ length: 256 }, () => limits.acquire('ada', roomy))
    t.throws(() => limits.acquire('ada', roomy), { code: 'rate_limited' }, 'as many calls as without them')
    for (const place of [...open, ...calls]) place.release()
    begin('ada', '192.0.2.1').release()
    for (let i = 0; i < 256; i++) limits.acquire('ada', roomy)
  })
}

t.test('SEC-36: a definition that allows a session fewer calls allows it no more uploads than that', async t => {
  const limits = createConcurrencyLimits()
  for (let i = 0; i < 2; i++) limits.acquire('ada', acme).convertTo('upload', '192.0.2.1')
  const third = limits.acquire('ada', acme)
  t.throws(() => third.convertTo('upload', '192.0.2.1'), { code: 'rate_limited', message: /This session has 2 uploads/ })
})
