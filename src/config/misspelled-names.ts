import { type EnvironmentReader, exampleOfFile } from './environment.ts'
import { variablePrefix } from './variable-prefix.ts'

/** The variables of a provider that most have, with an example each. A secret has none. */
const providerVariables: Readonly<Record<string, string | undefined>> = {
  CLIENT_ID: 'abc123',
  CLIENT_SECRET: undefined,
  SCOPES: 'read',
  API_URL: 'https://acme.example.com',
  AUTHORIZE_URL: 'https://acme.example.com',
  TOKEN_URL: 'https://acme.example.com',
  REFRESH_URL: 'https://acme.example.com',
  REVOKE_URL: 'https://acme.example.com',
  ISSUER: 'https://acme.example.com'
}

/** Shorter names are too similar to those of other programs (`PORTS`, `POST`): only a different case counts as a misspelling of them. */
const minLetters = 6

/**
 * Reports unknown variables that are almost a known one: one character off, or different only in case, underscores or a plural in -ies.
 * Nothing reads such a variable, so the setting would silently keep its default. It is a problem in production, a warning elsewhere. A
 * misspelled `NODE_ENV` is always a problem, since it decides which of the two applies.
 * @param unread names of providers whose variables were not read, since none is set
 */
export function checkMisspelledNames(env: EnvironmentReader, production: boolean, unread: readonly string[]): void {
  const known = env.knownNames()
  const all = [...known].flatMap(name => [name, `${name}_FILE`]).map(knownOf)
  const knownWithFiles = new Set(all.map(({ name }) => name))
  // If there are other problems, a misspelled name may be their cause.
  const isProblem = production || env.problems.length > 0
  for (const name of env.presentNames()) {
    if (knownWithFiles.has(name) || env.problems.some(problem => problem.startsWith(`${name} `))) continue
    const letters = lettersOf(name)
    const meant = all.find(other => isMisspelling(name, letters, other))?.name ?? providerVariable(letters, unread)
    // That of a provider whose definition cannot be used: it is right, and read by nobody.
    if (meant === undefined || meant === name) continue
    const example = known.has(meant) ? env.exampleOf(meant) : exampleOf(meant)
    if (isProblem || meant === 'NODE_ENV')
      env.addProblem(
        `${name} is not a known variable; ${meant} is probably meant, for example ${example}. If ${name} belongs to another program, keep it out of this process's environment.`
      )
    else env.addWarning(`${name} is not a known variable and is ignored; ${meant} is probably meant, for example ${example}.`)
  }
}

/** The example of a variable that was not read. */
function exampleOf(name: string): string {
  const value = Object.entries(providerVariables).find(([suffix]) => name.endsWith(`_${suffix}`))?.[1]
  return value === undefined ? exampleOfFile(name.replace(/_FILE$/, '')) : `${name}=${value}`
}

/** None with the provider's prefix is set, so that the mistake is in the prefix or behind it. */
function providerVariable(letters: string, providers: readonly string[]): string | undefined {
  for (const suffix of Object.keys(providerVariables).flatMap(suffix => [suffix, `${suffix}_FILE`])) {
    const end = lettersOf(suffix)
    if (!letters.endsWith(end)) continue
    const given = letters.slice(0, -end.length)
    const meant = providers.find(provider => {
      const prefix = lettersOf(variablePrefix({ name: provider }))
      return prefix === given || isOneCharacterOff(given, prefix)
    })
    if (meant !== undefined) return `${variablePrefix({ name: meant })}_${suffix}`
  }
  return undefined
}

type Known = { readonly name: string; readonly letters: string; readonly isShort: boolean }

/** Taken apart once: an environment has many variables to compare with. */
function knownOf(name: string): Known {
  const letters = lettersOf(name)
  return { name, letters, isShort: letters.length - (name.endsWith('_FILE') ? 'FILE'.length : 0) < minLetters }
}

function isMisspelling(name: string, letters: string, known: Known): boolean {
  if (letters === known.letters) return !known.isShort || name.toUpperCase() === known.name
  return !known.isShort && isOneCharacterOff(letters, known.letters)
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
