import t from 'tap'
import { AllowedOrigins, parseOriginPattern } from '../../../src/core/guards/allowed-origins.ts'
import { printable } from '../support.ts'

const patternOf = (text: string) => {
  const pattern = parseOriginPattern(text)
  if (!pattern) throw new Error(`${text} is no pattern`)
  return pattern
}

const origins = new AllowedOrigins(['https://app.example.com'], [patternOf('https://*.preview.example.com')])

t.test('SEC-25: an exact origin counts for cookies and for bearers', async t => {
  t.ok(origins.has('https://app.example.com'))
  t.ok(origins.hasForBearer('https://app.example.com'))
  t.strictSame([...origins], ['https://app.example.com'], 'patterns are no origins')
})

t.test('SEC-25: a pattern counts for bearers alone', async t => {
  for (const origin of ['https://a.preview.example.com', 'https://pr-17.preview.example.com', 'https://7.preview.example.com']) {
    t.notOk(origins.has(origin), origin)
    t.ok(origins.hasForBearer(origin), origin)
  }
})

for (const origin of [
  'https://preview.example.com',
  'https://.preview.example.com',
  'https://*.preview.example.com',
  'https://a.b.preview.example.com',
  'https://-a.preview.example.com',
  'https://a-.preview.example.com',
  'https://a_b.preview.example.com',
  'https://A.preview.example.com',
  'https://ä.preview.example.com',
  'https://evil.example/.preview.example.com',
  'https://evil.example?.preview.example.com',
  'https://evil.example#.preview.example.com',
  'https://user@a.preview.example.com',
  'https://evil.example:80.preview.example.com',
  'https://evilpreview.example.com',
  'https://a.preview.example.com.evil.example',
  'https://a.preview.example.com:8443',
  'https://a.preview.example.com/',
  'https://a.preview.example.com.',
  'https://a\n.preview.example.com',
  'https://a.preview.example.com\n',
  'http://a.preview.example.com',
  'HTTPS://a.preview.example.com',
  'null',
  ''
])
  t.test(`SEC-25: a pattern does not allow ${printable(origin)}`, async t => {
    t.notOk(origins.hasForBearer(origin))
    t.notOk(origins.has(origin))
  })

t.test('a pattern may have a port, and a scheme in any case', async t => {
  const allowed = new AllowedOrigins([], [patternOf('HTTPS://*.Preview.example.com:8443/'), patternOf('http://*.localhost:5173')])
  t.ok(allowed.hasForBearer('https://a.preview.example.com:8443'))
  t.ok(allowed.hasForBearer('http://a.localhost:5173'))
  for (const origin of ['https://a.preview.example.com', 'http://a.localhost', 'http://localhost:5173'])
    t.notOk(allowed.hasForBearer(origin), origin)
})

for (const text of [
  '*',
  'https://*',
  'https://*.',
  'https://*.com',
  'https://*.localhost.',
  'https://*.com.',
  'https://**.example.com',
  'https://*.*.example.com',
  'https://a*.example.com',
  'https://*a.example.com',
  'https://a.*.example.com',
  'https://example.com',
  '*.example.com',
  'ftp://*.example.com',
  'https://*.example.com/path',
  'https://*.example.com?',
  'https://*.example.com#',
  'https://*.example.com:443',
  'https://*.example.com:x',
  'https://*.user@example.com',
  'https://*.exämple.com',
  'https://*.example.com\\@evil.example',
  'https://*..example.com',
  ' https://*.example.com'
])
  t.test(`SEC-25: ${printable(text)} is no pattern`, async t => {
    t.equal(parseOriginPattern(text), undefined)
  })
