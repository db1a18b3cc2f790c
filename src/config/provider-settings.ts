import type { Provider, ProviderSettings } from '../core/provider/definition.ts'
import { resolveForOperator } from '../core/provider/resolve-definition.ts'
import { type EnvironmentReader, exampleOfFile } from './environment.ts'
import { overrideUrls } from './provider-addresses.ts'
import { clientVariables, readClient } from './provider-client.ts'
import { checkOffered, readFixedParameters, readHosts } from './provider-parameters.ts'
import { variablePrefix } from './variable-prefix.ts'

type Mode = {
  readonly production: boolean
  /** Without a configured provider, the sandbox plays those that it knows. */
  readonly hasSandbox: boolean
}

/** A provider with the operator's part of it. */
type OperatorsPart = {
  readonly settings: ProviderSettings
  /** Without `PROVIDERS`. */
  readonly isUsable: boolean
  /** Notes what it lacks, which is a problem if it is offered. */
  checkOffered(): void
}

/**
 * The providers to offer, by name: those that `PROVIDERS` lists; by default those with an OAuth client, and those with API keys whose
 * `API_URL` is set.
 */
export function readProviders(
  env: EnvironmentReader,
  definitions: readonly Provider[],
  { production, hasSandbox }: Mode
): Map<string, ProviderSettings> {
  const parts = new Map(definitions.map(definition => [definition.name, readPart(env, definition, production)]))
  const usable = [...parts].flatMap(([name, { isUsable }]) => (isUsable ? name : []))
  const selected = env.list('PROVIDERS', definitions[0]?.name)
  if (!hasSandbox && usable.length === 0 && !selected) {
    const example = definitions[0] ? variablePrefix(definitions[0]) : 'PROVIDER'
    env.addProblem(
      `No provider is configured. Set the OAuth client of at least one, for example ${example}_CLIENT_ID=abc123 and ${exampleOfFile(`${example}_CLIENT_SECRET`)}.`
    )
  }
  const providers = new Map<string, ProviderSettings>()
  for (const name of selected ? selectNames(env, selected, parts, hasSandbox && usable.length === 0) : usable) {
    const { settings, checkOffered } = parts.get(name) as OperatorsPart
    checkOffered()
    providers.set(name, settings)
  }
  return providers
}

function selectNames(
  env: EnvironmentReader,
  selected: readonly string[],
  parts: ReadonlyMap<string, OperatorsPart>,
  isSandbox: boolean
): string[] {
  return selected.filter(name => {
    const part = parts.get(name)
    if (!part) {
      env.addProblem(
        `PROVIDERS: ${env.quote('PROVIDERS', name)} is not a provider. Known providers are: ${[...parts.keys()].join(', ')}; for example ${env.exampleOf('PROVIDERS')}.`
      )
      return false
    }
    // The sandbox starts, and this selection is read again with its URLs.
    if (isSandbox) return false
    if (part.isUsable || part.settings.definition.methods.apiKey) return true
    const prefix = variablePrefix(part.settings.definition)
    env.addProblem(
      `PROVIDERS lists ${name}, which has no OAuth client. Set one, for example ${prefix}_CLIENT_ID=abc123 and ${exampleOfFile(`${prefix}_CLIENT_SECRET`)}.`
    )
    return false
  })
}

/** A definition with what the environment sets for it, whether it is offered or not. */
export function readProvider(env: EnvironmentReader, provider: Provider, production: boolean): ProviderSettings {
  return readPart(env, provider, production).settings
}

function readPart(env: EnvironmentReader, provider: Provider, production: boolean): OperatorsPart {
  const client = readClient(env, provider)
  const { definition, trustedOrigins } = overrideUrls(env, provider, production)
  const hosts = readHosts(env, definition)
  const fixed = readFixedParameters(env, definition, hosts)
  const variables = { ...fixed.values, ...clientVariables(env, definition, client) }
  const hasApiUrl = env.text(`${variablePrefix(provider)}_API_URL`) !== undefined
  return {
    settings: {
      definition: Object.keys(variables).length > 0 ? resolveForOperator(definition, variables) : definition,
      ...(client && { client }),
      ...(hosts && { hosts }),
      fixedParameters: Object.keys(fixed.values),
      trustedOrigins: [...trustedOrigins, ...[...(hosts ?? []), ...fixed.hosts].map(host => `https://${host}`)]
    },
    isUsable: client !== undefined || (hasApiUrl && provider.methods.apiKey !== undefined),
    checkOffered: () => checkOffered(env, definition, { client, fixed, hosts })
  }
}
