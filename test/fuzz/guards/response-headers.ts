import fc from 'fast-check'
import { buildResponseHeaders } from '../../../src/core/guards/response-headers.ts'
import { byName } from '../../support/raw-headers.ts'
import { nameList, text } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { isSendable } from './passed.ts'

const stops = [
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'access-control-allow-origin',
  'strict-transport-security',
  'alt-svc',
  'refresh',
  'www-authenticate',
  'service-worker-allowed',
  'grantkeeper-error',
  'transfer-encoding',
  'connection',
  'x-accel-redirect',
  'cdn-cache-control'
]
const ours = ['content-security-policy', 'x-content-type-options', 'cache-control', 'vary']
const others = ['content-type', 'etag', 'location', 'x-hop', 'constructor', '__proto__']

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...stops, ...ours, ...others) },
  { weight: 1, arbitrary: text.map(name => name.toLowerCase()) }
)
const directives = fc
  .array(
    fc.constantFrom(
      'public',
      'PUBLIC',
      'private',
      's-maxage=60',
      'max-age=60',
      'no-cache="a, public"',
      '"',
      ',',
      ';',
      '=',
      ' ',
      '\t',
      'proxy-revalidate',
      'x=", public, y="'
    ),
    { maxLength: 7 }
  )
  .chain(parts => fc.constantFrom(',', ', ', '').map(comma => parts.join(comma)))
const value = fc.oneof(directives, nameList(name), text)

const headers = fc.array(fc.tuple(name, fc.oneof(value, fc.array(value, { maxLength: 3 }))), { maxLength: 8 })

property(
  'SEC-30, SEC-31: of any headers of a provider none acts on our origin, and all can be sent to the client',
  1000,
  headers,
  pairs => {
    const kept = byName(buildResponseHeaders(200, Object.fromEntries(pairs), address => address))
    for (const [name, value] of Object.entries(kept)) {
      must(!stops.includes(name) && !/^(access-control-|proxy-)|.-cache-control$/.test(name), `${name} reached the client`)
      for (const one of [value].flat()) must(isSendable(name, one), `${name} cannot be sent`)
    }
    must(kept['x-content-type-options'] === 'nosniff', 'browsers would guess what it is')
    must(kept['content-security-policy'] === "sandbox; default-src 'none'; frame-ancestors 'none'", 'it could act on our origin')
    must(/(^|, )Cookie, Origin, X-CSRF$/.test(String(kept.vary)), 'caches would give it to others')
    must(kept['cross-origin-resource-policy'] === 'same-origin', 'other origins would load it')
    const [first, ...caching] = String(kept['cache-control'])
      .split(',')
      .map(part => part.trim().toLowerCase())
    must(first === 'private' && !caching.some(part => /^(public|s-maxage)(=|$)/.test(part)), 'a shared cache would store it')
    return Object.keys(kept).length > 4
  }
)
