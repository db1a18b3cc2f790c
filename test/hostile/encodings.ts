/** Every character as its byte, percent-encoded: `.` is `%2e`. */
const escaped = (text: string): string => [...text].map(hex).join('')

const hex = (character: string): string => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`

/** As UTF-8, every byte percent-encoded: what a form would send, and nothing left for a server to tidy up. */
export const escapedUtf8 = (text: string): string => escaped(Buffer.from(text).toString('latin1'))

const again = (text: string): string => text.replaceAll('%', '%25')
const upper = (text: string): string => text.replace(/%[0-9a-f]{2}/g, code => code.toUpperCase())
const everySecond = (text: string): string => [...text].map((c, i) => (i % 2 === 0 ? c : hex(c))).join('')

/** `text` as it is sent so that it stands there after `depth` decodings, spelled as senders and filters do not expect it. */
export function spellings(text: string, depth: number): string[] {
  if (depth === 0) return [text]
  const nested = (once: string): string => Array.from({ length: depth - 1 }).reduce<string>(again, once)
  const usual = nested(escaped(text))
  const mixed = depth > 2 ? [] : [upper(usual), nested(everySecond(text))]
  // `%%32%65`: the digits of the inner encoding are encoded, and its percent sign is not.
  const inside = depth === 2 ? [escaped(text).replace(/%(..)/g, (_, digits) => `%${escaped(digits)}`)] : []
  return [...new Set([usual, ...mixed, ...inside])]
}

export const depths = [0, 1, 2, 3, 5, 8]
