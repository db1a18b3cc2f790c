import { parseAccount } from '../connections/errors.ts'
import { GatewayError } from '../errors.ts'

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
