import { loadDefinitions } from '../../config/definitions/load-definitions.ts'
import { ConfigError, EnvironmentReader } from '../../config/environment.ts'
import { readProviders } from '../../config/provider-settings.ts'
import { variablePrefix } from '../../config/variable-prefix.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { CommandContext } from '../command.ts'

/** @returns the exit code */
export async function listProviders(
  { json }: { readonly json: boolean },
  { variables, print, printError }: CommandContext
): Promise<number> {
  const known = await loadDefinitions(variables, { all: true })
  const env = new EnvironmentReader(variables)
  // Not as in production, where an environment without any provider is a problem: the list says how to switch one on.
  const offered = readProviders(env, { ...known, broken: [] }, { production: false, hasSandbox: true })
  const problems = [...known.problems, ...env.problems]
  if (problems.length > 0) throw new ConfigError(problems)
  const rows = known.definitions.map(definition => rowOf(definition, offered.has(definition.name), known.from.get(definition.name)))
  if (json) print(`${JSON.stringify(rows, null, 2)}\n`)
  else {
    for (const row of rows) print(`${lineOf(row)}\n`)
    for (const { name, from } of known.broken) print(`${[name, '-', '-', 'cannot be used', from].join('\t')}\n`)
  }
  for (const { from, problems } of known.broken) for (const problem of problems) printError(`Warning: ${from}: ${sentence(problem)}\n`)
  for (const warning of [...known.warnings, ...env.warnings]) printError(`Warning: ${warning}\n`)
  if (!json && offered.size === 0) print('None is on. Outside production the sandbox of "grantkeeper start" plays them.\n')
  return 0
}

function rowOf(definition: Provider, isOn: boolean, from = 'built in') {
  const { name, title, methods } = definition
  const prefix = variablePrefix(definition)
  return {
    name,
    title,
    methods: [...(methods.oauth2 ? ['oauth2'] : []), ...(methods.apiKey ? ['api_key'] : [])],
    isOn,
    /** Variables of which any set switches it on. */
    switchOn: [...(methods.oauth2 ? [`${prefix}_CLIENT_ID`] : []), ...(methods.apiKey ? [`${name} in PROVIDERS`] : [])],
    from
  }
}

const sentence = (problem: string) => (/[.?]$/.test(problem) ? problem : `${problem}.`)

const lineOf = ({ name, title, methods, isOn, switchOn, from }: ReturnType<typeof rowOf>): string =>
  [name, title, methods.join(','), isOn ? 'on' : `off (needs ${switchOn.join(', or ')})`, from].join('\t')
