import { ConfigError, EnvironmentReader } from '../../config/environment.ts'
import { loadProviders } from '../../config/load-providers.ts'
import { readProviders } from '../../config/provider-settings.ts'
import { variablePrefix } from '../../config/variable-prefix.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { CommandContext } from '../command.ts'

/** @returns the exit code */
export async function listProviders({ json }: { readonly json: boolean }, { variables, print }: CommandContext): Promise<number> {
  const definitions = await loadProviders()
  const env = new EnvironmentReader(variables)
  // Not as in production, where an environment without any provider is a problem: the list says how to switch one on.
  const offered = readProviders(env, definitions, { production: false, hasSandbox: true })
  if (env.problems.length > 0) throw new ConfigError(env.problems)
  const rows = definitions.map(definition => rowOf(definition, offered.has(definition.name)))
  if (json) print(`${JSON.stringify(rows, null, 2)}\n`)
  else for (const row of rows) print(`${lineOf(row)}\n`)
  if (!json && offered.size === 0) print('None is on. Outside production the sandbox of "grantkeeper start" plays them.\n')
  return 0
}

function rowOf(definition: Provider, isOn: boolean) {
  const { name, title, methods } = definition
  const prefix = variablePrefix(definition)
  return {
    name,
    title,
    methods: [...(methods.oauth2 ? ['oauth2'] : []), ...(methods.apiKey ? ['api_key'] : [])],
    isOn,
    /** Variables of which any set switches it on. */
    switchOn: [...(methods.oauth2 ? [`${prefix}_CLIENT_ID`] : []), ...(methods.apiKey ? [`${name} in PROVIDERS`] : [])],
    from: 'built in'
  }
}

const lineOf = ({ name, title, methods, isOn, switchOn, from }: ReturnType<typeof rowOf>): string =>
  [name, title, methods.join(','), isOn ? 'on' : `off (needs ${switchOn.join(', or ')})`, from].join('\t')
