/** The first characters of the first two words. Stands in for a logo. */
export const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .filter(word => word !== '')
    .slice(0, 2)
    .map(word => String.fromCodePoint(word.codePointAt(0) ?? 0))
    .join('')
