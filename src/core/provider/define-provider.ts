import { resolvePointer } from '../util/json-pointer.ts'
import { callable, type ProviderDefinition } from './configured-provider.ts'
import type { Provider } from './definition.ts'
import { definitionRule } from './definition-rules.ts'
import { originOf } from './request-rules.ts'

/** What a field of a definition must be, such as `color` and `must be #rrggbb`. */
export type DefinitionProblem = { readonly field: string; readonly requirement: string }

/** All problems of a definition at once. */
export class DefinitionError extends TypeError {
  override readonly name = 'DefinitionError'
  /** Its name, if it has one. */
  readonly provider: string | undefined
  readonly problems: readonly DefinitionProblem[]

  constructor(provider: unknown, problems: readonly DefinitionProblem[]) {
    const named = typeof provider === 'string' ? `provider ${JSON.stringify(provider)}` : 'a provider without a name'
    const [first = '', ...others] = problems.map(({ field, requirement }) => `${field} ${requirement}`)
    super(
      others.length === 0
        ? `${named}: ${first}`
        : `${named} has ${problems.length} problems:\n${[first, ...others].map(line => `  - ${line}`).join('\n')}`
    )
    this.provider = typeof provider === 'string' ? provider : undefined
    this.problems = problems
  }
}

/**
 * Validates a definition when its file is loaded, so that a mistake in it fails the start and not a request. A definition need not have
 * passed a type check.
 * @returns the definition, frozen, as a function that takes the operator's part of it
 * @throws {DefinitionError} with all problems, naming the provider and the fields
 */
export function defineProvider(provider: Provider): ProviderDefinition {
  const problems: DefinitionProblem[] = []
  // One that is defined already is a function.
  const data = typeof provider === 'function' ? { ...(provider as Provider) } : provider
  definitionRule(hasAddresses(provider) ? credentialOrigins(provider) : [])(data, '', (field, requirement) => {
    if (!problems.some(other => other.field === field && other.requirement === requirement)) problems.push({ field, requirement })
  })
  if (problems.length > 0) throw new DefinitionError(resolvePointer(data, '/name'), problems)
  return callable(provider)
}

/** Whether the addresses are there by which others are measured. */
function hasAddresses(provider: Provider): boolean {
  const { api, methods } = Object(provider)
  const tokenUrl =
    resolvePointer({ methods }, '/methods/oauth2') === undefined ? '' : resolvePointer({ methods }, '/methods/oauth2/tokenUrl')
  return typeof resolvePointer({ api }, '/api/baseUrl') === 'string' && typeof tokenUrl === 'string'
}

/** The origins that see a credential of this provider in any case: its API's bases and its token endpoint. A definition may be anything yet. */
export const credentialOrigins = (provider: Provider): readonly string[] => {
  const { api, methods } = Object(provider)
  const bases = Object.values(Object(resolvePointer({ api }, '/api/bases'))).map(base => resolvePointer({ base }, '/base/url') ?? base)
  return [resolvePointer({ api }, '/api/baseUrl'), ...bases, resolvePointer({ methods }, '/methods/oauth2/tokenUrl')].flatMap(url =>
    typeof url === 'string' ? originOf(url) : []
  )
}
