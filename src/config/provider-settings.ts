import type { Provider, ProviderSettings } from '../core/provider/definition.ts'
import { resolveForOperator } from '../core/provider/resolve-definition.ts'
import { didYouMean } from '../core/util/nearest-name.ts'
import type { KnownDefinitions } from './definitions/load-definitions.ts'
import { type EnvironmentReader, exampleOfFile } from './environment.ts'
import { overrideUrls } from './provider-addresses.ts'
import { clientVariables, readClient } from './provider-client.ts'
import { checkOffered, readFixedParameters, readHosts } from './provider-parameters.ts'
import { atSandbox, readSandboxUrl } from './sandbox-url.ts'
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
  { definitions, names, broken }: Pick<KnownDefinitions, 'definitions' | 'names' | 'broken'>,
  { production, hasSandbox }: Mode
): Map<string, ProviderSettings> {
  const sandboxUrl = readSandboxUrl(env, production)
  if (sandboxUrl !== undefined && production)
    env.addWarning(`SANDBOX_URL is set: ${sandboxUrl} plays the providers, and no vendor is reached. Remove it to reach them.`)
  const parts = new Map(definitions.map(definition => [definition.name, readPart(env, definition, production)]))
  const usable = [...parts].flatMap(([name, { isUsable }]) => (isUsable ? name : []))
  const selected = env.list('PROVIDERS', names[0])
  const isNothingConfigured = usable.length === 0 && !selected
  const isUnknown = selected?.some(name => !names.includes(name)) === true
  const isBroken = reportBroken(env, broken, { selected, isCause: isNothingConfigured || isUnknown })
  if (isNothingConfigured && !hasSandbox && !isBroken) {
    const example = names[0] === undefined ? 'PROVIDER' : variablePrefix({ name: names[0] })
    env.addProblem(
      `No provider is configured. Set the OAuth client of at least one, for example ${example}_CLIENT_ID=abc123 and ${exampleOfFile(`${example}_CLIENT_SECRET`)}.`
    )
  }
  const providers = new Map<string, ProviderSettings>()
  for (const name of selected
    ? selectNames(env, selected, { parts, names, isBroken, isSandbox: hasSandbox && usable.length === 0 })
    : usable) {
    const { settings, checkOffered } = parts.get(name) as OperatorsPart
    checkOffered()
    providers.set(name, settings)
  }
  return providers
}

type Selectable = {
  readonly parts: ReadonlyMap<string, OperatorsPart>
  readonly names: readonly string[]
  /** Whether a definition is a problem: one that cannot be read may be named otherwise than its file. */
  readonly isBroken: boolean
  readonly isSandbox: boolean
}

function selectNames(env: EnvironmentReader, selected: readonly string[], { parts, names, isBroken, isSandbox }: Selectable): string[] {
  return selected.filter(name => {
    const part = parts.get(name)
    if (!part) {
      if (!names.includes(name))
        env.addProblem(
          isBroken
            ? `PROVIDERS: ${env.quote('PROVIDERS', name)} is none of the definitions that can be read. Correct the others first, and look at their names.`
            : unknownProvider(env, name, names)
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

/** More would bury what else is said. */
const maxListed = 12

function unknownProvider(env: EnvironmentReader, name: string, names: readonly string[]): string {
  const known = names.length > maxListed ? '"grantkeeper providers" lists those that are' : `Known providers are: ${names.join(', ')}`
  return `PROVIDERS: ${env.quote('PROVIDERS', name)} is not a provider.${didYouMean(name, names)} ${known}; for example ${env.exampleOf('PROVIDERS')}.`
}

type Reported = { readonly selected: readonly string[] | undefined; readonly isCause: boolean }

/** One that would be offered, or that may be why there is nothing to offer, is a problem; the others are warnings. */
function reportBroken(env: EnvironmentReader, broken: KnownDefinitions['broken'], { selected, isCause }: Reported): boolean {
  const isOffered = ({ name }: { readonly name: string }) => {
    const prefix = variablePrefix({ name })
    const isUsable = ['CLIENT_ID', 'API_URL'].some(suffix => env.text(`${prefix}_${suffix}`) !== undefined)
    return selected ? selected.includes(name) : isUsable
  }
  for (const one of broken) {
    const lines = one.problems.map(problem => `${one.from}: ${problem}${/[.?]$/.test(problem) ? '' : '.'}`)
    if (isCause || isOffered(one)) for (const line of lines) env.addProblem(line)
    else for (const line of lines) env.addWarning(`${line} This definition could not be offered.`)
  }
  return broken.some(one => isCause || isOffered(one))
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
  const apiUrl = env.text(`${variablePrefix(provider)}_API_URL`)
  // GitHub Actions sets GITHUB_API_URL in every job, which says nothing about what is to be offered.
  const hasApiUrl = apiUrl !== undefined && !(apiUrl === provider.api.baseUrl && env.presentNames().includes('GITHUB_ACTIONS'))
  const settings: ProviderSettings = {
    definition: Object.keys(variables).length > 0 ? resolveForOperator(definition, variables) : definition,
    ...(client && { client }),
    ...(hosts && { hosts }),
    fixedParameters: Object.keys(fixed.values),
    trustedOrigins: [...trustedOrigins, ...[...(hosts ?? []), ...fixed.hosts].map(host => `https://${host}`)]
  }
  const sandboxUrl = readSandboxUrl(env, production)
  return {
    settings: sandboxUrl === undefined ? settings : atSandbox(settings, sandboxUrl, provider, trustedOrigins),
    isUsable: client !== undefined || ((hasApiUrl || sandboxUrl !== undefined) && provider.methods.apiKey !== undefined),
    checkOffered: () => checkOffered(env, definition, { client, fixed, hosts })
  }
}
