/** Percent-encodes every character as its byte: `.` is `%2e`. */
const percentEncode = (text: string): string => [...text].map(encodeCharacter).join('')

const encodeCharacter = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`

/** Percent-encodes every byte of the UTF-8 form, as a form could send it, so that no server normalizes it. */
export const percentEncodeUtf8 = (text: string): string => percentEncode(Buffer.from(text).toString('latin1'))

const encodeAgain = (text: string): string => text.replaceAll('%', '%25')
const upperCaseHex = (text: string): string => text.replace(/%[0-9a-f]{2}/g, code => code.toUpperCase())
const encodeEverySecond = (text: string): string => [...text].map((c, i) => (i % 2 === 0 ? c : encodeCharacter(c))).join('')

/** Spellings of `text` that `depth` decodings restore, unusual ones among them. */
export function spellings(text: string, depth: number): string[] {
  if (depth === 0) return [text]
  const nest = (once: string): string => Array.from({ length: depth - 1 }).reduce<string>(encodeAgain, once)
  const full = nest(percentEncode(text))
  const mixed = depth > 2 ? [] : [upperCaseHex(full), nest(encodeEverySecond(text))]
  // `%%32%65`: encodes the digits of the inner encoding, but not its percent sign.
  const encodedDigits = depth === 2 ? [percentEncode(text).replace(/%(..)/g, (_, digits) => `%${percentEncode(digits)}`)] : []
  return [...new Set([full, ...mixed, ...encodedDigits])]
}

export const depths = [0, 1, 2, 3, 5, 8]
