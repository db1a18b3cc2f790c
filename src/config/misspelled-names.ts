import { type EnvironmentReader, exampleOfFile } from './environment.ts'

/** Shorter names are near to too many of other programs' (`PORTS`, `POST`): of them only the case is a slip. */
const minLetters = 6

/**
 * Variables that are none of ours and one slip away from one: a letter left out, added, changed or swapped with the next, another case,
 * underscores, a plural. Nothing would read them, and what they should have set would keep its default. In production they are refused;
 * so is a misspelt `NODE_ENV` always, which decides about that.
 */
export function checkNames(env: EnvironmentReader, production: boolean): void {
  const known = env.known()
  const all = [...known].flatMap(name => [name, `${name}_FILE`])
  const ours = new Set(all)
  // Where something else is wrong as well, a misspelt name may be why.
  const isRefused = production || env.problems.length > 0
  for (const name of env.names()) {
    if (ours.has(name)) continue
    const meant = all.find(other => isSlip(name, other))
    if (meant === undefined) continue
    const example = known.has(meant) ? env.exampleOf(meant) : exampleOfFile(meant.replace(/_FILE$/, ''))
    if (isRefused || meant === 'NODE_ENV')
      env.problem(`${name} is not known. ${meant} may be meant, for example ${example}. If it is another program's, keep it from this one.`)
    else env.warning(`${name} is not known and is ignored. ${meant} may be meant, for example ${example}.`)
  }
}

function isSlip(name: string, known: string): boolean {
  if (name.toUpperCase() === known) return true
  const [one, other] = [lettersOf(name), lettersOf(known)]
  const isShort = lettersOf(known.replace(/_FILE$/, '')).length < minLetters
  return !isShort && (one === other || isOneStepApart(one, other))
}

const lettersOf = (name: string): string =>
  name
    .toUpperCase()
    .split(/[^A-Z\d]/)
    .map(word => word.replace(/IES$/, 'Y'))
    .join('')

/** A letter changed, swapped with the next, left out or added (Damerau-Levenshtein distance 1). */
function isOneStepApart(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one]
  let at = 0
  while (at < short.length && short[at] === long[at]) at++
  if (long.length - short.length === 1) return short.slice(at) === long.slice(at + 1)
  if (long.length !== short.length) return false
  const isSwapped = short[at] === long[at + 1] && short[at + 1] === long[at]
  return short.slice(at + 1) === long.slice(at + 1) || (isSwapped && short.slice(at + 2) === long.slice(at + 2))
}
