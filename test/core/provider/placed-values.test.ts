import t from 'tap'
import { positionsOf, unmetPosition } from '../../../src/core/provider/placed-values.ts'
import { apiKeyWith, oauth2With, providerWith } from '../support.ts'

t.test('each use of a value in a definition is found', async t => {
  const definition = providerWith({
    api: {
      baseUrl: 'https://{a}.acme.com/{b}',
      bases: { up: { url: 'https://{c}.acme.com', placements: [{ in: 'header', name: 'x', value: 'T {d}' }] }, down: 'https://x.com/{e}' },
      headers: { 'x-f': '{f}' },
      query: { g: '{g}' },
      linkBases: ['https://{h}.acme.com']
    },
    methods: {
      oauth2: oauth2With({
        authorizeUrl: 'https://{i}.acme.com/a',
        tokenHeaders: { 'x-j': '{j}' },
        tokenParams: { k: '{k}' },
        check: { path: '/{l}', status: 200 },
        revokeRequest: { url: 'https://acme.com/{m}', headers: { 'x-n': '{n}' }, params: { o: '{o}' } }
      }),
      apiKey: apiKeyWith({ in: 'basic', username: '{p}', password: '{q}' })
    }
  })
  const found = Object.fromEntries([...positionsOf(definition)].map(([name, places]) => [name, [...places].join()]))
  t.strictSame(found, {
    ...{ a: 'host', b: 'path', c: 'host', d: 'header', e: 'path', f: 'header', g: '', h: 'host', i: 'host', j: 'header', k: '', l: 'path' },
    ...{ m: 'path', n: 'header', o: '', p: '', q: '' }
  })
  t.equal(positionsOf(definition), positionsOf(definition), 'once')
})

t.test('a value that is used in several places meets the requirements of all', async t => {
  const everywhere = new Set(['host', 'path', 'header'] as const)
  t.equal(unmetPosition('acme', everywhere, false), undefined)
  for (const value of ['a.b', 'a/b', 'é', 'xn--a', '', '..']) t.match(unmetPosition(value, everywhere, false), /^must /, value)
  t.equal(unmetPosition('a.b', everywhere, true), undefined)
  for (const value of ['a/b', 'https://a.b', 'a:1', '']) t.match(unmetPosition(value, everywhere, true), /^must /, value)
  t.equal(unmetPosition('/anything\n', new Set(), false), undefined, 'a parameter of a form is encoded as a whole')
  t.equal(unmetPosition('/anything\n', undefined, false), undefined)
})
