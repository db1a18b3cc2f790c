import { depths, percentEncodeUtf8, spellings } from './encodings.ts'
import { buildBareRequest, type HostileRequest } from './requests.ts'

type Tricks = ReadonlyArray<readonly [title: string, url: string]>

const evil = 'evil.example'

/** After two of these at the start, some browser or proxy reads a host. */
const slashes = ['/', '\\', '%2f', '%5C', '%252f', '%255c', '%25252f']
const slashTricks: Tricks = slashes.flatMap(one => slashes.map(two => ['two kinds of slash', `${one}${two}${evil}`] as const))

/** URL parsers drop these, which joins the slashes around them. */
const insertions = [
  '\t',
  '\n',
  '\r',
  '\0',
  '\x0b',
  '\x0c',
  '\x7f',
  '\x85',
  '\u2028',
  ' ',
  './',
  '../',
  'a/../',
  '%2e/',
  '%2E%2e/',
  'a/%2e%2e/',
  '/',
  '\\'
]
const insertionTricks: Tricks = insertions.flatMap(odd =>
  [`/${odd}/${evil}`, `/${odd}//${evil}`].map(url => ['between two slashes', url] as const)
)

const schemes = [
  'javascript',
  'data',
  'vbscript',
  'file',
  'ftp',
  'ws',
  'wss',
  'blob',
  'about',
  'mailto',
  'intent',
  'view-source',
  'filesystem',
  'x'
]
const upper = (text: string): string => text.toUpperCase()
const mixed = (text: string): string => [...text].map((c, i) => (i % 2 === 0 ? c : c.toUpperCase())).join('')
const schemeTricks = (allowed: string): Tricks =>
  schemes.flatMap(scheme =>
    [scheme, upper(scheme), mixed(scheme)].flatMap(spelling =>
      [`${spelling}:alert(1)`, `${spelling}://${new URL(allowed).host}/%0aalert(1)`].map(url => ['another scheme', url] as const)
    )
  )

/** URLs that resemble an allowed origin. */
function originTricks(allowed: string): Tricks {
  const { protocol, host, hostname, port } = new URL(allowed)
  const end = port === '' ? '' : `:${port}`
  const at = (authority: string) => `${protocol}//${authority}/`
  const hosts = {
    'a suffixed host': ['.', '\u3002', '\uff0e', '\uff61', '%2e', '-', ''].map(dot => `${hostname}${dot}${evil}${end}`),
    'a prefixed host': ['evil-', 'evil.', 'x', '0'].map(front => `${front}${host}`),
    'a trailing dot': [`${hostname}.${end}`, `${hostname}..${end}`],
    'another port': [`${hostname}:1`, `${host}0`, `${hostname}:65535`],
    'an invalid port': [`${hostname}:x`, `${hostname}:-1`, `${hostname}:99999`],
    'a user': ['user@', 'user:password@', '@', ':@', 'user%40x@', `${evil}@`].map(user => `${user}${host}`),
    'the allowed host as a user': [`${host}@${evil}`, `${host}%40${evil}`, `${host}:x@${evil}`, `${host}%2f@${evil}`],
    'a look-alike letter': [`\u0430${host}`, `${hostname.replace('a', '\u0430').replace('o', '\u043e')}${end}`],
    'a character that ends a host': ['\\', '%5c', '%00', '%09', '%0a', '%20', '%23', '%3f', '\t', '\n', '\0', ' '].map(
      odd => `${hostname}${odd}.${evil}${end}`
    )
  }
  return [
    ...Object.entries(hosts).flatMap(([title, list]) => list.map(authority => [title, at(authority)] as const)),
    ...['', '/', '\\', '\\\\', '/\\', '\\/', '\t//', '///'].map(
      slash => ['a scheme without its slashes', `${protocol}${slash}${evil}/`] as const
    ),
    ...['', '/', '\\\\', '///'].map(slash => ['its own scheme without the slashes', `${protocol}${slash}${host}/`] as const),
    ['http for https, or the reverse', `${protocol === 'https:' ? 'http' : 'https'}://${host}/`]
  ]
}

const controls = ['\t', '\n', '\r', '\0', '\x0b', '\x1b', '\x7f', '\\']
/** Rejected in a path at any depth of encoding: a server that decodes them would split a header or read another host. */
const controlTricks: Tricks = controls.flatMap(control =>
  depths
    .filter(depth => depth < 4)
    .flatMap(depth =>
      spellings(control, depth).flatMap(spelling =>
        [`/${spelling}`, `/a${spelling}b`, `/a/${spelling}`].map(
          url => [`${JSON.stringify(control)} in a path, decoded ${depth} times`, url] as const
        )
      )
    )
)
const controlsOnOrigin = (allowed: string): Tricks =>
  controls.flatMap(control =>
    [
      `${control}${allowed}/`,
      `${allowed.slice(0, 2)}${control}${allowed.slice(2)}/`,
      `${allowed}${control}/`,
      `${allowed}/a${control}b`,
      `${allowed}/${control}`
    ].map(url => [`${JSON.stringify(control)} in a URL`, url] as const)
  )

const notUrls: Tricks = [
  'done',
  './done',
  '../done',
  '.',
  '..',
  '?a=b',
  '#a',
  '~',
  'C:/x',
  'app.example.com/done',
  '*',
  'null',
  'undefined',
  ':',
  '@',
  ' /',
  ' ',
  '\ufeff/'
].map(url => ['neither a path nor a URL', url] as const)
const tooLong: Tricks = [
  ['2,001 characters', `/${'a'.repeat(2000)}`],
  ['2,001 characters once encoded', `/${'\xe9'.repeat(400)}`]
]

const rejected = { status: 400, code: 'return_to_rejected' } as const
const signInRequest = (query: string) => buildBareRequest({ target: `/auth/productboard?${query}` }, () => [])

/** Each URL percent-encoded in the query, and verbatim where a request line allows it. */
export function hostileReturnUrls(allowedOrigins: readonly string[]): HostileRequest[] {
  const tricks: Tricks = [
    ...slashTricks,
    ...insertionTricks,
    ...allowedOrigins.flatMap(originTricks),
    ...schemeTricks(allowedOrigins[0] as string),
    ...controlTricks,
    ...allowedOrigins.flatMap(controlsOnOrigin),
    ...notUrls,
    ...tooLong
  ]
  return [
    ...tricks.flatMap(([title, url]) => {
      const forms = [percentEncodeUtf8(url), ...(/^[!-~]+$/.test(url) && !/[%&+#]/.test(url) ? [url] : [])]
      return forms.map(
        (form): HostileRequest => ({
          title: `${title}: ${JSON.stringify(url.slice(0, 100))}`,
          bytes: signInRequest(`return_to=${form}`),
          ...rejected
        })
      )
    }),
    ...[
      'return_to=/a&return_to=/b',
      'return_to=/a&return_to=',
      'return_to=&return_to=&return_to=//evil.example',
      'return_to=/a&return%5Fto=/a'
    ].map(query => ({
      title: `repeated: ${query}`,
      bytes: signInRequest(query),
      ...rejected
    }))
  ]
}

/** Allowed URLs in normal form: the redirect repeats them character by character. */
export function unusualReturnUrls(allowedOrigins: readonly string[]): string[] {
  const tails = [
    '/',
    '/done',
    '/done?tab=2#top',
    '/a//b',
    '/a%2fb',
    '/a%20b',
    '/..foo/...',
    '/;a=b',
    '/@me',
    '/user:1@home',
    '/100%25',
    '/%C3%9Cbersicht/%E6%97%A5',
    '/??a=?',
    '/?next=//evil.example',
    '/?next=https://evil.example/%5c',
    '/?q=%0d%0a%00',
    '/done#//evil.example',
    `/${'long'.repeat(400)}`
  ]
  return [...tails, ...allowedOrigins.flatMap(origin => tails.map(tail => origin + tail))]
}
