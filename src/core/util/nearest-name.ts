/**
 * Which of the names was probably meant: one that contains the given name, else the one with the fewest changed, missing or added
 * characters. Upper and lower case are the same.
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const given = name.toLowerCase()
  const distances = names.map(other => (other.toLowerCase().includes(given) ? 0 : distance(given, other.toLowerCase())))
  return names[distances.indexOf(Math.min(...distances))]
}

/** Levenshtein distance, one row of the matrix at a time. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i)
  for (const [i, character] of [...one].entries()) {
    const next = [i + 1]
    for (let j = 0; j < other.length; j++) {
      const substituted = (row[j] as number) + (character === other[j] ? 0 : 1)
      next.push(Math.min(substituted, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[other.length] as number
}
