/**
 * Which of the names was probably meant: one that contains the given name, else the one with the fewest mistakes. Upper and lower case are
 * the same.
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const given = name.toLowerCase()
  const distances = names.map(other => (other.toLowerCase().includes(given) ? 0 : distance(given, other.toLowerCase())))
  return names[distances.indexOf(Math.min(...distances))]
}

/** ` Did you mean NAME?`, or nothing if no name has few typing mistakes or begins with the word. */
export function didYouMean(word: string, names: readonly string[]): string {
  const given = word.toLowerCase()
  const maxMistakes = Math.max(1, Math.floor(given.length / 3))
  const [best] = names
    .map(name => ({ name, mistakes: distance(given, name.toLowerCase()) }))
    .filter(({ mistakes }) => mistakes <= maxMistakes)
    .sort((a, b) => a.mistakes - b.mistakes)
  const meant = best?.name ?? (given.length > 1 ? names.find(name => name.toLowerCase().startsWith(given)) : undefined)
  return meant === undefined ? '' : ` Did you mean ${meant}?`
}

/** Optimal string alignment: characters changed, missing, added, or swapped with the next. */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= one.length; i++) {
    rows[i] = [i]
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1]
      const isSwapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      const steps = [at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (isSame ? 0 : 1), ...(isSwapped ? [at(i - 2, j - 2) + 1] : [])]
      rows[i]?.push(Math.min(...steps))
    }
  }
  return at(one.length, other.length)
}
