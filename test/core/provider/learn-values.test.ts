import t from 'tap'
import { LearntValueError, learnValues } from '../../../src/core/provider/learn-values.ts'
import type { LearntValue } from '../../../src/core/provider/parameter.ts'
import { printable, providerWith } from '../support.ts'

const token = (parts: Partial<LearntValue> = {}): LearntValue => ({ from: 'token', pointer: '/v', example: 'x', ...parts })

function learnt(value: LearntValue, document: unknown, baseUrl = 'https://api.acme.com', options = {}) {
  try {
    return learnValues(providerWith({ api: { baseUrl } }), { v: value }, value.from, document, options)
  } catch (error) {
    return error instanceof LearntValueError ? 'refused' : error
  }
}

t.test('a value is read from the document that it is in', async t => {
  t.strictSame(learnt(token(), { v: 'a' }), { v: 'a' })
  t.strictSame(learnt(token({ pointer: '/a/0/b' }), { a: [{ b: 7 }] }), { v: '7' })
  t.strictSame(learnt({ from: 'callback', parameter: 'realm/Id', example: '1' }, { 'realm/Id': '17' }), { v: '17' })
  t.strictSame(learnt({ from: 'key', pattern: '.*-([a-z]+\\d)', example: 'a-us1' }, 'abc-us2'), { v: 'us2' })
  t.strictSame(learnValues(providerWith(), { v: token() }, 'lookup', { v: 'a' }), {}, 'another document is read for others')
  t.strictSame(learnValues(providerWith(), undefined, 'token', {}), {})
})

t.test('SEC-61: what is missing, of another type or giant is refused', async t => {
  for (const v of [
    undefined,
    null,
    '',
    true,
    false,
    [],
    ['a'],
    {},
    { v: 'a' },
    1.5,
    2 ** 53,
    Number.NaN,
    'x'.repeat(2049),
    'a\nb',
    'a\0',
    '\ud800'
  ])
    t.equal(learnt(token(), { v }), 'refused', printable(String(JSON.stringify(v)).slice(0, 40)))
  for (const document of [undefined, null, 'text', 7, [], Object.create({ v: 'inherited' })]) t.equal(learnt(token(), document), 'refused')
  t.equal(learnt({ from: 'callback', parameter: 'v', example: '1' }, { v: ['1', '2'] }), 'refused', 'given twice')
})

t.test('a value may have a default, be optional, or stay away at a refresh', async t => {
  t.strictSame(learnt(token({ default: 'd' }), {}), { v: 'd' })
  t.strictSame(learnt(token({ optional: true }), {}), {})
  t.strictSame(learnt(token(), {}, undefined, { isOptional: true }), {})
  t.equal(learnt(token({ optional: true }), { v: ['a'] }), 'refused', 'what is there must be right')
})

t.test('SEC-61: a value that leaves its suffix is refused', async t => {
  const suffix = ['.vendor.com', '.vendor.eu']
  for (const v of ['https://na1.vendor.com', 'https://a.b.vendor.eu/x/', 'https://vendor.com', 'na1.vendor.com', 'HTTPS://NA1.VENDOR.COM'])
    t.strictSame(learnt(token({ suffix }), { v }, '{v}/x'.replace('{v}', v.startsWith('n') ? 'https://{v}' : '{v}')), { v }, v)
  for (const v of [
    ...[
      'https://evil.com',
      'https://evilvendor.com',
      'https://vendor.com.evil.com',
      'https://vendor.com@evil.com',
      'https://u@na1.vendor.com'
    ],
    ...['https://evil.com#.vendor.com', 'https://evil.com?.vendor.com', 'https://evil.com\\.vendor.com', 'https://evil.com/.vendor.com'],
    ...[
      'http://na1.vendor.com',
      '//na1.vendor.com',
      'https:na1.vendor.com',
      'https://na1.vendor.com:8443',
      'https://na1.vendor.com?x',
      'ftp://a.vendor.com'
    ],
    ...['https://127.0.0.1', 'https://[::1]', 'https://xn--a.vendor.com', 'https://a_b.vendor.com', 'https://na1.vendor.com\n']
  ])
    t.equal(learnt(token({ suffix }), { v }, '{v}/x'), 'refused', printable(v))
  t.equal(learnt(token({ suffix }), { v: 'na1.vendor.com/x' }, 'https://{v}/y'), 'refused', 'a host is a host alone')
})

t.test('SEC-61: a value is of its list and pattern, and fits where it stands', async t => {
  const region = token({ oneOf: ['eu', 'https://us.vendor.com'] })
  t.strictSame(learnt(region, { v: 'https://us.vendor.com' }, '{v}/x'), { v: 'https://us.vendor.com' })
  for (const v of ['EU', 'https://us.vendor.com/', 'https://evil.com']) t.equal(learnt(region, { v }, '{v}/x'), 'refused', v)
  const id = token({ pattern: '\\d+' })
  for (const v of ['1a', '', ' 1', '1\n', '-1']) t.equal(learnt(id, { v }), 'refused', printable(v))
  for (const v of ['..', 'a/b', '%2e%2e', '..;']) t.equal(learnt(token(), { v }, 'https://api.acme.com/{v}'), 'refused', v)
  for (const v of ['a.b', 'evil.com/', 'xn--a', 'a_b']) t.equal(learnt(token(), { v }, 'https://{v}.acme.com'), 'refused', v)
  for (const v of ['a b', 'é', '\x7f']) t.equal(learnt(token({ secret: true }), { v }), 'refused', printable(v))
})

t.test('SEC-40: an error names the value and has nothing of it', async t => {
  for (const document of [{ v: 'canary/..' }, { v: ['canary'] }, { v: 'canary'.repeat(1000) }])
    try {
      learnValues(providerWith({ api: { baseUrl: 'https://{v}.acme.com' } }), { v: token() }, 'token', document)
      t.fail('it is accepted')
    } catch (error) {
      t.match(error, { value: 'v', message: /^the provider’s v / })
      t.notMatch(String((error as Error).stack), /canary/)
    }
})
