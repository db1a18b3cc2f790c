import fc from 'fast-check'
import { spellings } from '../hostile/encodings.ts'

/** Every byte, each of them a character: what a raw header or target can hold. */
export const bytes = fc.uint8Array({ maxLength: 60 }).map(list => Buffer.from(list).toString('latin1'))

/** Any text: lone surrogates, controls and all of Unicode among it. */
export const text = fc.oneof(bytes, fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ maxLength: 60 }))

const steps = ['.', '..', '/', '//', '\\', './', '../', '..\\', '/..', '...']
const tricks = ['.\t.', '..;x', '..\0', '.. ', '\xc0\xae\xc0\xae', '..?x', '/../', '\\..', '//evil.example', '..\xc0\xaf']
const ends = [';', ';x', ';x=1', '?', '#', '%', '%25', '%2', '%u002e', '25', '2e', '2f', '5c']
const odd = ['\t', '\n', '\r', '\0', '\x01', '\x1f', ' ', '\x7f', '\x85', '\xa0', '\xad', '+', ':', '@', '|', '*', '~', '"', '<']
/** UTF-8, as bytes: overlong forms, look-alikes of dot and slash, halves of letters. */
const encoded = [
  '\xc0\xae',
  '\xc0\xaf',
  '\xc1\x9c',
  '\xe0\x80\xae',
  '\xf0\x80\x80\xae',
  '\xef\xbc\x8e',
  '\xef\xbc\x8f',
  '\xe2\x88\x95',
  '\xc3',
  '\xa9'
]
const plain = ['a', 'base', 'admin', 'x.json', '0', '-', '_']

const spelled = (list: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...list), fc.integer({ min: 0, max: 4 }))
    .map(([piece, depth]) => spellings(piece, depth))
    .chain(ways => fc.constantFrom(...ways))

/** Pieces of what leads out of a path, at several depths of encoding. */
const hostilePiece = fc.oneof(
  { weight: 2, arbitrary: spelled(tricks) },
  { weight: 6, arbitrary: spelled(steps) },
  { weight: 3, arbitrary: spelled(plain) },
  { weight: 2, arbitrary: spelled(ends) },
  { weight: 1, arbitrary: spelled([...odd, ...encoded]) }
)
export const hostilePath = fc.array(hostilePiece, { minLength: 1, maxLength: 8 }).map(pieces => `/${pieces.join('')}`)

const unreserved = [..."abcXYZ019-_~!$&'()*+,=:@"]
const harmlessPiece = fc.constantFrom(...unreserved, '.a', 'a.', '..b', '%20', '%2F', '%C3%A9', '%25-', ';v=1')
/** Segments in which nobody could see anything else: no dots alone, and a letter first, so that parameters stand behind something. */
const harmlessSegment = fc.array(harmlessPiece, { maxLength: 5 }).map(pieces => `a${pieces.join('')}`)
export const harmlessPath = fc.array(harmlessSegment, { maxLength: 5 }).map(segments => `/${segments.join('/')}`)
export const query = fc.oneof(
  fc.constant(''),
  fc
    .array(fc.constantFrom('a=1', '&', '..', '/', '\\', '%', '%00', '%2e', '?', '//', ';', '"', 'b'), { maxLength: 6 })
    .map(parts => `?${parts.join('')}`)
)

const shuffledCase = (name: string, mask: number): string =>
  [...name].map((c, i) => ((mask >> (i % 16)) & 1 ? c.toUpperCase() : c === '-' && (mask >> ((i + 5) % 16)) & 1 ? '_' : c)).join('')

/** A name in some spelling that somebody on the way takes for the same. */
export const spellingOf = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...names), fc.nat(0xffff)).map(([name, mask]) => shuffledCase(name, mask))

/** What a `Connection` header may hold: names, separated as senders do. */
export const nameList = (name: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(name, fc.constantFrom('', ' ', 'close', 'keep-alive', '\t')), { maxLength: 4 })
    .chain(names => fc.constantFrom(',', ', ', ' ,', ',,').map(comma => names.join(comma)))

const hosts = [
  'evil.example',
  'app.example.com',
  'connect.example.com',
  'localhost:5173',
  '[::1]',
  '127.0.0.1',
  'app.example.com.evil.example'
]
const urlPieces = [
  '/',
  '//',
  '\\',
  ':',
  '@',
  '?',
  '#',
  '.',
  '..',
  '%',
  ';',
  'https:',
  'http:',
  'https://',
  'javascript:',
  'HTTPS://',
  ':443',
  ':80',
  'user',
  '\u3002',
  '\uff0e',
  '\u2044',
  '\u2028',
  '\u0430',
  '\ud800',
  'é',
  '%2f',
  '%5c',
  '%09',
  '%0a',
  '%252f',
  '%00'
]
/** Addresses in which some browser or proxy could see another host than we do. */
export const hostileAddress = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...hosts), fc.constantFrom(...urlPieces), spelled([...steps, ...odd]), fc.constantFrom(...plain)), {
      maxLength: 9
    })
    .chain(pieces =>
      fc.constantFrom('', '/', 'https://app.example.com', 'https://connect.example.com/').map(start => start + pieces.join(''))
    ),
  text
)
