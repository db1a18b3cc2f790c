const mostCharacters = 200

/**
 * What a provider calls an account, as our pages can show it in a line: without control characters, line separators and the marks
 * that turn the direction of text (UAX #9), which could make the line read as another.
 */
export function accountName(told: unknown): string | undefined {
  if (typeof told !== 'string') return undefined
  const name = told.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim()
  return name === '' ? undefined : [...name].slice(0, mostCharacters).join('')
}
