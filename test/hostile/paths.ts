import { depths, spellings } from './encodings.ts'
import { base, buildRequest, type HostileRequest } from './requests.ts'

/** Segments that some server reads as a step out of the base, as another host or as the end of the path. */
const segmentTricks = {
  'two dots': '..',
  'one dot': '.',
  'two dots with a parameter': '..;x',
  'one dot with a parameter': '.;x=1',
  'two dots and a space': '.. ',
  'two dots and a control character': '..\x01',
  'two dots before a query': '..?x',
  'two dots before a fragment': '..#x',
  'a tab between two dots': '.\t.',
  'two dots between slashes': 'x/../y',
  'two dots after a parameter': 'x;/../y',
  'a backslash': 'x\\y',
  'two dots after a backslash': 'x\\..',
  NUL: '\0',
  'NUL after a name': 'x\0.json',
  CR: 'x\ry',
  LF: 'x\ny',
  'an overlong dot of two bytes': '\xc0\xae\xc0\xae',
  'an overlong slash of two bytes': '..\xc0\xaf',
  'an overlong backslash': '\xc1\x9c',
  'an overlong dot of three bytes': '\xe0\x80\xae',
  'an overlong dot of four bytes': '\xf0\x80\x80\xae',
  'an overlong dot of five bytes': '\xf8\x80\x80\x80\xae',
  'an overlong dot of six bytes': '\xfc\x80\x80\x80\x80\xae'
}
const segmentPositions = {
  'at the start': (trick: string) => `/${trick}/a`,
  'in the middle': (trick: string) => `/a/${trick}/b`,
  'at the end': (trick: string) => `/a/${trick}`,
  'before a query': (trick: string) => `/${trick}?q=1`
}

/** Read as another host at the start of a path. */
const hostTricks = { 'a slash': '/', 'two slashes': '//', 'a backslash': '\\', 'a slash and a user': '/user@' }
const hostPositions = { 'before a host': (trick: string) => `/${trick}evil.example/x` }

function product(tricks: Record<string, string>, positions: Record<string, (trick: string) => string>): HostileRequest[] {
  return Object.entries(tricks).flatMap(([trick, text]) =>
    depths.flatMap(depth =>
      spellings(text, depth).flatMap(spelling =>
        Object.entries(positions).map(([where, at]): HostileRequest => {
          const target = base + at(spelling)
          // Characters that are invalid in a request line are rejected before the path is parsed.
          const malformed = /[^\x21-\x7e]/.test(target.trimEnd())
          return {
            title: `${trick} ${where}, decoded ${depth} times`,
            bytes: buildRequest({ target }),
            status: 400,
            code: malformed ? 'header_rejected' : 'path_rejected',
            ...(malformed && { after: 'smuggled' })
          }
        })
      )
    )
  )
}

/** Targets that are no path of this host, and unknown provider names. */
const targets: ReadonlyArray<readonly [status: number, code: string, targets: readonly string[]]> = [
  [
    400,
    'path_rejected',
    ['http', 'HTTP', 'https', 'hTTps'].flatMap(scheme =>
      ['x', 'evil.example', 'evil.example:443', 'localhost', '127.0.0.1', '169.254.169.254', '[::1]', 'user@evil.example'].map(
        host => `${scheme}://${host}${base}/x`
      )
    )
  ],
  [
    400,
    'path_rejected',
    [`${base}/x#`, `${base}/x#y`, `${base}/x?q#y`, `${base}/#/../x`, `${base}/x?#`, `${base}#`, `${base}#/x`, `${base}?#`, `${base}?q#/x`]
  ],
  [400, 'path_rejected', ['%', '%zz', '%2', '%u002e%u002e', '%c0'].map(bad => `${base}/${bad}`)],
  [
    404,
    'provider_unknown',
    [
      '..',
      '.',
      '%2e%2e',
      '%2E.',
      '%252e%252e',
      '..;x',
      'productboard%00',
      'productboard%2f..',
      'productboard%5c..',
      'productboard%20',
      'productboard%0a',
      'productboard;x',
      'productboard.',
      'productboard%3f',
      'productboard%23',
      'productboard\\',
      'Productboard',
      'PRODUCTBOARD',
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'ignition',
      'evil.example',
      'http:',
      '*',
      '%2a',
      '',
      '%2fproductboard',
      'p'.repeat(300)
    ].map(name => `/proxy/${name}/x`)
  ],
  // After the @ is the id of a connection, which is looked up and goes nowhere.
  [404, 'connection_unknown', ['evil.example', 'evil.example:443', '..', '%2e%2e', '%2f..%2f..'].map(id => `/proxy/productboard@${id}/x`)],
  [404, 'provider_unknown', ['/proxy/productboard%2fx', '/proxy/nobody', '/proxy/nobody?/productboard/x', '/proxy/..?x']],
  [
    404,
    'not_found',
    [
      `//evil.example${base}/x`,
      `/${base}/x`,
      `ftp://evil.example${base}/x`,
      `ws://evil.example${base}/x`,
      '/./proxy/productboard/x',
      '/x/../proxy/productboard/x',
      '/%2fproxy/productboard/x',
      '/proxy%2fproductboard/x',
      '/proxy%2Fproductboard%2Fx',
      '/proxy\\productboard\\x',
      '/PROXY/productboard/x',
      '/proxy;x/productboard/x',
      '/%5cproxy/productboard/x'
    ]
  ]
]

export const hostilePaths: readonly HostileRequest[] = [
  ...product(segmentTricks, segmentPositions),
  ...product(hostTricks, hostPositions),
  ...targets.flatMap(([status, code, list]) =>
    list.map((target): HostileRequest => ({ title: `the target ${target}`, bytes: buildRequest({ target }), status, code }))
  )
]

const unusualSegments = [
  '..foo',
  'foo..',
  '..foo..bar',
  '...',
  '....',
  '.well-known',
  '-',
  '~me',
  ':@',
  'urn:x:1',
  'me@example.com',
  '%20',
  'a%20b',
  'a+b',
  'a%2Fb',
  'a%2fb',
  'a%2F',
  '%23general',
  'a%3Fb',
  'a%3Db',
  '100%25',
  '100%2525',
  '%2525252525252541',
  ';',
  ';a=b',
  'a;v=1',
  'a;v=1;w',
  "!$&'()*+,=",
  '"<>[]^`{|}',
  '%E6%97%A5%E6%9C%AC',
  '%e6%97%a5',
  '%C3%A9',
  // Bytes that are not UTF-8.
  'caf%e9',
  '%ff',
  '%80',
  '%ed%a0%80',
  // Full-width dots and slashes: ordinary letters, because no server applies Unicode normalization to a path.
  '%EF%BC%8E%EF%BC%8E',
  '%EF%BC%8F',
  '%F0%9F%97%9D',
  '%E2%80%AE',
  '%01x',
  '%41%42'
]
const unusualPositions = [
  (segment: string) => `/${segment}`,
  (segment: string) => `/a/${segment}/b`,
  (segment: string) => `/a/${segment}/`,
  (segment: string) => `/a//${segment}`
]
const unusualTargets = [
  '',
  '?',
  '?q=1',
  '?/x',
  '?/../x',
  '/',
  '/?',
  '/x?',
  '/x??',
  '/x?a=1&a=2&&b',
  '/x?a=..%2f..&b=/../..',
  '/x?//evil.example',
  '/x?a=\\&b=%5c&c=%00&d=%0d%0a',
  '/x?a=%zz&b=%',
  '/x?a=%ff%c0%ae',
  '/x?next=https://evil.example/%23',
  '/x?"<>[]^`{|}',
  '/x//',
  '/x///y',
  `/${'long'.repeat(2000)}`,
  `/x?${'long'.repeat(2000)}`,
  `/${'a/'.repeat(1000)}`,
  `/${'%20'.repeat(1000)}`
]

/** Valid by RFC 3986 and in use by real APIs; a careless guard would reject or normalize them. */
export const unusualPaths: readonly string[] = [
  ...unusualSegments.flatMap(segment => unusualPositions.map(at => at(segment))),
  ...unusualTargets
]
