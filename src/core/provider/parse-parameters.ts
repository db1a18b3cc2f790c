import { GatewayError } from '../errors.ts'
import { didYouMean } from '../util/nearest-name.ts'
import type { Provider } from './definition.ts'
import { isPublicHostName } from './host-name.ts'
import type { Parameter, Parameters } from './parameter.ts'
import { positionsOf, unmetPosition } from './placed-values.ts'
import type { Variables } from './template.ts'

const maxCharacters = 255
/** Some passwords and keys are long. */
const maxSecretCharacters = 4096

/** Soft hyphens, zero-width characters, direction marks: invisible, and some pages put them into copied text. */
const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu

/** Those that users are asked for. */
export const askedOf = (parameters: Parameters = {}): Parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([, { operator }]) => !operator))

/** Whether users are asked for anything, whatever the method. */
export const asksUsers = ({ parameters }: Pick<Provider, 'parameters'>): boolean => Object.keys(askedOf(parameters)).length > 0

/**
 * Reads what a user has given for parameters.
 * @param given by name, of whatever type
 * @param hosts those that the operator allows for parameters that are a host of the user's own, private ones too; by default every public one
 * @returns the values, with the defaults of those that were left out or empty
 * @throws {GatewayError} `parameters_invalid`, which names the parameter. It never repeats the value, which may be a secret in the wrong field.
 */
export function parseParameters(definition: Provider, parameters: Parameters, given: unknown, hosts?: readonly string[]): Variables {
  const fail = (name: string, problem: string): never => {
    throw parameterInvalid(definition, name, problem)
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new GatewayError('parameters_invalid', 'The parameters must be an object of texts.', { provider: definition.name })
  const asked = askedOf(parameters)
  for (const name of Object.keys(given).filter(name => !Object.hasOwn(asked, name)))
    fail(printable(name), `is not asked for by ${definition.title}.${didYouMean(name, Object.keys(asked))}`)
  const values: Record<string, string> = {}
  for (const [name, parameter] of Object.entries(asked)) {
    const { title, example, secret } = parameter
    const result = parseParameter(definition, name, parameter, Object.hasOwn(given, name) ? (given as Variables)[name] : undefined, hosts)
    if ('problem' in result) fail(name, `(${title}) ${result.problem}${secret ? '' : `, for example ${example}`}.`)
    else values[name] = result.value
  }
  return values
}

export const parameterInvalid = ({ name: provider }: Pick<Provider, 'name'>, parameter: string, problem: string) =>
  new GatewayError('parameters_invalid', `${parameter} ${problem}`, { provider, parameter })

type Parsed = { readonly value: string } | { readonly problem: string }

/** @returns the value, or a problem that follows its name: `must be …` */
export function parseParameter(
  definition: Provider,
  name: string,
  parameter: Parameter,
  given: unknown,
  hosts?: readonly string[]
): Parsed {
  const { verbatim, secret, oneOf, pattern, isHost } = parameter
  if (given !== undefined && typeof given !== 'string') return { problem: 'must be text, given once' }
  const max = secret || verbatim ? maxSecretCharacters : maxCharacters
  if (given !== undefined && given.length > max) return { problem: `is longer than ${max} characters` }
  const cleaned = verbatim ? given : given?.replace(invisible, '').trim()
  const text = cleaned || parameter.default
  if (text === undefined) return { problem: 'is missing' }
  if (!text.isWellFormed() || (/\p{Cc}/u.test(text) && !verbatim)) return { problem: 'must be text on one line' }
  const value = isHost ? hostIn(text) : parameter.suffix === undefined ? text : withoutSuffix(text, parameter.suffix)
  if (oneOf && !Object.hasOwn(oneOf, value)) return { problem: `must be one of ${Object.keys(oneOf).join(', ')}` }
  if (isHost && hosts && !hosts.includes(value)) return { problem: 'must be a host that the operator of this gateway allows' }
  if (isHost && !hosts && !isPublicHostName(value)) return { problem: 'must be the host name of a server on the internet' }
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'v').test(value)) return { problem: 'has another form than it must have' }
  // The values to choose from are the definition's own, and may be whole hosts.
  const unmet = unmetPosition(value, positionsOf(definition).get(name), isHost === true || oneOf !== undefined)
  return unmet === undefined ? { value } : { problem: unmet }
}

/** The host of an https URL or of a host name, without anything beside it; else the text itself, which no pattern of a host accepts. */
function hostIn(text: string): string {
  const url = URL.parse(/^https:\/\//i.test(text) ? text : `https://${text}`)
  const isHostAlone = url && url.username === '' && url.port === '' && /^[\w.-]+\/?$/.test(text.replace(/^https:\/\//i, ''))
  return isHostAlone ? url.hostname : text
}

/** `acme`, `acme.vendor.com` and `https://acme.vendor.com/settings?x#y` are the same. A text that is none of these stays as it is. */
function withoutSuffix(text: string, suffix: string): string {
  const url = URL.parse(/^https:\/\//i.test(text) ? text : `https://${text}`)
  if (url?.username !== '' || url.password !== '' || url.port !== '' || !url.hostname.endsWith(suffix)) return text
  // What the URL parser drops or changes, as a backslash or a tab, is no address that a browser shows.
  const shown = /^(?:https:\/\/)?([\w.-]+)(?:[/?#][\x21-\x5b\x5d-\x7e]*)?$/i.exec(text)?.[1]
  return shown?.toLowerCase() === url.hostname ? url.hostname.slice(0, -suffix.length) : text
}

const printable = (name: string): string => name.replace(/[^\x21-\x7e]/g, '?').slice(0, 40)
