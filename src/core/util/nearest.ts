/** @returns the candidate that was probably meant: one with few typing mistakes, or one that begins with the word */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  const typed = word.toLowerCase()
  const maxMistakes = Math.max(1, Math.floor(typed.length / 3))
  const [best] = candidates
    .map(candidate => ({ candidate, mistakes: distance(typed, candidate) }))
    .filter(({ mistakes }) => mistakes <= maxMistakes)
    .sort((a, b) => a.mistakes - b.mistakes)
  return best?.candidate ?? (typed.length > 1 ? candidates.find(candidate => candidate.startsWith(typed)) : undefined)
}

/** ` Did you mean X?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates)
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
