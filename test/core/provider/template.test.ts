import t from 'tap'
import { expand, isResolved, positionsIn, TemplateError, variablesIn } from '../../../src/core/provider/template.ts'
import { printable } from '../support.ts'

const outcome = (run: () => string) => {
  try {
    return run()
  } catch (error) {
    return error instanceof TemplateError ? `refused: ${error.variable}` : error
  }
}

t.test('a template’s names are found, and nothing else is one', async t => {
  t.strictSame(variablesIn('https://{shop}.a.com/{a_b1}?x={shop}'), ['shop', 'a_b1', 'shop'])
  for (const text of ['', 'a', '{', '{}', '{A}', '{1a}', '{a-b}', '{ a }', '{a', 'a}', '{a.b}', '{+a}', '{_a}'])
    t.strictSame([variablesIn(text), isResolved(text), expand.text(text, { a: 'x' })], [[], true, text], text)
  t.strictSame(variablesIn('{{a}}'), ['a'])
})

t.test('a URL has expressions in its host or behind it', async t => {
  t.strictSame(positionsIn('https://{a}.b.com:80/{c}?d={e}#{f}'), { host: ['a'], path: ['c'], query: ['e', 'f'] })
  t.strictSame(positionsIn('{base}/x/{c}'), { host: ['base'], path: ['c'], query: [] })
  t.strictSame(positionsIn('https://a.com?x={b}'), { host: [], path: [], query: ['b'] })
  t.strictSame(positionsIn('https://a.com#{b}'), { host: [], path: ['b'], query: [] })
})

t.test('values are encoded for their place, once', async t => {
  const variables = { a: 'x y', b: '{a}', c: '%41', d: 'é', e: '&=+?#/' }
  t.equal(
    expand.url('https://h.com/{a}/{b}?q={c}&r={d}&s={e}', variables),
    'https://h.com/x%20y/%7Ba%7D?q=%2541&r=%C3%A9&s=%26%3D%2B%3F%23%2F'
  )
  t.equal(expand.path('/{a}/{d}', variables), '/x%20y/%C3%A9')
  t.equal(expand.header('a {a}; b="{b}"', variables), 'a x y; b="{a}"', 'a value is no template')
  t.equal(expand.text('{a}{d}{e}', variables), 'x yé&=+?#/')
  t.equal(expand.url('https://{s}.h.com/', { s: 'ShOp' }), 'https://shop.h.com/')
})

t.test('SEC-61: what would leave its place is refused', async t => {
  const strange = [
    ...['', '.', '..', 'a/b', 'a\\b', '/', '//evil.com', '..;x', '%2e%2e', '%2fa', 'a\nb', 'a\r\nX: y', 'a\0', '\u0085', '\ud800'],
    ...['?x', '#x', 'a@b', 'a:1', 'a b', 'evil.com#', 'evil.com/', 'evil.com?', 'x@evil.com', '[::1]', 'ä', '-a', 'a-', 'a..b', '_a', '']
  ]
  for (const value of strange)
    t.equal(
      outcome(() => expand.url('https://{v}.h.com/', { v: value })),
      'refused: v',
      `host ${printable(value)}`
    )
  for (const value of strange.slice(0, 15)) {
    t.equal(
      outcome(() => expand.url('https://h.com/{v}/x', { v: value })),
      'refused: v',
      `path ${printable(value)}`
    )
    t.equal(
      outcome(() => expand.path('/a/{v}', { v: value })),
      'refused: v',
      `path below the base ${printable(value)}`
    )
  }
  for (const value of ['a\nb', 'a\r\nX: y', 'a\0', '\t', '\x7f', 'é', '\ud800', '日'])
    t.equal(
      outcome(() => expand.header('x {v}', { v: value })),
      'refused: v',
      `header ${printable(value)}`
    )
})

t.test('SEC-61: a base that a provider tells is an https URL and nothing more', async t => {
  for (const [value, url] of [
    ['https://na1.vendor.com', 'https://na1.vendor.com/x'],
    ['https://NA1.vendor.com/a/', 'https://na1.vendor.com/a/x'],
    ['https://na1.vendor.com/a/../b', 'https://na1.vendor.com/b/x'],
    ['https://na1.vendor.com:8443', 'https://na1.vendor.com:8443/x']
  ] as const)
    t.equal(expand.url('{base}/x', { base: value }), url)
  for (const base of [
    ...['', 'na1.vendor.com', 'http://na1.vendor.com', 'javascript:alert(1)', 'file:///etc/passwd', '//evil.com', 'https://'],
    ...[
      'https://u@vendor.com',
      'https://u:p@vendor.com',
      'https://vendor.com?x',
      'https://vendor.com#x',
      'https://[::1]',
      'https://a_b.com'
    ]
  ])
    t.equal(
      outcome(() => expand.url('{base}/x', { base })),
      'refused: base',
      base
    )
})

t.test('a name without a value is refused, or left where more is to be learnt', async t => {
  for (const name of ['a', 'constructor', 'to_string', 'valueof']) {
    t.equal(
      outcome(() => expand.text(`{${name}}`, {})),
      `refused: ${name}`
    )
    t.equal(expand.url(`https://h.com/{${name}}`, {}, 'known'), `https://h.com/{${name}}`)
  }
  t.equal(expand.url('https://{a}.h.com/{b}', { b: 'x' }, 'known'), 'https://{a}.h.com/x')
})
