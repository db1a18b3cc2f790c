import t from 'tap'
import { guardPath, isPathWithin } from '../../../src/core/guards/path.ts'
import { codeOf, printable } from '../support.ts'

const hex = (character: string) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
const escaped = (text: string) => [...text].map(hex).join('')

/** Encodes `text` so that `depth` decodings restore it. */
function encoded(text: string, depth: number): string {
  let result = text
  for (let i = 0; i < depth; i++) result = i === 0 ? escaped(text) : result.replaceAll('%', '%25')
  return result
}

const depths = [0, 1, 2, 3]
const positions = {
  'at the start': (trick: string) => `/${trick}/a/b`,
  'in the middle': (trick: string) => `/a/${trick}/b`,
  'at the end': (trick: string) => `/a/b/${trick}`
}

const tricks = {
  'two dots': '..',
  'one dot': '.',
  'two dots with a parameter': '..;x',
  'one dot with a parameter': '.;x',
  'two dots and a space, which Windows and URL parsers drop': '.. ',
  'two dots before an encoded query': '..?x',
  'two dots before an encoded fragment': '..#x',
  'two dots around a tab, which URL parsers remove': '.\t.',
  'a slash and two dots': '/..',
  'two dots between slashes': 'x/../y',
  'a backslash': '\\',
  'two dots after a backslash': 'x\\..',
  NUL: '\0',
  'NUL after a name': 'a\0.json',
  CR: '\r',
  LF: '\n',
  'an overlong dot of two bytes': '\xc0\xae',
  'an overlong slash of two bytes': '\xc0\xaf',
  'an overlong dot of three bytes': '\xe0\x80\xae',
  'an overlong dot of four bytes': '\xf0\x80\x80\xae',
  'an overlong dot of five bytes': '\xf8\x80\x80\x80\xae',
  'an overlong dot of six bytes': '\xfc\x80\x80\x80\x80\xae'
}

for (const [name, trick] of Object.entries(tricks)) {
  t.test(`SEC-28: ${name} is rejected at every depth of encoding, in every place`, async t => {
    for (const depth of depths) {
      // A bare ? ends the path on the wire, so it is no attack on the path.
      if (depth === 0 && /[?]/.test(trick)) continue
      for (const [where, at] of Object.entries(positions)) {
        const path = at(encoded(trick, depth))
        t.equal(
          codeOf(() => guardPath(path)),
          'path_rejected',
          `${where}, decoded ${depth} times: ${printable(path)}`
        )
      }
    }
  })
}

t.test('SEC-28: half-encoded and mixed-case dot segments are rejected', async t => {
  for (const path of [
    '/.%2e/a',
    '/%2e./a',
    '/%2E%2e/a',
    '/a/%2E',
    '/a%2F..',
    '/a%2f..%2fb',
    '/a/..%2Fb',
    '/a%5C..',
    '/a%5c%2e%2e',
    '/%252e.',
    '/a/%2e%252e/b',
    '/..;',
    '/..%3b/a',
    '/..;x=1/a',
    '/;/../a',
    '/a/..',
    '/..'
  ])
    t.equal(
      codeOf(() => guardPath(path)),
      'path_rejected',
      path
    )
})

t.test('SEC-28: a path that reads as another host is rejected', async t => {
  for (const path of [
    '//evil.example',
    '//',
    '/%2fevil.example',
    '/%2Fevil.example',
    '/%252fevil.example',
    '/%5cevil.example',
    '/\\evil.example'
  ])
    t.equal(
      codeOf(() => guardPath(path)),
      'path_rejected',
      path
    )
  t.equal(guardPath('/a//b'), '/a//b', 'two slashes after the start name no host')
})

t.test('SEC-28: fragments and characters that need encoding are rejected, in the query too', async t => {
  for (const target of ['/a#b', '/a?b#c', '#', '/a b', '/a?b c', '/a\tb', '/é', '/a?é', '/a?\0', '/a?\r\nhost: x', '/\x7f', '/a?\u2028'])
    t.equal(
      codeOf(() => guardPath(target)),
      'path_rejected',
      printable(target)
    )
})

t.test('SEC-28: eight layers of encoding are decoded, and a ninth is rejected', async t => {
  t.equal(guardPath(`/${encoded('a', 8)}`), `/${encoded('a', 8)}`)
  t.equal(
    codeOf(() => guardPath(`/${encoded('a', 9)}`)),
    'path_rejected'
  )
  t.equal(
    codeOf(() => guardPath(`/${encoded('..', 8)}`)),
    'path_rejected'
  )
})

t.test('SEC-28: a legitimate path passes unchanged', async t => {
  for (const path of [
    '',
    '/',
    '/a',
    '/a/',
    '/..foo',
    '/foo..',
    '/...',
    '/a/....',
    '/..foo/..bar',
    '/.well-known/x',
    '/a%20b',
    '/%20',
    '/a%2Fb',
    '/a%2fb',
    '/~me',
    '/urn:x:1',
    '/me@example.com',
    '/100%25',
    '/100%2525',
    '/a;v=1',
    '/a;v=1/b',
    '/%23general',
    '/a%3Fb',
    '/%E6%97%A5%E6%9C%AC',
    '/caf%e9',
    '/m%fcller',
    "/!$&'()*+,=",
    '/"<>[]^`{|}'
  ])
    t.equal(guardPath(path), path, path)
})

t.test('SEC-28: a percent sign without two hexadecimal digits is rejected, because servers decode it differently', async t => {
  for (const path of ['/100%', '/%', '/%2', '/%zz', '/a%2g/b', '/%u002e%u002e/x', '/%%32e'])
    t.throws(() => guardPath(path), { code: 'path_rejected' }, path)
})

t.test('a query may hold any printable text, and is not part of the path', async t => {
  for (const query of [
    '',
    'a=1',
    'a=..%2f..',
    '/../..',
    '//evil.example',
    'a=\\',
    'a=%00',
    'a=%0d%0a',
    '..',
    '?',
    'next=https://x.example/%23'
  ])
    t.equal(guardPath(`/a?${query}`), '/a', query)
  t.equal(guardPath('?a=1'), '')
})

/** A fixed sequence, so that a failure is reproducible (the generator of Numerical Recipes). */
function* pseudoRandoms(): Generator<number> {
  for (let seed = 28; ; ) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    yield seed / 2 ** 32
  }
}

t.test('SEC-28: a path that passes stays below the base at every depth of decoding', async t => {
  const pieces = [
    '.',
    '..',
    '/',
    'a',
    ';x',
    '?',
    '%2e',
    '%2f',
    '%5c',
    '%3b',
    '%3f',
    '%23',
    '%09',
    '%20',
    '%25',
    '25',
    '2e',
    '2f',
    '%c0%ae',
    '%01'
  ]
  const random = pseudoRandoms()
  const next = (below: number) => Math.floor((random.next().value as number) * below)
  const origin = 'https://api.example'
  let passed = 0
  for (let i = 0; i < 15_000; i++) {
    const target = `/${Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join('')}`
    const result = codeOf(() => guardPath(target))
    if (result === 'path_rejected') continue
    passed++
    let text = (result as { returned: string }).returned
    for (let depth = 0; depth < 4; depth++) {
      const url = new URL(`/base${text}`, origin)
      if (url.origin !== origin || !isPathWithin(url.pathname, '/base')) t.fail(`${target} became ${url.href} after ${depth} decodings`)
      text = text.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    }
  }
  t.ok(passed > 1500, `${passed} of the generated paths passed`)
})

t.test('a path lies below a prefix only on a segment boundary', async t => {
  for (const [path, prefix, below] of [
    ['/a', '/a', true],
    ['/a/', '/a', true],
    ['/a/b', '/a', true],
    ['/a/b', '/a/', true],
    ['/ab', '/a', false],
    ['/a%2fb', '/a', false],
    ['/a;v=1', '/a', false],
    ['/A', '/a', false],
    ['/', '/a', false],
    ['', '/a', false],
    ['/a', '/', true]
  ] as const)
    t.equal(isPathWithin(path, prefix), below, `${path} below ${prefix}`)
})
