import fc from 'fast-check'

/** What a server between the gateway and the API's handler may do with a path. Each model combines some of it. */
export type Server = {
  /** Number of percent-decodings on the way, those of a router or a file system included. */
  decodings: number
  backslashIsSlash: boolean
  collapsesSlashes: boolean
  /** Removes path parameters (RFC 3986 §3.3) before it resolves dots. */
  dropsParameters: boolean
  /** Removes spaces and control characters at the end of a segment, as Windows does in file names. */
  trimsSegments: boolean
  endsAtNul: boolean
  /** Parses the decoded path as a URL again. */
  reparsesAsUrl: boolean
  /** Decodes UTF-8 without a check for the shortest form. */
  acceptsOverlong: boolean
  /** Resolves dots after each decoding, not only at the end. */
  resolvesEarly: boolean
}

export const server: fc.Arbitrary<Server> = fc.record({
  decodings: fc.nat(9),
  backslashIsSlash: fc.boolean(),
  collapsesSlashes: fc.boolean(),
  dropsParameters: fc.boolean(),
  trimsSegments: fc.boolean(),
  endsAtNul: fc.boolean(),
  reparsesAsUrl: fc.boolean(),
  acceptsOverlong: fc.boolean(),
  resolvesEarly: fc.boolean()
})

/** Percent-decodes to one character a byte, and leaves invalid encodings. Independent of the guards' own decoder. */
export const percentDecode = (text: string): string =>
  text
    .split(/(%[0-9a-fA-F]{2})/)
    .map((part, i) => (i % 2 === 1 ? Buffer.from(part.slice(1), 'hex').toString('latin1') : part))
    .join('')

/** True if a server on the way reads `//host` in it instead of a path (RFC 3986 §4.2). Segments are trimmed only after that. */
export function readsAsHost(path: string, server: Server): boolean {
  let text = path
  for (let round = 0; round <= server.decodings; round++) {
    if (normalize(text, { ...server, dropsParameters: false, trimsSegments: false }).startsWith('//')) return true
    text = percentDecode(text)
  }
  return false
}

/** @returns the segments that `path` resolves to; `undefined` if it climbs above the root on the way */
export function segmentsAt(path: string, server: Server): string[] | undefined {
  let text = path
  for (let round = 0; ; round++) {
    text = normalize(text, server)
    const last = round === server.decodings
    if (last || server.resolvesEarly) {
      const segments = resolveDots(text, server)
      if (last || !segments) return segments
      text = `/${segments.join('/')}`
    }
    text = percentDecode(text)
  }
}

function normalize(path: string, server: Server): string {
  let text = path
  if (server.acceptsOverlong) text = toShortestForm(text)
  if (server.endsAtNul) text = text.split('\0', 1)[0] ?? ''
  if (server.reparsesAsUrl) text = text.replace(/[\t\r\n]/g, '').split(/[?#]/, 1)[0] ?? ''
  if (server.backslashIsSlash) text = text.replaceAll('\\', '/')
  if (server.dropsParameters) text = text.replace(/;[^/]*/g, '')
  if (server.trimsSegments) text = text.replace(/[^\x21-\xff]+(?=\/|$)/g, '')
  return text
}

/** Replaces overlong forms of two, three and four bytes by the ASCII that they encode. */
const toShortestForm = (text: string): string =>
  text.replace(/(?:[\xc0\xc1]|\xe0[\x80\x81]|\xf0\x80[\x80\x81])[\x80-\xbf]/g, form => {
    const [last = 0, before = 0] = [...form].reverse().map(c => c.charCodeAt(0))
    return String.fromCharCode(((before & 1) << 6) | (last & 0x3f))
  })

function resolveDots(path: string, { collapsesSlashes }: Server): string[] | undefined {
  const segments: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '.' || (segment === '' && collapsesSlashes)) continue
    if (segment !== '..') segments.push(segment)
    else if (segments.pop() === undefined) return undefined
  }
  return segments
}
