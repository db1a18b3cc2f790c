/** How one vendor behaves. The defaults are a strict and well-behaved server; everything else is a fault to rehearse. */
export type Switches = {
  accessTokenSeconds: number
  /** A refresh answers with a new refresh token and spends the old one. */
  rotateRefreshTokens: boolean
  /** How long a spent refresh token works on. Judged when it comes back, so a change counts at once. */
  graceSeconds: number
  /** Wait before a token request is looked at. */
  tokenDelayMs: number
  /** What a token request gets instead of being executed. */
  tokenFault: TokenFault | undefined
  /** Which token requests `tokenFault` and `answerLost` hit. */
  tokenFaultOn: 'all' | 'authorization_code' | 'refresh_token'
  /** The token request is executed, and the connection ends where its answer should be. */
  answerLost: boolean
  /** How the answer of a token request is written: as JSON that is labelled so, as JSON that is labelled as text, or as a form. */
  tokenAnswerAs: 'json' | 'text' | 'form'
  omitExpiresIn: boolean
  omitRefreshToken: boolean
  omitScope: boolean
  /** Said instead of `Bearer`. */
  tokenType: string | undefined
  /** The next n API calls are answered 401, whatever they carry. */
  unauthorizedCalls: number
  /** The next n API calls are answered 429, in the vendor's manner. */
  rateLimitCalls: number
  apiFault: ApiFault | undefined
  /** Other than 200: the revocation address answers this and revokes nothing. */
  revokeStatus: number
  /** Leave the RFC 9207 `iss` out of authorization answers. */
  omitIss: boolean
}

export type TokenFault =
  | 'error500'
  | 'error503'
  | 'busy'
  | 'invalid-client'
  | 'refused'
  | 'reset'
  | 'html'
  | 'empty'
  | 'error-in-200'
  | 'stall'
export type ApiFault = 'error500' | 'reset' | 'stall' | 'short'

type Rule<T> = { readonly initial: T; readonly expected: string; readonly accepts: (value: unknown) => boolean }

const flag = (initial: boolean): Rule<boolean> => ({
  initial,
  expected: 'true or false',
  accepts: value => typeof value === 'boolean'
})

const wholeNumber = (initial: number, least: number, most: number): Rule<number> => ({
  initial,
  expected: `a whole number from ${least} to ${most}`,
  accepts: value => Number.isInteger(value) && Number(value) >= least && Number(value) <= most
})

const choice = <T extends string>(initial: T, ...others: T[]): Rule<T> => {
  const values: readonly unknown[] = [initial, ...others]
  return { initial, expected: `one of ${values.join(', ')}`, accepts: value => values.includes(value) }
}

const optionalChoice = <T extends string>(...values: T[]): Rule<T | undefined> => ({
  initial: undefined,
  expected: `null or one of ${values.join(', ')}`,
  accepts: value => value === undefined || (values as readonly unknown[]).includes(value)
})

const optionalText: Rule<string | undefined> = {
  initial: undefined,
  expected: 'null or a text',
  accepts: value => value === undefined || typeof value === 'string'
}

const dayMs = 86_400_000

const rules: { readonly [Name in keyof Switches]: Rule<Switches[Name]> } = {
  accessTokenSeconds: wholeNumber(300, 1, 31_536_000),
  rotateRefreshTokens: flag(true),
  graceSeconds: wholeNumber(0, 0, 31_536_000),
  tokenDelayMs: wholeNumber(0, 0, dayMs),
  tokenFault: optionalChoice<TokenFault>(
    'error500',
    'error503',
    'busy',
    'invalid-client',
    'refused',
    'reset',
    'html',
    'empty',
    'error-in-200',
    'stall'
  ),
  tokenFaultOn: choice<Switches['tokenFaultOn']>('all', 'authorization_code', 'refresh_token'),
  answerLost: flag(false),
  tokenAnswerAs: choice<Switches['tokenAnswerAs']>('json', 'text', 'form'),
  omitExpiresIn: flag(false),
  omitRefreshToken: flag(false),
  omitScope: flag(false),
  tokenType: optionalText,
  unauthorizedCalls: wholeNumber(0, 0, Number.MAX_SAFE_INTEGER),
  rateLimitCalls: wholeNumber(0, 0, Number.MAX_SAFE_INTEGER),
  apiFault: optionalChoice<ApiFault>('error500', 'reset', 'stall', 'short'),
  revokeStatus: wholeNumber(200, 200, 599),
  omitIss: flag(false)
}

export const defaultSwitches = Object.fromEntries(Object.entries(rules).map(([name, { initial }]) => [name, initial])) as Switches

/**
 * Reads switches as they come in JSON, where `null` stands for undefined.
 * @throws {TypeError} naming the switch and what it takes; then none of them may be applied.
 */
export function readSwitches(input: unknown): Partial<Switches> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new TypeError('switches must be a JSON object')
  return Object.fromEntries(
    Object.entries(input).map(([name, given]) => {
      const rule = Object.hasOwn(rules, name) ? rules[name as keyof Switches] : undefined
      if (!rule) throw new TypeError(`there is no switch ${JSON.stringify(name)}; there are ${Object.keys(rules).join(', ')}`)
      const value: unknown = given ?? undefined
      if (!rule.accepts(value)) throw new TypeError(`${name} must be ${rule.expected}`)
      return [name, value]
    })
  )
}

/** For JSON, which has no undefined. */
export const writeSwitches = (switches: Switches) =>
  Object.fromEntries(Object.entries(switches).map(([name, value]) => [name, value ?? null]))
