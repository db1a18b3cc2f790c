import { parseAccount } from '../connections/errors.ts'
import { GatewayError } from '../errors.ts'
import type { Flow } from '../flow.ts'
import type { Provider, ProviderSettings } from '../provider/definition.ts'
import { askedOf, parseParameters } from '../provider/parse-parameters.ts'

/** What a frontend may ask of a sign-in. */
export type SignInParams = {
  readonly account?: string
  /** OpenID Connect Core §3.1.2.1, passed on to the provider. */
  readonly loginHint?: string
  readonly prompt?: string
  /** In place of all that the operator allows. */
  readonly scopes?: readonly string[]
}

type RawParams = Readonly<Record<'account' | 'loginHint' | 'prompt' | 'scopes', unknown>>

const maxCharacters = 255
const prompts: ReadonlySet<string> = new Set(['none', 'login', 'consent', 'select_account', 'create'])

/**
 * Checks what a query or a body asks of a sign-in.
 * @param allowedScopes those that the operator has configured
 * @throws {GatewayError} `parameters_invalid`
 */
export function parseSignInParams(raw: RawParams, allowedScopes: readonly string[]): SignInParams {
  const account = parseAccount(raw.account)
  const loginHint = textOf('login_hint', raw.loginHint)
  const prompt = textOf('prompt', raw.prompt)
  if (prompt?.split(' ').some(value => !prompts.has(value)))
    throw invalid(`prompt is one or more of ${[...prompts].join(', ')}, separated by spaces.`)
  const scopes = scopesOf(raw.scopes)
  const refused = scopes?.find(scope => !allowedScopes.includes(scope))
  if (refused !== undefined)
    throw invalid(`scopes asks for ${JSON.stringify(refused)}, which the operator of this gateway does not allow. Ask for less.`)
  return {
    ...(account !== undefined && { account }),
    ...(loginHint !== undefined && { loginHint }),
    ...(prompt !== undefined && { prompt }),
    ...(scopes && { scopes })
  }
}

/** The parameters of the query with which a sign-in begins, `account` excepted. */
export const signInQuery = ({ loginHint, prompt, scopes }: SignInParams): Record<string, string> => ({
  ...(loginHint !== undefined && { login_hint: loginHint }),
  ...(prompt !== undefined && { prompt }),
  ...(scopes && { scopes: scopes.join(' ') })
})

/** What a query gives for parameters of the provider, by their names, of whatever type. Its other names are not meant for the provider. */
export function parametersIn(query: object, { definition, fixedParameters = [] }: ProviderSettings): Record<string, unknown> {
  const names = [...Object.keys(definition.parameters ?? {}), ...fixedParameters]
  return Object.fromEntries(Object.entries(query).filter(([name]) => names.includes(name)))
}

/** Names of those that users are asked for, that have no default and were not given. */
export const missingParameters = ({ parameters }: Provider, given: object): string[] =>
  Object.entries(askedOf(parameters))
    .filter(([name, parameter]) => parameter.default === undefined && !Object.hasOwn(given, name))
    .map(([name]) => name)

/** @throws {GatewayError} `parameters_invalid`, naming the first that is missing, wrong or not asked for */
export function parseFlowParameters({ definition, hosts }: ProviderSettings, given: unknown): Pick<Flow, 'parameters'> {
  const parameters = parseParameters(definition, definition.parameters ?? {}, given, hosts)
  return Object.keys(parameters).length > 0 ? { parameters } : {}
}

/** For a page, which says at its form what is wrong. @returns the error of `parseFlowParameters` instead of throwing it */
export function checkedParameters(settings: ProviderSettings, given: unknown): Pick<Flow, 'parameters'> | GatewayError {
  try {
    return parseFlowParameters(settings, given)
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string' || value.length > maxCharacters || /\p{Cc}/u.test(value) || !value.isWellFormed())
    throw invalid(`${name} is text of ${maxCharacters} characters at most, on one line. Give it once.`)
  return value
}

/** Separated by spaces or commas, or a list. */
function scopesOf(value: unknown): string[] | undefined {
  if (value === undefined || value === '') return undefined
  const list = [value].flat()
  if (!list.every(part => typeof part === 'string')) throw invalid('scopes is a list of scopes, or one text in which spaces separate them.')
  return [...new Set(list.flatMap(part => part.split(/[\s,]+/)).filter(scope => scope !== ''))]
}

const invalid = (detail: string) => new GatewayError('parameters_invalid', detail)
