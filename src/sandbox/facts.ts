import type { Provider } from '../core/provider/definition.ts'
import type { LearntValue, LearntValues, Parameters } from '../core/provider/parameter.ts'
import { askedOf, parseParameter } from '../core/provider/parse-parameters.ts'
import type { Variables } from '../core/provider/template.ts'
import type { SandboxClient } from './client.ts'
import { assertionProblem } from './client-authentication.ts'
import { learns, rawValue } from './example-values.ts'
import type { Grant } from './grant-store.ts'
import type { Switches } from './switches.ts'

export const defaultAccount = 'ada@example.com'

/** Those that a look-up with a choice lists. */
export const items = [0, 1] as const

/** By what a request is authorized. */
export type Authority = Pick<Grant, 'account' | 'parameters' | 'method'>

/** What a played vendor knows of its accounts, and what may stand for the expressions of its definition. */
export type Facts = {
  /** What the form of a key asks for, `key` among them: values that the vendor accepts. */
  readonly fields: Variables
  /** What users are asked for: values that the vendor accepts, beside others of the right form. */
  readonly parameters: Variables
  readonly key: string
  /** The values of an account as the vendor sends them, of one document; those of the switches in their place. */
  sentValues(
    method: Grant['method'],
    from: LearntValue['from'],
    account: string,
    item?: number
  ): ReadonlyArray<readonly [LearntValue, string]>
  /**
   * Finds what is wrong with the values in a request.
   * @param authority `undefined` where it is not known yet: only forms are checked
   * @returns `undefined` if they are right, else a sentence for the author of the definition
   */
  problemIn(variables: Variables, authority: Authority | undefined): string | undefined
}

/** @param definition as it is played: values are as the gateway has them */
export function createFacts(definition: Provider, client: SandboxClient, switches: Pick<Switches, 'values'>): Facts {
  const { parameters = {}, methods } = definition
  const fields = methods.apiKey?.fields ?? {}
  const key = keyOf(definition)
  const examples: Variables = { ...examplesOf(fields), ...(methods.apiKey && { key }) }

  const valuesOf = (method: Grant['method']): LearntValues => methods[method]?.values ?? {}
  const seedOf = (account: string, item: number) => (account === defaultAccount && item === 0 ? '' : `${account} ${item}`)
  const sent = (name: string, value: LearntValue, account: string, item: number) =>
    value.from === 'key' ? key : rawValue(definition, name, value, seedOf(account, value.from === 'lookup' ? item : 0))

  const credentials: Readonly<Record<string, (text: string) => boolean>> = {
    access_token: () => true,
    refresh_token: () => true,
    key: () => true,
    client_id: text => text === client.id,
    client_secret: text =>
      methods.oauth2?.clientAssertion ? assertionProblem(methods.oauth2, client, facts, text) === undefined : text === client.secret
  }

  function isExpected(name: string, text: string, authority: Authority | undefined): boolean {
    if (credentials[name]) return credentials[name](text)
    if (Object.hasOwn(fields, name)) return text === examples[name]
    const parameter = parameters[name]
    if (parameter) {
      const known = authority?.parameters[name]
      if (known !== undefined) return text === known
      // What only the operator gives is checked in the same way.
      const parsed = parseParameter(definition, name, parameter, text)
      return 'value' in parsed && parsed.value === text
    }
    if (!authority) return true
    const value = valuesOf(authority.method)[name]
    return value !== undefined && items.some(item => text === learns(definition, name, value, sent(name, value, authority.account, item)))
  }

  const facts: Facts = {
    fields: examples,
    parameters: examplesOf(askedOf(parameters)),
    key,
    sentValues: (method, from, account, item = 0) =>
      Object.entries(valuesOf(method)).flatMap(([name, value]) => {
        if (value.from !== from) return []
        const instead = switches.values && Object.hasOwn(switches.values, name) ? switches.values[name] : undefined
        return instead === null ? [] : [[value, instead ?? sent(name, value, account, item)] as const]
      }),
    problemIn(variables, authority) {
      const wrong = Object.keys(variables).find(name => !isExpected(name, variables[name] ?? '', authority))
      return wrong === undefined ? undefined : `another value than this account’s stands for {${wrong}}`
    }
  }
  return facts
}

const examplesOf = (parameters: Parameters): Variables =>
  Object.fromEntries(Object.entries(parameters).map(([name, { example }]) => [name, example]))

/** The same at every start, so that it can be documented and remembered. A value that is read from the key must be in it. */
function keyOf(definition: Provider): string {
  const { fields, values = {} } = definition.methods.apiKey ?? {}
  const own = `sandbox_${definition.name.replaceAll('-', '_')}_key`
  const read = Object.entries(values).filter(([, { from }]) => from === 'key')
  const candidates = fields?.key ? [fields.key.example] : [own, ...read.flatMap(([, { example }]) => [`${own}-${example}`, example])]
  const fits = (key: string) => read.every(([name, value]) => learns(definition, name, value, key) !== undefined)
  return candidates.find(fits) ?? candidates[0] ?? own
}
