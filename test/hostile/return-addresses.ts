import { depths, escapedUtf8, spellings } from './encodings.ts'
import { bareCall, type Hostile } from './requests.ts'

type Tricks = ReadonlyArray<readonly [what: string, address: string]>

const evil = 'evil.example'

/** Two of these at the start, and some browser or proxy sees a host behind them. */
const slashes = ['/', '\\', '%2f', '%5C', '%252f', '%255c', '%25252f']
const slashTricks: Tricks = slashes.flatMap(one => slashes.map(two => ['two kinds of slash', `${one}${two}${evil}`] as const))

/** URL parsers take these out or make nothing of them, and the slashes around them meet. */
const between = [
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
const betweenTricks: Tricks = between.flatMap(odd =>
  [`/${odd}/${evil}`, `/${odd}//${evil}`].map(address => ['between two slashes', address] as const)
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
      [`${spelling}:alert(1)`, `${spelling}://${new URL(allowed).host}/%0aalert(1)`].map(address => ['another scheme', address] as const)
    )
  )

/** Almost an origin that is allowed. */
function originTricks(allowed: string): Tricks {
  const { protocol, host, hostname, port } = new URL(allowed)
  const end = port === '' ? '' : `:${port}`
  const at = (authority: string) => `${protocol}//${authority}/`
  const hosts = {
    'a longer host': ['.', '\u3002', '\uff0e', '\uff61', '%2e', '-', ''].map(dot => `${hostname}${dot}${evil}${end}`),
    'a longer host in front': ['evil-', 'evil.', 'x', '0'].map(front => `${front}${host}`),
    'a dot behind it': [`${hostname}.${end}`, `${hostname}..${end}`],
    'another port': [`${hostname}:1`, `${host}0`, `${hostname}:65535`],
    'no port at all': [`${hostname}:x`, `${hostname}:-1`, `${hostname}:99999`],
    'a user': ['user@', 'user:password@', '@', ':@', 'user%40x@', `${evil}@`].map(user => `${user}${host}`),
    'it as a user': [`${host}@${evil}`, `${host}%40${evil}`, `${host}:x@${evil}`, `${host}%2f@${evil}`],
    'a letter that looks the same': [`\u0430${host}`, `${hostname.replace('a', '\u0430').replace('o', '\u043e')}${end}`],
    'what ends a host': ['\\', '%5c', '%00', '%09', '%0a', '%20', '%23', '%3f', '\t', '\n', '\0', ' '].map(
      odd => `${hostname}${odd}.${evil}${end}`
    )
  }
  return [
    ...Object.entries(hosts).flatMap(([what, list]) => list.map(authority => [what, at(authority)] as const)),
    ...['', '/', '\\', '\\\\', '/\\', '\\/', '\t//', '///'].map(
      slash => ['a scheme without its slashes', `${protocol}${slash}${evil}/`] as const
    ),
    ...['', '/', '\\\\', '///'].map(slash => ['its own scheme without the slashes', `${protocol}${slash}${host}/`] as const),
    ['the other scheme', `${protocol === 'https:' ? 'http' : 'https'}://${host}/`]
  ]
}

const controls = ['\t', '\n', '\r', '\0', '\x0b', '\x1b', '\x7f', '\\']
/** In a path of ours these are refused at any depth up to five: whoever decodes it would split a header, or see another host. */
const controlTricks: Tricks = controls.flatMap(control =>
  depths
    .filter(depth => depth < 4)
    .flatMap(depth =>
      spellings(control, depth).flatMap(spelling =>
        [`/${spelling}`, `/a${spelling}b`, `/a/${spelling}`].map(
          address => [`${JSON.stringify(control)} in a path, decoded ${depth} times`, address] as const
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
    ].map(address => [`${JSON.stringify(control)} in a URL`, address] as const)
  )

const noAddress: Tricks = [
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
].map(address => ['neither a path nor a URL', address] as const)
const tooLong: Tricks = [
  ['2,001 characters', `/${'a'.repeat(2000)}`],
  ['2,001 characters when it is encoded', `/${'\xe9'.repeat(400)}`]
]

const refused = { status: 400, code: 'return_to_rejected' } as const
const startOf = (query: string) => bareCall({ target: `/auth/productboard?${query}` }, () => [])

/** In the query as a form sends them and, where a request line can hold them so, as they stand. */
export function hostileReturns(allowedOrigins: readonly string[]): Hostile[] {
  const tricks: Tricks = [
    ...slashTricks,
    ...betweenTricks,
    ...allowedOrigins.flatMap(originTricks),
    ...schemeTricks(allowedOrigins[0] as string),
    ...controlTricks,
    ...allowedOrigins.flatMap(controlsOnOrigin),
    ...noAddress,
    ...tooLong
  ]
  return [
    ...tricks.flatMap(([what, address]) => {
      const ways = [escapedUtf8(address), ...(/^[!-~]+$/.test(address) && !/[%&+#]/.test(address) ? [address] : [])]
      return ways.map(
        (way): Hostile => ({ what: `${what}: ${JSON.stringify(address.slice(0, 100))}`, bytes: startOf(`return_to=${way}`), ...refused })
      )
    }),
    ...[
      'return_to=/a&return_to=/b',
      'return_to=/a&return_to=',
      'return_to=&return_to=&return_to=//evil.example',
      'return_to=/a&return%5Fto=/a'
    ].map(query => ({
      what: `more than one: ${query}`,
      bytes: startOf(query),
      ...refused
    }))
  ]
}

/** Addresses that are allowed and in their normal form: the browser is sent there, character by character. */
export function oddButGoodReturns(allowedOrigins: readonly string[]): string[] {
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
