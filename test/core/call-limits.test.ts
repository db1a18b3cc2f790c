import t from 'tap'
import { createCallLimits } from '../../src/core/call-limits.ts'
import { providerWith } from './support.ts'

const api = { baseUrl: 'https://api.acme.example', maxCallsPerSession: 2, maxCalls: 3 }
const acme = providerWith({ name: 'acme', api })

t.test('SEC-36: as many calls as the definition allows are under way at once, by session and in all; one that ends makes room', async t => {
  const limits = createCallLimits()
  const one = [limits.enter('ada', acme), limits.enter('ada', acme)]
  t.throws(() => limits.enter('ada', acme), { code: 'rate_limited', provider: 'acme', retryAfter: 1, message: /This session has 2 calls/ })
  const other = limits.enter('bob', acme)
  t.throws(() => limits.enter('bob', acme), { code: 'rate_limited', message: /Too many calls/ })
  other()
  t.doesNotThrow(limits.enter('bob', acme))
  one[0]?.()
  t.doesNotThrow(limits.enter('ada', acme))
})

t.test('each provider has a count of its own, and a definition that says nothing leaves room enough', async t => {
  const limits = createCallLimits()
  for (let i = 0; i < 2; i++) limits.enter('ada', acme)
  const usual = providerWith({ name: 'usual', api: { baseUrl: 'https://api.usual.example' } })
  for (let i = 0; i < 256; i++) limits.enter('ada', usual)
  t.throws(() => limits.enter('ada', usual), { code: 'rate_limited' })
  for (let i = 256; i < 2_048; i++) limits.enter(`owner ${i}`, usual)
  t.throws(() => limits.enter('bob', usual), { code: 'rate_limited' })
})
