const maxCharacters = 200

/**
 * Removes control characters, line separators and bidirectional formatting characters (UAX #9): text from outside must not change how the
 * line around it reads, on a page or in a log.
 */
export const toSingleLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')

/** The provider's name for an account, ready for our pages: one line of at most 200 characters. */
export function toAccountName(value: unknown): string | undefined {
  return typeof value === 'string' ? truncate(toSingleLine(value).trim()) : undefined
}

/** Shorter secrets may occur in a text by chance. */
const minSecretCharacters = 4
/** Runs of the characters that tokens, codes and their encodings consist of, without the separators between a name and its value. */
const tokenRuns = /[\w.~+/%-]{8,}/g
const lineBreaks = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/**
 * A provider's error text for a log: one line of at most 200 characters, without the secrets of the request. Some servers repeat the code
 * or secret that they reject, whole, truncated or encoded.
 * @param secrets sent with the request
 * @returns `undefined` when there is no text
 */
export function redact(text: unknown, secrets: readonly string[] = []): string | undefined {
  if (typeof text !== 'string') return undefined
  const spellings = secrets.filter(({ length }) => length >= minSecretCharacters).flatMap(secret => [secret, encodeURIComponent(secret)])
  let line = toSingleLine(text.replace(lineBreaks, ' ')).trim()
  for (const secret of spellings) line = line.replaceAll(secret, '…')
  line = line.replace(tokenRuns, run => (spellings.some(secret => secret.includes(run)) ? '…' : run))
  return truncate(line)
}

/** Counts code points, so that no surrogate pair is split. */
const truncate = (text: string): string | undefined => (text === '' ? undefined : [...text].slice(0, maxCharacters).join(''))
