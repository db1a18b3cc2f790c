import { base, buildBareRequest, buildRequest, type HostileRequest, type Sender } from './requests.ts'

type Framing = Record<string, readonly string[]>

/** Follows the head. A server that ends the body elsewhere reads the rest as a request. */
const bodies = { 'a body': 'hello', 'a body in chunks': '5\r\nhello\r\n0\r\n\r\n', 'an empty body in chunks': '0\r\n\r\n' }

const lengths = ['5', '0', '6']
const codings = ['chunked', 'Chunked', 'identity', 'gzip, chunked']

/** RFC 9112 §6.1, §6.3: a length with a transfer coding, and lengths that differ or that only some servers accept. */
const lengthTricks: Framing = {
  ...Object.fromEntries(
    lengths.flatMap(length =>
      codings.flatMap(coding => [
        [`a length of ${length} before ${coding}`, [`Content-Length: ${length}`, `Transfer-Encoding: ${coding}`]],
        [`a length of ${length} after ${coding}`, [`Transfer-Encoding: ${coding}`, `Content-Length: ${length}`]]
      ])
    )
  ),
  ...Object.fromEntries(
    lengths.flatMap(one => lengths.map(two => [`the lengths ${one} and ${two}`, [`Content-Length: ${one}`, `content-length: ${two}`]]))
  ),
  ...Object.fromEntries(
    [
      '+5',
      '-5',
      '-0',
      '5,5',
      '5, 6',
      '5 5',
      '0x5',
      '0b101',
      '5.0',
      '5e0',
      'five',
      '',
      '5;x',
      '"5"',
      '5\x0b',
      '5\0',
      '\xb2',
      '99999999999999999999',
      '18446744073709551621'
    ].map(length => [`the length ${JSON.stringify(length)}`, [`Content-Length: ${length}`]])
  )
}

const codingTricks: Framing = Object.fromEntries(
  [
    'identity',
    'gzip',
    'deflate, chunked',
    'gzip, chunked',
    'chunked, identity',
    'chunked, gzip',
    'chunked, chunked',
    'chunked,',
    ',chunked',
    'chunked;q=1',
    'xchunked',
    'chunkedx',
    'chunked x',
    '"chunked"',
    'chunk',
    '\x0bchunked',
    'chunked\x0c',
    'chunked\0',
    '\xa0chunked',
    'c\u0127unked',
    '',
    'trailers'
  ].map(coding => [`the coding ${JSON.stringify(coding)}`, [`Transfer-Encoding: ${coding}`]])
)
codingTricks['the coding chunked twice'] = ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']
codingTricks['the codings chunked and identity'] = ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']
codingTricks['the codings identity and chunked'] = ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']

/** RFC 9112 §7.1: chunk sizes and line ends that servers parse differently. */
const chunkTricks: Record<string, string> = Object.fromEntries(
  [
    '0x5\r\nhello\r\n0\r\n\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    '5 \r\nhello\r\n0\r\n\r\n',
    '5\t\r\nhello\r\n0\r\n\r\n',
    '5\nhello\r\n0\r\n\r\n',
    '5\rhello\r\n0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello\r0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhellox\r\n0\r\n\r\n',
    '5;a\nb\r\nhello\r\n0\r\n\r\n',
    '5;a\rb\r\nhello\r\n0\r\n\r\n',
    '5;\0\r\nhello\r\n0\r\n\r\n',
    '5,5\r\nhello\r\n0\r\n\r\n',
    'five\r\nhello\r\n0\r\n\r\n',
    '\r\n5\r\nhello\r\n0\r\n\r\n',
    'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
    '10000000000000005\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\n\n',
    '5\r\nhello\r\n0\r\n\n',
    '5\r\nhello\r\n0\r\nX : y\r\n\r\n',
    '5\r\nhello\r\n0\r\nX: a\0b\r\n\r\n',
    '5\r\nhello\r\n0\r\nX: y\nZ: w\r\n\r\n',
    '5\r\nhello\r\n0\r\n X: y\r\n\r\n'
  ].map(body => [`the chunks ${JSON.stringify(body)}`, body])
)

/** Positions of a field line that is invalid (RFC 9112 §5, RFC 9110 §5.5). */
const linePlaces = {
  'in the middle': (line: string) => [line],
  'before the framing': (line: string) => [line, 'Content-Length: 0'],
  'after the framing': (line: string) => ['Content-Length: 0', line]
}
const lineTricks = [
  ...['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x7f', '\r', '\n', '\r\r\n'].map(odd => `X-Odd: a${odd}b`),
  ...['\0', '\x01', '\x1b', '\x7f', '\r', '\n', ' ', '\t', '\xe9', '(', ',', '/', ';', '=', '@', '[', '{', '"'].map(odd => `X${odd}Odd: a`),
  ...[' ', '\t', '  ', ' \t', '\x0b', '\xa0'].flatMap(gap => [`X-Odd${gap}: a`, `Transfer-Encoding${gap}: chunked`, `Host${gap}: y`]),
  ...[' ', '\t', '  '].flatMap(fold => [`X-Odd: a\r\n${fold}b`, `X-Odd: a\r\n${fold}Transfer-Encoding: chunked`, `X-Odd: a\n${fold}b`]),
  ': a',
  'X-Odd',
  ' X-Odd: a',
  'X-Odd: a\n\nGET /x HTTP/1.1',
  'X-Odd: a\r\r\nTransfer-Encoding: chunked'
]

const requestLines = [
  `GET\t${base}/x HTTP/1.1`,
  `GET ${base}/x\tHTTP/1.1`,
  ` GET ${base}/x HTTP/1.1`,
  `get ${base}/x HTTP/1.1`,
  `Get ${base}/x HTTP/1.1`,
  `G\0ET ${base}/x HTTP/1.1`,
  `GET\r ${base}/x HTTP/1.1`,
  `GET${base}/x HTTP/1.1`,
  `FOO ${base}/x HTTP/1.1`,
  `GETX ${base}/x HTTP/1.1`,
  `GET proxy/productboard/x HTTP/1.1`,
  `GET productboard:${base}/x HTTP/1.1`,
  `GET ?${base}/x HTTP/1.1`,
  `GET ${base}/x HTTP/1.1 `,
  `GET ${base}/x HTTP/1.1 HTTP/1.1`,
  `GET ${base}/x http/1.1`,
  `GET ${base}/x HTTP/11`,
  `GET ${base}/x HTTP/1`,
  `GET ${base}/x HTTP/1.`,
  `GET ${base}/x HTTP/1.12`,
  `GET ${base}/x HTTP/1.2`,
  `GET ${base}/x HTTP/3.0`,
  `GET ${base}/x HTTP/-1.1`,
  `GET ${base}/x HTTP/2.0`,
  `GET ${base}/x HTTP/0.9`,
  `GET ${base}/x`,
  `GET ${base}/x\r\nx-y:z HTTP/1.1`,
  `GET ${base}/x HTTPS/1.1`,
  `GET ${base}/x ICE/1.0`,
  'PRI * HTTP/2.0',
  `GET ${base}/a b HTTP/1.1`,
  `GET ${base}/\xe9 HTTP/1.1`
]

const malformed = { status: 400, code: 'header_rejected', after: 'smuggled' } as const

export const hostileFraming: readonly HostileRequest[] = [
  ...Object.entries({ ...lengthTricks, ...codingTricks }).flatMap(([trick, lines]) =>
    Object.entries(bodies).map(
      ([kind, body]): HostileRequest => ({
        title: `${trick} with ${kind}`,
        bytes: buildRequest({ method: 'POST', lines, body }),
        ...malformed
      })
    )
  ),
  ...Object.entries(chunkTricks).map(([title, body]) => ({
    title,
    bytes: buildRequest({ method: 'POST', lines: ['Transfer-Encoding: chunked'], body }),
    ...malformed
  })),
  ...lineTricks.flatMap(line =>
    Object.entries(linePlaces).map(([where, at]) => ({
      title: `the line ${JSON.stringify(line)} ${where}`,
      bytes: buildRequest({ method: 'POST', lines: at(line) }),
      ...malformed
    }))
  ),
  ...requestLines.map(line => ({
    title: `the request line ${JSON.stringify(line)}`,
    bytes: (sender: Sender) => buildRequest({})(sender).replace(/^.*(?=\r\nHost)/, () => line),
    ...malformed
  })),
  {
    title: 'lines that end in a bare LF',
    bytes: sender => buildRequest({})(sender).replaceAll('\r\n', '\n'),
    ...malformed
  },
  {
    title: 'lines that end in a bare CR',
    bytes: sender => buildRequest({})(sender).replaceAll('\r\n', '\r'),
    ...malformed
  },
  // RFC 9112 §3.2.
  { title: 'no Host', bytes: buildRequest({ host: '' }), ...malformed },
  ...['x y', 'x/y', 'user@x', 'x:y', 'x:80:80', '[::1', '[x]', 'x\\y', 'x"', '<x>', 'x, y'].map(host => ({
    title: `the host ${host}`,
    bytes: buildRequest({ host: `Host: ${host}\r\n` }),
    ...malformed
  })),
  ...['x', 'y', ''].flatMap(host => [
    { title: `a second Host: ${host}`, bytes: buildRequest({ lines: [`Host: ${host}`] }), ...malformed },
    { title: `a second host: ${host}`, bytes: buildRequest({ lines: [`host: ${host}`] }), ...malformed }
  ]),
  ...['200-maybe', '100-continued', 'x', ''].map(expectation => ({
    title: `Expect: ${expectation}`,
    bytes: buildRequest({ lines: [`Expect: ${expectation}`] }),
    status: 417,
    code: 'header_rejected',
    after: 'smuggled' as const
  })),
  { title: 'the target *', bytes: buildRequest({ target: '*' }), status: 400, code: 'path_rejected' },
  ...['TRACE', 'PROPFIND', 'MKCOL', 'LOCK', 'SEARCH', 'QUERY', 'PURGE', 'REPORT', 'SUBSCRIBE', 'SOURCE'].map(method => ({
    title: `the method ${method}`,
    bytes: buildRequest({ method }),
    status: 405,
    code: 'method_not_allowed'
  })),
  ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].flatMap(name =>
    [name, name.replaceAll('-', '_'), name.toUpperCase()].flatMap(spelling =>
      ['DELETE', 'put', 'x'].map(method => ({
        title: `${spelling}: ${method}`,
        bytes: buildRequest({ method: 'POST', lines: [`${spelling}: ${method}`, 'Content-Length: 5'], body: 'hello' }),
        status: 400,
        code: 'header_rejected'
      }))
    )
  ),
  ...[16_384, 20_000, 60_000].flatMap(length =>
    [
      ['a header of', [`X-Long: ${'a'.repeat(length)}`]] as const,
      ['a name of', [`X-${'a'.repeat(length)}: a`]] as const,
      ['many headers of', Array.from({ length: length / 16 }, (_, i) => `X-${i}: ${'a'.repeat(16)}`)] as const
    ].map(([title, lines]) => ({
      title: `${title} ${length} bytes`,
      bytes: buildRequest({ lines }),
      status: 431,
      code: 'header_rejected',
      // Above the limits of the parser in size or number.
      ...((length === 60_000 || title === 'many headers of') && { after: 'smuggled' as const })
    }))
  ),
  {
    title: 'a target of 20,000 bytes',
    bytes: buildRequest({ target: `${base}/${'a'.repeat(20_000)}` }),
    status: 414,
    code: 'path_rejected'
  },
  { title: 'a request line without headers', bytes: buildBareRequest({}, () => []), status: 403, code: 'csrf_rejected' }
]
