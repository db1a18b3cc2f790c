import { de } from './messages/de.ts'
import { en, type Messages } from './messages/en.ts'

/** A language of the pages. */
export type Language = {
  /** BCP 47, in lower case. */
  readonly tag: string
  readonly messages: Messages
}

/** Those with a file of messages. The first is used where none of them is asked for. */
export const languages: readonly [Language, ...Language[]] = [
  { tag: 'en', messages: en },
  { tag: 'de', messages: de }
]

/**
 * The language for a visitor, by the lookup of RFC 4647 §3.4: each range in the order of the visitor's preference, and without its last
 * subtags until a language matches.
 * @param acceptLanguage the header (RFC 9110 §12.5.4)
 */
export function lookupLanguage<T extends Pick<Language, 'tag'>>(acceptLanguage: string | undefined, available: readonly [T, ...T[]]): T {
  for (const range of parseRanges(acceptLanguage ?? ''))
    for (let tag = range; tag !== ''; tag = withoutLastSubtag(tag)) {
      const language = available.find(one => one.tag === tag)
      if (language) return language
    }
  return available[0]
}

/** A header may be long: nobody reads more languages than these. */
const maxRanges = 32

/** In lower case, the preferred first. `*` stands for any language, and the default is one; a weight of 0 refuses a range. */
function parseRanges(header: string): string[] {
  return header
    .toLowerCase()
    .split(',', maxRanges)
    .map(part => {
      const [range = '', ...parameters] = part.split(';').map(piece => piece.trim())
      const weight = parameters.find(parameter => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '')
      return { range, weight: weight !== undefined && /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 1 }
    })
    .filter(({ range, weight }) => weight > 0 && /^[a-z]{1,8}(-[a-z\d]{1,8})*$/.test(range))
    .sort((a, b) => b.weight - a.weight)
    .map(({ range }) => range)
}

/** A single letter or digit, which introduces what follows it, goes with it (RFC 4647 §3.4). */
const withoutLastSubtag = (tag: string): string => tag.replace(/(-[a-z\d])?-[a-z\d]+$|^[a-z\d]+$/, '')
