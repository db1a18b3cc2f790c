import fc from 'fast-check'

/** What a server between us and the handler may do with a path; each of them does some of it. */
export type Server = {
  /** How often it is percent-decoded on the way, a router or a file system having its own turn. */
  decodings: number
  backslashIsSlash: boolean
  collapsesSlashes: boolean
  /** Path parameters go (RFC 3986 §3.3), before the dots are looked at. */
  dropsParameters: boolean
  /** Blanks and control characters at the end of a segment go, as in file names of Windows. */
  trims: boolean
  endsAtNul: boolean
  /** The decoded path is parsed as a URL once more. */
  rereads: boolean
  /** UTF-8 is decoded without a look at whether it is the shortest form. */
  takesOverlong: boolean
  /** Dots are resolved after each decoding, and not at the end only. */
  resolvesEarly: boolean
}

export const server: fc.Arbitrary<Server> = fc.record({
  decodings: fc.nat(9),
  backslashIsSlash: fc.boolean(),
  collapsesSlashes: fc.boolean(),
  dropsParameters: fc.boolean(),
  trims: fc.boolean(),
  endsAtNul: fc.boolean(),
  rereads: fc.boolean(),
  takesOverlong: fc.boolean(),
  resolvesEarly: fc.boolean()
})

/** To bytes, each of them a character; what is no encoding stays. Written without a look at the guards' own. */
export const percentDecoded = (text: string): string =>
  text
    .split(/(%[0-9a-fA-F]{2})/)
    .map((part, i) => (i % 2 === 1 ? Buffer.from(part.slice(1), 'hex').toString('latin1') : part))
    .join('')

/** True when somebody on the way sees `//host` in it and not a path (RFC 3986 §4.2). Who trims segments does not do so before that. */
export function readsAsHost(path: string, server: Server): boolean {
  let text = path
  for (let round = 0; round <= server.decodings; round++) {
    if (tidied(text, { ...server, dropsParameters: false, trims: false }).startsWith('//')) return true
    text = percentDecoded(text)
  }
  return false
}

/** @returns the segments at which `path` arrives; `undefined` when it climbs above the root on the way */
export function segmentsAt(path: string, server: Server): string[] | undefined {
  let text = path
  for (let round = 0; ; round++) {
    text = tidied(text, server)
    const last = round === server.decodings
    if (last || server.resolvesEarly) {
      const segments = resolved(text, server)
      if (last || !segments) return segments
      text = `/${segments.join('/')}`
    }
    text = percentDecoded(text)
  }
}

function tidied(path: string, server: Server): string {
  let text = path
  if (server.takesOverlong) text = shortest(text)
  if (server.endsAtNul) text = text.split('\0', 1)[0] ?? ''
  if (server.rereads) text = text.replace(/[\t\r\n]/g, '').split(/[?#]/, 1)[0] ?? ''
  if (server.backslashIsSlash) text = text.replaceAll('\\', '/')
  if (server.dropsParameters) text = text.replace(/;[^/]*/g, '')
  if (server.trims) text = text.replace(/[^\x21-\xff]+(?=\/|$)/g, '')
  return text
}

/** Overlong forms of two, three and four bytes as the ASCII that they stand for. */
const shortest = (text: string): string =>
  text.replace(/(?:[\xc0\xc1]|\xe0[\x80\x81]|\xf0\x80[\x80\x81])[\x80-\xbf]/g, form => {
    const [last = 0, before = 0] = [...form].reverse().map(c => c.charCodeAt(0))
    return String.fromCharCode(((before & 1) << 6) | (last & 0x3f))
  })

function resolved(path: string, { collapsesSlashes }: Server): string[] | undefined {
  const segments: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '.' || (segment === '' && collapsesSlashes)) continue
    if (segment !== '..') segments.push(segment)
    else if (segments.pop() === undefined) return undefined
  }
  return segments
}
