import type { OAuthClient, Provider } from '../core/provider/definition.ts'
import { isHostName } from '../core/provider/host-name.ts'
import type { Parameter } from '../core/provider/parameter.ts'
import { parseParameter } from '../core/provider/parse-parameters.ts'
import { positionsOf } from '../core/provider/placed-values.ts'
import type { Variables } from '../core/provider/template.ts'
import { didYouMean } from '../core/util/nearest-name.ts'
import { type EnvironmentReader, exampleOfFile } from './environment.ts'
import { variablePrefix } from './variable-prefix.ts'

export const parameterVariable = (provider: Pick<Provider, 'name'>, parameter: string): string =>
  `${variablePrefix(provider)}_PARAMETER_${parameter.toUpperCase()}`

const hasHostParameter = ({ parameters = {} }: Provider): boolean => Object.values(parameters).some(({ isHost }) => isHost)

/** `<P>_HOSTS`: those that users may name for a parameter that is a host. The operator answers for them, so they may be private ones. */
export function readHosts(env: EnvironmentReader, provider: Provider): readonly string[] | undefined {
  const name = `${variablePrefix(provider)}_HOSTS`
  if (!hasHostParameter(provider)) {
    // Not read at all: the variable of another program may be spelled almost like it.
    if (env.presentNames().includes(name))
      env.addProblem(`${name} is set, but users of ${provider.title} are not asked for a host. Remove it.`)
    return undefined
  }
  const hosts = env.list(name, 'one.example.com,two.example.com')?.map(host => host.toLowerCase())
  for (const host of hosts?.filter(host => !isHostName(host)) ?? [])
    env.addProblem(
      `${name}: ${env.quote(name, host)} is not a host name, such as one.example.com: no scheme, port, path or wildcard. For example ${env.exampleOf(name)}.`
    )
  return hosts?.filter(isHostName)
}

export type FixedParameters = {
  readonly values: Variables
  /** Of those that are a host. */
  readonly hosts: readonly string[]
}

/** The parameters that `<P>_PARAMETER_<NAME>` fixes for everybody, and the defaults of those that only the operator sets. */
export function readFixedParameters(env: EnvironmentReader, provider: Provider, hosts: readonly string[] | undefined): FixedParameters {
  const { parameters = {} } = provider
  const values: Record<string, string> = {}
  for (const [name, parameter] of Object.entries(parameters)) {
    const variable = parameterVariable(provider, name)
    const given =
      env.text(variable, parameter.secret ? undefined : parameter.example) ?? (parameter.operator ? parameter.default : undefined)
    if (given === undefined) continue
    const parsed = parseParameter(provider, name, parameter, given, parameter.isHost && isHostName(given) ? [given.toLowerCase()] : hosts)
    const problem = 'problem' in parsed ? parsed.problem : /[{}]/.test(parsed.value) ? 'must have no braces' : undefined
    if (problem !== undefined) env.addProblem(`${variable} (${parameter.title}) ${problem}, for example ${env.exampleOf(variable)}.`)
    else if ('value' in parsed) values[name] = parsed.value
  }
  reportUnknown(env, provider)
  return { values, hosts: Object.entries(values).flatMap(([name, value]) => (parameters[name]?.isHost ? value : [])) }
}

/** Nothing reads them: users would be asked, although the operator believes that they are not. */
function reportUnknown(env: EnvironmentReader, provider: Provider): void {
  const prefix = parameterVariable(provider, '')
  const names = Object.keys(provider.parameters ?? {}).map(name => parameterVariable(provider, name))
  const known = new Set(names.flatMap(name => [name, `${name}_FILE`]))
  for (const name of env.presentNames().filter(name => name.startsWith(prefix) && !known.has(name)))
    env.addProblem(
      `${name} is set, but ${provider.title} has no such parameter.${didYouMean(name, names)}${names.length > 0 ? ` It has ${names.join(', ')}.` : ' Remove it.'}`
    )
}

type Offered = { readonly client: OAuthClient | undefined; readonly fixed: FixedParameters; readonly hosts: readonly string[] | undefined }

/**
 * Notes what an offered provider lacks: parameters that only the operator sets, and with OAuth the hosts of parameters that are one. The client's
 * secret and the users' tokens would go to whatever host a link names.
 */
export function checkOffered(env: EnvironmentReader, provider: Provider, { client, fixed, hosts }: Offered): void {
  for (const [name, parameter] of Object.entries(provider.parameters ?? {})) {
    if (Object.hasOwn(fixed.values, name)) continue
    const variable = parameterVariable(provider, name)
    // A value with a problem of its own is not missing too.
    if (parameter.operator && env.text(variable) === undefined) env.addProblem(missing(variable, parameter, provider))
    if (client && parameter.isHost && !hosts && isHostOfOAuth(provider, name))
      env.addProblem(
        `${variablePrefix(provider)}_HOSTS is missing: users of ${provider.title} name the host to which your client’s secret and their tokens go. List the hosts that they may name, for example ${variablePrefix(provider)}_HOSTS=${parameter.example}, or fix one for everybody, ${variable}=${parameter.example}.`
      )
  }
}

/** What an operator has to set before a sign-in can be offered: users name the hosts to which secrets go. */
export function hostWarnings(provider: Provider): string[] {
  if (!provider.methods.oauth2) return []
  return Object.entries(provider.parameters ?? {})
    .filter(([name, { isHost, operator }]) => isHost && !operator && isHostOfOAuth(provider, name))
    .map(
      ([name, { example }]) =>
        `parameters.${name} is a host that users name: with OAuth a start needs ${variablePrefix(provider)}_HOSTS, which lists those that they may name, or ${parameterVariable(provider, name)}=${example}`
    )
}

const missing = (variable: string, { title, hint, example, secret }: Parameter, provider: Provider): string =>
  `${variable} is missing: ${provider.title} needs it from you (${title}${hint === undefined ? '' : `: ${hint.replace(/\.$/, '')}`}), for example ${secret ? exampleOfFile(variable) : `${variable}=${example}`}.`

function isHostOfOAuth(provider: Provider, name: string): boolean {
  const { apiKey: _, ...methods } = provider.methods
  return (
    positionsOf({ ...provider, methods })
      .get(name)
      ?.has('host') === true
  )
}
