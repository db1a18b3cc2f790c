import { type EnvironmentReader, exampleOfFile } from './environment.ts'

/** Shorter names are too similar to those of other programs (`PORTS`, `POST`): only a different case counts as a misspelling of them. */
const minLetters = 6

/**
 * Reports unknown variables that are almost a known one: one character off, or different only in case, underscores or a plural in -ies.
 * Nothing reads such a variable, so the setting would silently keep its default. It is a problem in production, a warning elsewhere. A
 * misspelled `NODE_ENV` is always a problem, since it decides which of the two applies.
 */
export function checkMisspelledNames(env: EnvironmentReader, production: boolean): void {
  const known = env.knownNames()
  const knownWithFiles = new Set([...known].flatMap(name => [name, `${name}_FILE`]))
  // If there are other problems, a misspelled name may be their cause.
  const isProblem = production || env.problems.length > 0
  const meantBy = createComparison(knownWithFiles)
  for (const name of env.presentNames()) {
    if (knownWithFiles.has(name) || env.problems.some(problem => problem.startsWith(`${name} `))) continue
    const meant = meantBy(name)
    if (meant === undefined) continue
    const example = known.has(meant) ? env.exampleOf(meant) : exampleOfFile(meant.replace(/_FILE$/, ''))
    if (isProblem || meant === 'NODE_ENV')
      env.addProblem(
        `${name} is not a known variable; ${meant} is probably meant, for example ${example}. If ${name} belongs to another program, keep it out of this process's environment.`
      )
    else env.addWarning(`${name} is not a known variable and is ignored; ${meant} is probably meant, for example ${example}.`)
  }
}

/** Every variable of every provider is known, and an environment has many: letters are taken out once, and compared with those of about their length. */
function createComparison(known: ReadonlySet<string>): (name: string) => string | undefined {
  const byLength = new Map<number, { readonly name: string; readonly letters: string }[]>()
  for (const name of known) {
    const letters = lettersOf(name)
    if (lettersOf(name.replace(/_FILE$/, '')).length < minLetters) continue
    const others = byLength.get(letters.length)
    if (others) others.push({ name, letters })
    else byLength.set(letters.length, [{ name, letters }])
  }
  return name => {
    const inCapitals = name.toUpperCase()
    if (inCapitals !== name && known.has(inCapitals)) return inCapitals
    const letters = lettersOf(name)
    // The nearest in length first: a word that is the same in other letters is meant rather than one with a mistake.
    const candidates = [0, -1, 1].flatMap(difference => byLength.get(letters.length + difference) ?? [])
    return (candidates.find(other => other.letters === letters) ?? candidates.find(other => isOneCharacterOff(letters, other.letters)))
      ?.name
  }
}

const lettersOf = (name: string): string =>
  name
    .toUpperCase()
    .split(/[^A-Z\d]/)
    .map(word => word.replace(/IES$/, 'Y'))
    .join('')

/** Damerau-Levenshtein distance 1: one character changed, missing, added, or swapped with the next. */
function isOneCharacterOff(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one]
  let i = 0
  while (i < short.length && short[i] === long[i]) i++
  if (long.length - short.length === 1) return short.slice(i) === long.slice(i + 1)
  if (long.length !== short.length) return false
  const isSwapped = short[i] === long[i + 1] && short[i + 1] === long[i]
  return short.slice(i + 1) === long.slice(i + 1) || (isSwapped && short.slice(i + 2) === long.slice(i + 2))
}
