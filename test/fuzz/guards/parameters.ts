import fc from 'fast-check'
import { hasCode } from '../../../src/core/errors.ts'
import { buildRequestHeaders } from '../../../src/core/guards/request-headers.ts'
import type { Provider } from '../../../src/core/provider/definition.ts'
import { parseParameters } from '../../../src/core/provider/parse-parameters.ts'
import { resolveDefinition } from '../../../src/core/provider/resolve-definition.ts'
import type { Variables } from '../../../src/core/provider/template.ts'
import { apiBase, withBase } from '../../../src/core/proxy/api-base.ts'
import { applyCredential } from '../../../src/core/proxy/credential.ts'
import { Secret } from '../../../src/core/secret.ts'
import { connectionWith, providerWith } from '../../core/support.ts'
import { hostileAddress, hostilePath, text } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { segmentsAt, server } from '../server-models.ts'

const free = { title: 'Value', example: 'a' }
const placements = [{ in: 'header', name: 'x-auth', value: 'Token {key}; note={note}' }] as const
const definition: Provider = providerWith({
  parameters: {
    shop: { ...free, suffix: '.shops.com' },
    tenant: free,
    note: free,
    server: { ...free, isHost: true }
  },
  api: {
    baseUrl: 'https://{shop}.shops.com/base/{tenant}/v1',
    bases: { own: { url: 'https://{server}/api', placements } },
    headers: { 'x-note': '{note}' },
    query: { tenant: '{tenant}', note: '{note}' }
  },
  methods: { apiKey: { placements, help: { steps: [] } } }
})

const { refreshToken: _, ...key } = connectionWith({ method: 'api_key', credential: new Secret('KEY') })

const ordinary = fc.constantFrom('acme', 'a-1', 'Acme', 'acme.shops.com', 'https://acme.shops.com/x', 'git.acme.com')
const evil = fc.constantFrom('evil.com', '.shops.com', '#', '@', ':443', '%2e', '%2f', '..', '\r\nX: y', '{key}', '127.0.0.1', 'xn--')
const value = fc.oneof(
  { weight: 4, arbitrary: ordinary },
  { weight: 2, arbitrary: text },
  { weight: 1, arbitrary: hostilePath },
  { weight: 1, arbitrary: hostileAddress },
  { weight: 3, arbitrary: fc.array(fc.oneof(ordinary, evil), { maxLength: 4 }).map(pieces => pieces.join('')) }
)

/** One is hostile, or all of them. */
const given = fc.oneof(
  fc.record({ shop: value, tenant: value, note: value, server: value }),
  fc
    .tuple(fc.constantFrom('shop', 'tenant', 'note', 'server'), value)
    .map(([name, one]) => ({ shop: 'acme', tenant: 'a', note: 'n', server: 'git.acme.com', [name]: one }))
)

property(
  'SEC-61: no parameter that is accepted moves a request to another host, path or header',
  1_000,
  fc.tuple(given, server),
  ([values, seenBy]) => {
    let accepted: Variables
    try {
      accepted = parseParameters(definition, definition.parameters ?? {}, values)
    } catch (error) {
      must(hasCode(error, 'parameters_invalid'), `it throws ${error}`)
      return false
    }
    const connection = { ...key, parameters: accepted }
    const resolved = resolveDefinition(definition, accepted)
    must(/^https:\/\/[a-z0-9-]+\.shops\.com$/.test(apiBase(resolved).origin), `the origin is ${apiBase(resolved).origin}`)
    const own = withBase(resolved, 'own')
    must(apiBase(own).origin === `https://${accepted.server}`, `the own server’s origin is ${apiBase(own).origin}`)
    const { path, headers } = applyCredential(resolved, connection, '/items?tenant=theirs&a=b')
    const [, query = ''] = path.split('?')
    const segments = segmentsAt(path.split('?', 1)[0] ?? '', seenBy)
    must(segments?.length === 4, `a server sees the path ${JSON.stringify(segments)} of ${path}`)
    must(
      [segments[0], segments[2], segments[3]].join() === 'base,v1,items',
      `a server sees the path ${JSON.stringify(segments)} of ${path}`
    )
    must([...new URLSearchParams(query).keys()].join() === 'a,tenant,note', `the query is ${query}`)
    must(new URLSearchParams(query).get('tenant') === accepted.tenant, `the tenant in the query is another`)
    must(Object.keys(headers).join() === 'x-note,x-auth', `the headers are ${Object.keys(headers)}`)
    must(headers['x-auth'] === `Token KEY; note=${accepted.note}`, `the credential is placed as ${headers['x-auth']}`)
    for (const field of buildRequestHeaders([], headers)) must(/^[\x20-\x7e]*$/.test(field), `a header is ${JSON.stringify(field)}`)
    return true
  }
)
