/**
 * Patterns of what users copy along with a key. They match only what no key contains: `id:secret` and the trailing `=` of Base64 stay.
 */

/** Soft hyphens, zero-width characters, direction marks: invisible, and some pages put them into copied text. */
const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
const typographicQuotes = /^[“”„‟‘’‚‛‹›«»「」]+|[“”„‟‘’‚‛‹›«»「」]+$/gu
/** A pair of equal quotes, with none inside. */
const quoted = /^(["'`])\1*([^"'`]*)\1+$/
const inAngles = /^<([^<>]*)>$/
/** `{"apiKey":"…"}` */
const oneMember = /^\{\s*("[^"]*"\s*:\s*"[^"]*")\s*,?\s*\}$/
const headerOption = /^(?:-H|--header)[\s=]+(?=["'])/
/** An authentication scheme and the key (RFC 9110 §11.4). */
const scheme = /^(?:bearer|token|key|api-?key)\s+(\S+)$/i

const name = String.raw`[a-z$][\w.$-]*`
/** A name, a colon and a space (no key has a space), or a quoted name and a colon. */
const named = new RegExp(String.raw`^(?:${name}\s*:\s+|(["'\x60])${name}\1\s*:\s*)(\S.*)$`, 'i')
/** Without the space it could be `id:secret`, unless the name is one that only keys have. */
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

/** Around a key. A quoted key in a header in a curl option has three. */
const maxLayers = 8

/** Strips from pasted text what is certainly not part of the key. */
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

/** Describes why a text cannot be a key, without repeating any of it; `undefined` when it can be one. */
export function describeMalformedKey(key: string): string | undefined {
  if (key === '') return 'The key is empty.'
  if (/[\r\n\u2028\u2029]/.test(key)) return 'More than one line was pasted, and a key has one.'
  if (/^basic\s/i.test(key)) return 'This is a Basic authorization header, with the key encoded inside it. Copy the key itself.'
  if (/^(?:curl|https?:)\s/i.test(key)) return 'This is a command, and not the key alone.'
  if (/\s/.test(key)) return 'The key contains a blank, and no key has one.'
  if (/[•●∙·…]|\*{4}|\.{3}/.test(key))
    return 'The key is shortened or hidden where it was copied: some of its characters are shown as dots.'
  if (/[‐‑‒–—―−]/.test(key)) return 'The key contains a long dash, which word processors put in place of hyphens.'
  if (/[“”„‟‘’‚‛«»]/.test(key)) return 'The key contains a typographic quotation mark.'
  if (/\p{L}/u.test(key.replace(/[a-z]/gi, ''))) return 'The key contains a letter beyond a to z, which may look like one of these.'
  if (!/^[\x21-\x7e]+$/.test(key)) return 'The key contains a character that no key has.'
  return undefined
}
