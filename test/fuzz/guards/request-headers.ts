import fc from 'fast-check'
import { buildRequestHeaders } from '../../../src/core/guards/request-headers.ts'
import { nameList, spellingOf, text } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { isSendable, passed } from './passed.ts'

const stops = [
  'cookie',
  'authorization',
  'proxy-authorization',
  'proxy-x',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-x',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'host',
  'expect',
  'x-csrf',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
  'sec-fetch-site',
  'origin',
  'referer'
]
const mayPass = [
  'accept',
  'content-type',
  'x-hop',
  'x-version',
  'if-none-match',
  'x-api-keys',
  'authorizations',
  'range',
  '__proto__',
  'constructor'
]
const ours = { authorization: 'Bearer ours', 'x-api-key': 'ours', X_Version: 'ours' }
const canonical = (name: string): string => name.toLowerCase().replaceAll('_', '-')
const ourNames = Object.keys(ours).map(canonical)

const fieldName = fc.oneof(
  { weight: 4, arbitrary: spellingOf([...stops, ...ourNames]) },
  { weight: 4, arbitrary: spellingOf(mayPass) },
  { weight: 1, arbitrary: text }
)
const field = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fieldName, fc.oneof(fc.constantFrom('', '1', 'a\tb', 'caf\xe9'), text)) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      spellingOf(['connection']).filter(name => !name.includes('_')),
      nameList(fieldName)
    )
  }
)

property('SEC-29: of any headers none goes up that must stop, and ours do, once', 1000, fc.array(field, { maxLength: 8 }), drawn => {
  // One that says what it is, so that no name of ours goes up.
  const fields = [['User-Agent', 'fuzz'], ...drawn] as [string, string][]
  const sent = passed('header_rejected', () => buildRequestHeaders(fields.flat(), ours))?.value
  if (sent === undefined) return false
  const pairs = Array.from({ length: sent.length / 2 }, (_, i) => [sent[2 * i], sent[2 * i + 1]] as [string, string])
  const theirs = pairs.slice(0, -3)
  must(JSON.stringify(pairs.slice(-3)) === JSON.stringify(Object.entries(ours)), 'ours are not all there')

  const named = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, list]) => list.split(',').map(name => canonical(name.trim())))
  // Iterated once for all: each must be found behind the one before.
  const given = fields.values()
  for (const [name, value] of theirs) {
    const key = canonical(name)
    must(!stops.includes(key) && !/^(proxy-|x-forwarded-|sec-)/.test(key), `${name} went up`)
    must(!ourNames.includes(key), `${name} stands beside ours`)
    must(!named.includes(key), `${name} was for this hop`)
    must(isSendable(name, value), `${name} would be refused by the client that sends it`)
    must(
      given.some(field => field[0] === name && field[1] === value),
      `${name} is not as it was sent, or not in its place`
    )
  }
  return theirs.length > 1
})

const harmless = fc.tuple(spellingOf(['accept', 'content-type', 'x-hop', 'range', 'x']), fc.constantFrom('', 'a', 'a\tb', '\xe9', '"'))

property('SEC-29: harmless headers all go up', 300, fc.array(harmless), drawn => {
  const fields = [['User-Agent', 'fuzz'], ...drawn]
  must(buildRequestHeaders(fields.flat(), {}).join('\n') === fields.flat().join('\n'), 'one is missing')
  return true
})
