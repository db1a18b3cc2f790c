import fc from 'fast-check'
import { buildRequestHeaders } from '../../../src/core/guards/request-headers.ts'
import { nameList, spellingOf, text } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { isSendable, passThrough } from './pass-through.ts'

const strippedNames = [
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
const forwardedNames = [
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
const own = { authorization: 'Bearer own', 'x-api-key': 'own', X_Version: 'own' }
const canonical = (name: string): string => name.toLowerCase().replaceAll('_', '-')
const ownNames = Object.keys(own).map(canonical)

const fieldName = fc.oneof(
  { weight: 4, arbitrary: spellingOf([...strippedNames, ...ownNames]) },
  { weight: 4, arbitrary: spellingOf(forwardedNames) },
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

property(
  'SEC-29: stripped headers are never forwarded, and the gateway’s are sent once',
  1000,
  fc.array(field, { maxLength: 8 }),
  generated => {
    // With a User-Agent, so that the gateway adds none.
    const fields = [['User-Agent', 'fuzz'], ...generated] as [string, string][]
    const sent = passThrough('header_rejected', () => buildRequestHeaders(fields.flat(), own))?.value
    if (sent === undefined) return false
    const pairs = Array.from({ length: sent.length / 2 }, (_, i) => [sent[2 * i], sent[2 * i + 1]] as [string, string])
    const forwarded = pairs.slice(0, -3)
    must(JSON.stringify(pairs.slice(-3)) === JSON.stringify(Object.entries(own)), 'a header of the gateway is missing')

    const hopByHop = fields
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, list]) => list.split(',').map(name => canonical(name.trim())))
    // One iterator for all, so that each header must come after the one before.
    const original = fields.values()
    for (const [name, value] of forwarded) {
      const key = canonical(name)
      must(!strippedNames.includes(key) && !/^(proxy-|x-forwarded-|sec-)/.test(key), `${name} was forwarded`)
      must(!ownNames.includes(key), `${name} duplicates a header of the gateway`)
      must(!hopByHop.includes(key), `${name} was named by Connection`)
      must(isSendable(name, value), `node:http would not send ${name}`)
      must(
        original.some(field => field[0] === name && field[1] === value),
        `${name} was changed or moved`
      )
    }
    return forwarded.length > 1
  }
)

const harmless = fc.tuple(spellingOf(['accept', 'content-type', 'x-hop', 'range', 'x']), fc.constantFrom('', 'a', 'a\tb', '\xe9', '"'))

property('SEC-29: harmless headers are all forwarded', 300, fc.array(harmless), generated => {
  const fields = [['User-Agent', 'fuzz'], ...generated]
  must(buildRequestHeaders(fields.flat(), {}).join('\n') === fields.flat().join('\n'), 'one is missing')
  return true
})
