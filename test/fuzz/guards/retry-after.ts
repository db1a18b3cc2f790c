import fc from 'fast-check'
import { assertNotRateLimited } from '../../../src/core/proxy/provider-rate-limit.ts'
import { retryAtMs } from '../../../src/core/util/retry-after.ts'
import { connectionWith } from '../../core/support.ts'
import { text } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { passThrough } from './pass-through.ts'

const nowMs = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000
const seconds = fc.integer({ min: -10, max: 8000 })
const httpDate = (inSeconds: number): string => new Date(nowMs + inSeconds * 1000).toUTCString()
const odd = fc.constantFrom(
  '',
  '1e9',
  '0x10',
  '-0',
  '+5',
  ' 60 ',
  '60, 60',
  '99999999999999999999',
  'Infinity',
  'NaN',
  'x 2099',
  '275760-09-13'
)
const headerText = fc.oneof(text, seconds.map(httpDate), seconds.map(String), fc.bigInt().map(String), odd)
const header = fc.record({ value: fc.oneof(headerText, fc.array(headerText, { maxLength: 2 })), unit: fc.constantFrom('seconds', 'epoch') })

property('any Retry-After blocks requests for an hour at most, and never throws', 500, header, ({ value, unit }) => {
  const untilMs = retryAtMs({ header: 'retry-after', unit }, { 'retry-after': value }, nowMs)
  if (untilMs === undefined) return false
  must(untilMs > nowMs && untilMs <= nowMs + hourMs, `it blocks until ${untilMs}`)
  const connection = connectionWith({ rateLimitedUntilMs: untilMs })
  must(
    passThrough('rate_limited', () => assertNotRateLimited(connection, { now: () => nowMs })) === undefined,
    'the request was not blocked'
  )
  must(
    passThrough('rate_limited', () => assertNotRateLimited(connection, { now: () => untilMs })) !== undefined,
    'it is blocked for too long'
  )
  return true
})

property('a Retry-After in seconds and one with a date mean the same time', 200, fc.integer({ min: 1, max: 3600 }), seconds => {
  for (const value of [String(seconds), ` ${seconds} `, httpDate(seconds)])
    must(retryAtMs({ header: 'retry-after', unit: 'seconds' }, { 'retry-after': value }, nowMs) === nowMs + seconds * 1000, value)
  return true
})
