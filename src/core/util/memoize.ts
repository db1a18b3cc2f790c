/** What a name alone decides. The same few names come again and again; others may not fill the memory. */
export function memoizeByName<T>(decide: (name: string) => T): (name: string) => T {
  const decided = new Map<string, T>()
  return name => {
    let verdict = decided.get(name)
    if (verdict === undefined) {
      verdict = decide(name)
      if (decided.size < maxNamesRemembered && name.length <= maxCharactersRemembered) decided.set(name, verdict)
    }
    return verdict
  }
}
const maxNamesRemembered = 1_000
const maxCharactersRemembered = 100
