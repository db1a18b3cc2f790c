import fc from 'fast-check'
import { buildResponseHeaders } from '../../../src/core/guards/response-headers.ts'
import { groupHeaders } from '../../support/raw-headers.ts'
import { nameList, text } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { isSendable } from './pass-through.ts'

const strippedNames = [
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
const ownNames = ['content-security-policy', 'x-content-type-options', 'cache-control', 'vary']
const otherNames = ['content-type', 'etag', 'location', 'x-hop', 'constructor', '__proto__']

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...strippedNames, ...ownNames, ...otherNames) },
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

property('SEC-30, SEC-31: no provider header acts on the gateway’s origin, and all are sendable', 1000, headers, pairs => {
  const forwarded = groupHeaders(buildResponseHeaders(200, Object.fromEntries(pairs), url => url))
  for (const [name, value] of Object.entries(forwarded)) {
    must(!strippedNames.includes(name) && !/^(access-control-|proxy-)|.-cache-control$/.test(name), `${name} was forwarded`)
    for (const item of [value].flat()) must(isSendable(name, item), `${name} cannot be sent`)
  }
  must(forwarded['x-content-type-options'] === 'nosniff', 'browsers would sniff its type')
  must(forwarded['content-security-policy'] === "sandbox; default-src 'none'; frame-ancestors 'none'", 'it could act on our origin')
  must(
    /(^|, )Authorization, Grantkeeper-Connection, Grantkeeper-User, Cookie, Origin, X-CSRF$/.test(String(forwarded.vary)),
    'caches would reuse it for others'
  )
  must(forwarded['cross-origin-resource-policy'] === 'same-origin', 'other origins would load it')
  const [first, ...caching] = String(forwarded['cache-control'])
    .split(',')
    .map(part => part.trim().toLowerCase())
  must(first === 'private' && !caching.some(part => /^(public|s-maxage)(=|$)/.test(part)), 'a shared cache would store it')
  return Object.keys(forwarded).length > 4
})
