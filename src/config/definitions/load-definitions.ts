import type { Provider } from '../../core/provider/definition.ts'
import { type Environment, EnvironmentReader } from '../environment.ts'
import { loadProviders, providerNames } from '../load-providers.ts'
import { isReservedName, reservedNameProblem, variablePrefix } from '../variable-prefix.ts'
import { readOwnDefinitions } from './own-definitions.ts'
import type { BrokenDefinition, ReadDefinition } from './read-file.ts'

/** The definitions of a start: those that are loaded, and what is known of the others. */
export type KnownDefinitions = {
  readonly definitions: readonly Provider[]
  /** Of all providers that there are, those that are not loaded and not usable too. */
  readonly names: readonly string[]
  /** Which cannot be used. They stop a start only if they would be offered. */
  readonly broken: readonly BrokenDefinition[]
  /** Where the definitions of the operator's own are from, by the provider's name. Ours are not in it. */
  readonly from: ReadonlyMap<string, string>
  /** Of `PROVIDERS_FROM` itself. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Definitions that a caller has. */
export const knownDefinitions = (definitions: readonly Provider[]): KnownDefinitions => ({
  definitions,
  names: definitions.map(({ name }) => name),
  broken: [],
  from: new Map(),
  problems: [],
  warnings: []
})

/**
 * Loads the operator's own definitions, and those of ours for which a variable is set or that `PROVIDERS` lists: nothing else can be offered.
 * @param options `all` loads all of ours
 */
export async function loadDefinitions(variables: Environment, { all = false } = {}): Promise<KnownDefinitions> {
  const env = new EnvironmentReader(variables)
  const [ours, own] = await Promise.all([providerNames(), readOwnDefinitions(env)])
  const { sound, broken } = sortOut(own)
  const ownNames = new Set([...sound, ...broken].map(({ name }) => name))
  // The sandbox plays all of them.
  const isPlayed = env.text('SANDBOX_URL') !== undefined
  const isNamed = namedBy(env)
  const loaded = await loadProviders(undefined, name => !ownNames.has(name) && (all || isPlayed || isNamed(name)))
  const names = [...new Set([...ours, ...ownNames])].sort()
  const definitions = new Map([...loaded, ...sound.map(({ definition }) => definition)].map(definition => [definition.name, definition]))
  return {
    definitions: names.flatMap(name => definitions.get(name) ?? []),
    names,
    broken,
    from: new Map(sound.map(({ name, from }) => [name, from])),
    problems: env.problems,
    warnings: [
      ...env.warnings,
      ...sound
        .filter(({ name }) => ours.includes(name))
        .map(({ name, from }) => `${from} replaces our definition of ${name} (PROVIDERS_FROM).`)
    ]
  }
}

/** Two of one name are both unusable: nobody can know which one is meant. */
function sortOut(own: readonly ReadDefinition[]): { sound: Array<Exclude<ReadDefinition, BrokenDefinition>>; broken: BrokenDefinition[] } {
  const sound: Array<Exclude<ReadDefinition, BrokenDefinition>> = []
  const broken: BrokenDefinition[] = []
  for (const one of own) {
    const { from, name } = one
    const others = own.filter(other => other !== one && other.name === name && other.definition)
    if (!one.definition) broken.push(one)
    else if (others.length > 0)
      broken.push({
        from,
        name,
        problems: [`name is ${JSON.stringify(name)}, as in ${others.map(other => other.from).join(', ')}. Keep one.`]
      })
    else if (isReservedName(name)) broken.push({ from, name, problems: [reservedNameProblem(name)] })
    else sound.push(one)
  }
  return { sound, broken }
}

function namedBy(env: EnvironmentReader): (name: string) => boolean {
  const selected = new Set(env.list('PROVIDERS'))
  const present = env.presentNames()
  return name => selected.has(name) || present.some(variable => variable.startsWith(`${variablePrefix({ name })}_`))
}
