/**
 * What people copy along with a key. Only what no key has is taken off, so that one which holds such characters stays as it is:
 * `id:secret`, the `=` at the end of Base64.
 */

/** Soft hyphens, zero-width characters, marks of direction: nobody sees them, and some pages put them into what is copied. */
const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
const typographicQuotes = /^[“”„‟‘’‚‛‹›«»「」]+|[“”„‟‘’‚‛‹›«»「」]+$/gu
/** A pair of the same, with none of them inside. */
const quoted = /^(["'`])\1*([^"'`]*)\1+$/
const inAngles = /^<([^<>]*)>$/
/** `{"apiKey":"…"}` */
const oneMember = /^\{\s*("[^"]*"\s*:\s*"[^"]*")\s*,?\s*\}$/
const headerOption = /^(?:-H|--header)[\s=]+(?=["'])/
/** RFC 9110 §11.4: a scheme, and the key. */
const scheme = /^(?:bearer|token|key|api-?key)\s+(\S+)$/i

const name = String.raw`[a-z$][\w.$-]*`
/** A name, a colon and a blank: no key has a blank. Or a name in quotes. */
const named = new RegExp(String.raw`^(?:${name}\s*:\s+|(["'\x60])${name}\1\s*:\s*)(\S.*)$`, 'i')
/** Without the blank it could be `id:secret`, unless the name is one that only keys have. */
const keyHeader = /^(?:[a-z0-9]+[-_])*(?:api[-_]?key|(?:api|auth|access)[-_]?token|authorization)\s*:(.+)$/i
const assigned = new RegExp(String.raw`^(?:export\s+|set\s+)?${name}\s+=\s*(\S.*)$`, 'i')
const keyVariable =
  /^(?:export\s+|set\s+)?(?:[a-z0-9$]+[-_.:])*(?:api|access|auth|secret|private|bearer)?[-_]?(?:key|token|secret|pat)=([^=].*)$/i

const patterns: ReadonlyArray<readonly [RegExp, group: number]> = [
  [quoted, 2],
  [inAngles, 1],
  [oneMember, 1],
  [scheme, 1],
  [named, 2],
  [keyHeader, 1],
  [assigned, 1],
  [keyVariable, 1]
]

/** Of what is around a key: a quote in a header in an option has three. */
const maxLayers = 8

/** A key as it was pasted, without what is surely no part of it. */
export function unwrapPastedKey(pasted: string): string {
  let key = pasted.replace(invisible, '')
  for (let round = 0, before = ''; before !== key && round < maxLayers; round++) {
    before = key
    key = key
      .trim()
      .replace(headerOption, '')
      .replace(typographicQuotes, '')
      .replace(/[,;]+$/, '')
      .trim()
    for (const [pattern, group] of patterns) key = pattern.exec(key)?.[group] ?? key
  }
  return key
}

/** What is seen in a text that is no key, in words that repeat nothing of it; `undefined` when it may be one. */
export function describeMalformedKey(key: string): string | undefined {
  if (key === '') return 'The key is empty.'
  if (/[\r\n\u2028\u2029]/.test(key)) return 'More than one line was pasted, and a key has one.'
  if (/^basic\s/i.test(key)) return 'This is a header of the kind Basic, with the key encoded inside it. Copy the key itself.'
  if (/^(?:curl|https?:)\s/i.test(key)) return 'This is a command, and not the key alone.'
  if (/\s/.test(key)) return 'The key holds a blank, and no key has one.'
  if (/[•●∙·…]|\*{4}|\.{3}/.test(key))
    return 'The key is shortened or hidden where it was copied: some of its characters are shown as dots.'
  if (/[‐‑‒–—―−]/.test(key)) return 'The key holds a long dash, which text programs make of hyphens.'
  if (/[“”„‟‘’‚‛«»]/.test(key)) return 'The key holds a typographic quotation mark.'
  if (/\p{L}/u.test(key.replace(/[a-z]/gi, ''))) return 'The key holds a letter beyond a to z, which may look like one of these.'
  if (!/^[\x21-\x7e]+$/.test(key)) return 'The key holds a character that no key has.'
  return undefined
}
