import type { Provider } from '../core/provider/definition.ts'
import { type Config, readConfig } from './config.ts'
import type { KnownDefinitions } from './definitions/load-definitions.ts'
import { ConfigError, type Environment, EnvironmentReader } from './environment.ts'
import { variablePrefix } from './variable-prefix.ts'

/** What the configuration has to know of a sandbox that runs. */
type RunningSandbox = {
  /** The client and URLs of every vendor that it plays. */
  readonly environment: Environment
  /** Their names. */
  readonly vendors: readonly string[]
}

/**
 * The configuration of a start with the sandbox. It offers only the providers that the sandbox plays: a key for any other one would be sent
 * to the real vendor.
 * @throws {ConfigError} if `PROVIDERS` lists a provider that the sandbox does not play
 */
export function readSandboxConfig(
  variables: Environment,
  known: KnownDefinitions,
  { port, sandbox }: { readonly port: number; readonly sandbox: RunningSandbox }
): Config {
  const isPlayed = ({ name }: Provider) => sandbox.vendors.includes(name)
  const unplayed = known.definitions.filter(definition => !isPlayed(definition))
  const selected = new EnvironmentReader(variables).list('PROVIDERS') ?? []
  const problems = unplayed.filter(({ name }) => selected.includes(name)).map(problemOf)
  if (problems.length > 0) throw new ConfigError(problems)
  const config = readConfig({ ...variables, ...sandbox.environment }, { ...known, definitions: known.definitions.filter(isPlayed) }, port)
  return { ...config, warnings: [...config.warnings, ...unplayed.map(({ title, name }) => `${title} is not offered: ${whyOf(name)}.`)] }
}

const whyOf = (name: string): string => `the sandbox does not play it, since src/sandbox/vendors/${name}.ts does not exist`

function problemOf(definition: Provider): string {
  const prefix = variablePrefix(definition)
  const remedy = definition.methods.oauth2
    ? `set its OAuth client, ${prefix}_CLIENT_ID=abc123 and ${prefix}_CLIENT_SECRET`
    : `set ${prefix}_API_URL=${definition.api.baseUrl}`
  return `PROVIDERS lists ${definition.name}, and no provider is configured: ${whyOf(definition.name)}. To use the provider itself, ${remedy}.`
}
