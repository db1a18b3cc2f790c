import fc from 'fast-check'
import { spellings } from '../hostile/encodings.ts'

/** Arbitrary bytes, one character each, as a raw header or target can hold them. */
export const bytes = fc.uint8Array({ maxLength: 60 }).map(list => Buffer.from(list).toString('latin1'))

/** Arbitrary text, with lone surrogates, control characters and all of Unicode. */
export const text = fc.oneof(bytes, fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ maxLength: 60 }))

const steps = ['.', '..', '/', '//', '\\', './', '../', '..\\', '/..', '...']
const tricks = ['.\t.', '..;x', '..\0', '.. ', '\xc0\xae\xc0\xae', '..?x', '/../', '\\..', '//evil.example', '..\xc0\xaf']
const ends = [';', ';x', ';x=1', '?', '#', '%', '%25', '%2', '%u002e', '25', '2e', '2f', '5c']
const odd = ['\t', '\n', '\r', '\0', '\x01', '\x1f', ' ', '\x7f', '\x85', '\xa0', '\xad', '+', ':', '@', '|', '*', '~', '"', '<']
/** UTF-8 as bytes: overlong forms, look-alikes of dot and slash, incomplete letters. */
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

const encodedPiece = (list: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...list), fc.integer({ min: 0, max: 4 }))
    .map(([piece, depth]) => spellings(piece, depth))
    .chain(forms => fc.constantFrom(...forms))

/** Pieces of path traversals, at several depths of encoding. */
const hostilePiece = fc.oneof(
  { weight: 2, arbitrary: encodedPiece(tricks) },
  { weight: 6, arbitrary: encodedPiece(steps) },
  { weight: 3, arbitrary: encodedPiece(plain) },
  { weight: 2, arbitrary: encodedPiece(ends) },
  { weight: 1, arbitrary: encodedPiece([...odd, ...encoded]) }
)
export const hostilePath = fc.array(hostilePiece, { minLength: 1, maxLength: 8 }).map(pieces => `/${pieces.join('')}`)

const unreserved = [..."abcXYZ019-_~!$&'()*+,=:@"]
const harmlessPiece = fc.constantFrom(...unreserved, '.a', 'a.', '..b', '%20', '%2F', '%C3%A9', '%25-', ';v=1')
/** Segments that every server reads alike: a letter first, so that no segment is only dots or parameters. */
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

/** A name in a spelling that some server treats as the same. */
export const spellingOf = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...names), fc.nat(0xffff)).map(([name, mask]) => shuffledCase(name, mask))

/** A value of `Connection`: names with the separators in use. */
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
/** URLs in which a browser or proxy could read another host than the gateway does. */
export const hostileAddress = fc.oneof(
  fc
    .array(
      fc.oneof(fc.constantFrom(...hosts), fc.constantFrom(...urlPieces), encodedPiece([...steps, ...odd]), fc.constantFrom(...plain)),
      {
        maxLength: 9
      }
    )
    .chain(pieces =>
      fc.constantFrom('', '/', 'https://app.example.com', 'https://connect.example.com/').map(start => start + pieces.join(''))
    ),
  text
)
