import t from 'tap'
import { decodeOnce, isPathSegment, traversalIn } from '../../../src/core/util/percent-decoding.ts'
import { printable } from '../support.ts'

t.test('decoding is by bytes, and leaves what is no encoding', async t => {
  for (const [text, decoded] of [
    ['a%20b', 'a b'],
    ['%C3%a9', '\xc3\xa9'],
    ['%2541', '%41'],
    ['100%', '100%'],
    ['%2', '%2'],
    ['%zz', '%zz']
  ] as const)
    t.equal(decodeOnce(text), decoded, text)
})

t.test('SEC-61: what may be one segment of a path stays one, however often a server decodes it', async t => {
  for (const value of [
    'acme',
    'Acme Inc.',
    'a.b',
    '...',
    '..foo',
    'a%20b',
    '100%',
    'ü',
    '日本',
    'a:b',
    'a@b',
    'a;b',
    'a b',
    'a&b=c',
    '{x}',
    '~',
    '-'
  ])
    t.equal(isPathSegment(value), true, printable(value))
  for (const value of [
    '',
    '.',
    '..',
    '..;x',
    '.;',
    '..#x',
    '..?x',
    '.. ',
    'a?b',
    'a#b',
    'a%23',
    ' ',
    ' a',
    ';a',
    '%20',
    '/',
    'a/b',
    '\\',
    'a\\b',
    '\0',
    'a\nb',
    '\x7f',
    '\u0085',
    '\ud800',
    '%2e',
    '%2e%2e',
    '%252e%2e',
    '%2f',
    'a%2Fb',
    'a%25252fb',
    '%5c',
    '%00',
    '%c0%ae',
    `%${'25'.repeat(12)}2e`
  ])
    t.equal(isPathSegment(value), false, printable(value))
})

t.test('a traversal is named', async t => {
  t.equal(traversalIn('/a/b%20c'), undefined)
  t.equal(traversalIn('/a/%252e%252e/b'), 'holds a dot segment')
  t.equal(traversalIn('//evil.example'), 'begins with two slashes, which reads as another host')
  t.equal(traversalIn(`/${'%25'.repeat(2)}${'25'.repeat(9)}`), 'is encoded too many times')
})
