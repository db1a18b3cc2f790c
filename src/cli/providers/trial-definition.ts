import { generateKeyPairSync } from 'node:crypto'
import type { ApiKeyMethod, OAuth2Method, Provider } from '../../core/provider/definition.ts'
import type { LearntValue, LearntValues, Parameters } from '../../core/provider/parameter.ts'
import { parseParameter } from '../../core/provider/parse-parameters.ts'
import { resolveForOperator } from '../../core/provider/resolve-definition.ts'
import type { Variables } from '../../core/provider/template.ts'
import { didYouMean } from '../../core/util/nearest-name.ts'
import { UsageError } from '../usage-error.ts'

/** What stands for what a user gives: of `--parameter`, else the example. The key itself has a placeholder. */
export function trialParameters(definition: Provider, given: readonly string[]): Variables {
  const { key: _, ...fields } = definition.methods.apiKey?.fields ?? {}
  const parameters: Parameters = { ...definition.parameters, ...fields }
  const values = Object.fromEntries(
    Object.entries(parameters).map(([name, { example, secret }]) => [name, secret ? wordFor(name) : example])
  )
  return { ...values, ...Object.fromEntries(given.map(text => readParameter(definition, parameters, text))) }
}

/** As the other secrets that are shown. */
const wordFor = (name: string) => name.toUpperCase()

function readParameter(definition: Provider, parameters: Parameters, text: string): readonly [name: string, value: string] {
  const [, name = '', given] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (given === undefined)
    throw new UsageError(`--parameter is NAME=VALUE, not ${JSON.stringify(text)}. Give for example --parameter shop=acme.`)
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  if (!parameter) {
    const names = Object.keys(parameters)
    throw new UsageError(
      `--parameter ${name}: ${definition.title} has no such parameter.${didYouMean(name, names)}${names.length > 0 ? ` It has ${names.join(', ')}.` : ''}`
    )
  }
  const parsed = parseParameter(definition, name, parameter, given)
  if ('problem' in parsed) throw new UsageError(`--parameter ${name} ${parsed.problem}, for example ${name}=${parameter.example}.`)
  return [name, parsed.value]
}

/**
 * The definition with one method, in which the parameters stand, and the examples of everything that a connection by this method learns.
 * @throws {TemplateError} for an example that cannot stand where the definition has it
 */
export function trialDefinition(definition: Provider, name: 'oauth2' | 'apiKey', parameters: Variables): Provider {
  const { oauth2, apiKey } = definition.methods
  const { fields: _, ...key } = apiKey ?? ({} as ApiKeyMethod)
  const methods = name === 'oauth2' ? { oauth2: oauth2 as OAuth2Method } : { apiKey: key }
  const values: LearntValues = (name === 'oauth2' ? oauth2 : apiKey)?.values ?? {}
  const examples = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, learntFrom(value)]))
  return resolveForOperator({ ...definition, methods }, { ...parameters, ...examples })
}

/** Where the pattern has a group, the example may be what the vendor sends, of which the group is the value. */
const learntFrom = ({ example, pattern }: LearntValue): string =>
  (pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, 'v').exec(example)?.[1]) ?? example

/** A key with which a client signs, made for the trial: the operator's own is never asked for. */
export function trialKey({ clientAssertion }: OAuth2Method): string {
  const { algorithm = 'ES256' } = clientAssertion ?? {}
  const { privateKey } = /^[RP]S/.test(algorithm)
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : algorithm === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: { ES384: 'P-384', ES512: 'P-521' }[algorithm] ?? 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
