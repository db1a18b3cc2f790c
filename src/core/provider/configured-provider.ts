import { nearestName } from '../util/nearest-name.ts'
import type { Provider } from './definition.ts'
import { isObject } from './rules.ts'

/**
 * What an operator sets for a provider: the `<P>_…` variables of the environment in camel case. URLs replace those of the definition.
 * `clientId` switches the provider's OAuth on; without `clientSecret` the client is a public one (RFC 6749 §2.1).
 */
export type ProviderOptions = {
  readonly clientId?: string
  readonly clientSecret?: string
  /** Requested instead of the definition's. */
  readonly scopes?: readonly string[]
  readonly authorizeUrl?: string
  readonly tokenUrl?: string
  readonly refreshUrl?: string
  readonly revokeUrl?: string
  /** Instead of the definition's `api.baseUrl`. */
  readonly apiUrl?: string
  /** RFC 9207: the issuer that a callback's `iss` must equal. */
  readonly issuer?: string
  /** Values that are the same for all users, who are not asked for them then: `{ shop: 'acme' }`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Hosts that users may name, where a parameter of the definition is a host. */
  readonly hosts?: readonly string[]
}

/** A definition with the operator's part of it. */
export type ConfiguredProvider = { readonly definition: Provider; readonly options: ProviderOptions }

/** A definition that is called with the operator's part of it: `github({ clientId, clientSecret })`. Its fields are properties, as in data. */
export type ProviderDefinition = Provider & ((options?: ProviderOptions) => ConfiguredProvider)

const kinds: { readonly [Name in keyof ProviderOptions]-?: 'text' | 'list' | 'texts' } = {
  clientId: 'text',
  clientSecret: 'text',
  scopes: 'list',
  authorizeUrl: 'text',
  tokenUrl: 'text',
  refreshUrl: 'text',
  revokeUrl: 'text',
  apiUrl: 'text',
  issuer: 'text',
  parameters: 'texts',
  hosts: 'list'
}
const optionNames = Object.keys(kinds)

/** A frozen function with the fields of a definition, `name` among them, as own enumerable properties: a spread copies all of them. */
export function callable(provider: Provider): ProviderDefinition {
  const definition = ((options = {}) => configure(definition, options)) as ProviderDefinition
  // A function's own `name` cannot be assigned, only defined.
  for (const [field, value] of Object.entries(provider)) Object.defineProperty(definition, field, { value, enumerable: true })
  return Object.freeze(definition)
}

/** @throws {TypeError} naming the provider and the option, never its value, which may be a secret */
function configure(definition: Provider, options: ProviderOptions): ConfiguredProvider {
  const fail = (problem: string): never => {
    throw new TypeError(`provider ${JSON.stringify(definition.name)}: ${problem}`)
  }
  if (typeof options !== 'object' || options === null) fail('its options must be an object, such as { clientId, clientSecret }.')
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    if (!optionNames.includes(name))
      fail(
        `there is no option ${JSON.stringify(name)}; ${nearestName(name, optionNames)} is probably meant. The options are: ${optionNames.join(', ')}.`
      )
    const kind = kinds[name as keyof ProviderOptions]
    if (!isOfKind[kind](value)) fail(`the option ${name} must be ${described[kind]}.`)
  }
  const parameters = Object.keys(definition.parameters ?? {})
  for (const name of Object.keys(options.parameters ?? {}))
    if (!parameters.includes(name))
      fail(`there is no parameter ${JSON.stringify(name)}. The parameters are: ${parameters.join(', ') || 'none'}.`)
  const copy = given.map(([name, value]) => [name, frozenCopy(value)] as const)
  return Object.freeze({ definition, options: Object.freeze(Object.fromEntries(copy)) })
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isOfKind = {
  text: isText,
  list: (value: unknown): boolean => Array.isArray(value) && value.every(isText),
  texts: (value: unknown): boolean => isObject(value) && Object.values(value).every(isText)
}
const described = { text: 'a string', list: 'a list of strings', texts: 'an object of strings' }

const frozenCopy = (value: unknown): unknown =>
  Array.isArray(value) ? Object.freeze([...value]) : isObject(value) ? Object.freeze({ ...value }) : value
