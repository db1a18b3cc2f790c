import { toSingleLine } from './display-text.ts'

const maxCharacters = 200
/** What is shorter may stand in a text by chance. */
const minCharacters = 4
/** What tokens, codes and their encodings are made of; not what stands between a name and its value. */
const runs = /[\w.~+/%-]{8,}/g
const lineBreaks = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/**
 * A provider's words for a log: in one line, of 200 characters at most, and with nothing of what was sent. Some servers repeat the code
 * or the secret that they refuse, whole, cut or encoded.
 * @param sent what must not be repeated
 * @returns `undefined` when there are no words
 */
export function redact(text: unknown, sent: readonly string[] = []): string | undefined {
  if (typeof text !== 'string') return undefined
  const secrets = sent.filter(({ length }) => length >= minCharacters).flatMap(secret => [secret, encodeURIComponent(secret)])
  let line = toSingleLine(text.replace(lineBreaks, ' ')).trim()
  for (const secret of secrets) line = line.replaceAll(secret, '…')
  line = line.replace(runs, run => (secrets.some(secret => secret.includes(run)) ? '…' : run))
  return line === '' ? undefined : [...line].slice(0, maxCharacters).join('')
}
