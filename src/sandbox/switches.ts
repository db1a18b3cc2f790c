import type { TokenFacts } from '../core/provider/definition.ts'

/**
 * The behaviour of one vendor. At first it is a strict, correct server with the tokens that the definition documents; every other value injects a
 * fault.
 */
export type Switches = {
  /** Lifetime of new access tokens; none: they do not expire. As the definition's `tokens` say, else 300. */
  accessTokenSeconds: number | undefined
  /** A refresh returns a new refresh token and invalidates the old one. As the definition's `tokens` say, else on. */
  rotateRefreshTokens: boolean
  /** How long a used refresh token stays valid. Checked when it is used again, so a change takes effect at once. */
  graceSeconds: number
  /** Delay before a token request is processed. */
  tokenDelayMs: number
  /** Returned for a token request instead of executing it. */
  tokenFault: TokenFault | undefined
  /** The token requests to which `tokenFault` and `dropTokenResponse` apply. */
  tokenFaultOn: 'all' | 'authorization_code' | 'refresh_token'
  /** Executes the token request, and closes the connection instead of responding. */
  dropTokenResponse: boolean
  /** The body of a token response: JSON, JSON labelled as plain text, or a form. */
  tokenResponseFormat: 'json' | 'text' | 'form'
  omitExpiresIn: boolean
  omitRefreshToken: boolean
  omitScope: boolean
  /** Replaces `Bearer`. */
  tokenType: string | undefined
  /** The next n API requests get a 401, whatever their credential. */
  unauthorizedCalls: number
  /** The next n API requests get the vendor's 429. */
  rateLimitCalls: number
  apiFault: ApiFault | undefined
  /** If not 200, the revocation endpoint responds with this status and revokes nothing. */
  revokeStatus: number
  /** Omits `iss` (RFC 9207) from authorization responses. */
  omitIss: boolean
  /** Sent for the definition's `values` of these names, in place of those that the API goes on to accept; `null` omits one. */
  values: Readonly<Record<string, string | null>> | undefined
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

const wholeNumber = (initial: number, min: number, max: number): Rule<number> => ({
  initial,
  expected: `a whole number from ${min} to ${max}`,
  accepts: value => Number.isInteger(value) && Number(value) >= min && Number(value) <= max
})

const optional = <T>({ initial, expected, accepts }: Rule<T>): Rule<T | undefined> => ({
  initial,
  expected: `null or ${expected}`,
  accepts: value => value === undefined || accepts(value)
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

const optionalString: Rule<string | undefined> = {
  initial: undefined,
  expected: 'null or a string',
  accepts: value => value === undefined || typeof value === 'string'
}

const optionalTexts: Rule<Readonly<Record<string, string | null>> | undefined> = {
  initial: undefined,
  expected: 'null or an object of strings and nulls',
  accepts: value =>
    value === undefined ||
    (typeof value === 'object' &&
      !Array.isArray(value) &&
      Object.values(Object(value)).every(one => one === null || typeof one === 'string'))
}

const dayMs = 86_400_000

const rules: { readonly [Name in keyof Switches]: Rule<Switches[Name]> } = {
  accessTokenSeconds: optional(wholeNumber(300, 1, 31_536_000)),
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
  dropTokenResponse: flag(false),
  tokenResponseFormat: choice<Switches['tokenResponseFormat']>('json', 'text', 'form'),
  omitExpiresIn: flag(false),
  omitRefreshToken: flag(false),
  omitScope: flag(false),
  tokenType: optionalString,
  unauthorizedCalls: wholeNumber(0, 0, Number.MAX_SAFE_INTEGER),
  rateLimitCalls: wholeNumber(0, 0, Number.MAX_SAFE_INTEGER),
  apiFault: optionalChoice<ApiFault>('error500', 'reset', 'stall', 'short'),
  revokeStatus: wholeNumber(200, 200, 599),
  omitIss: flag(false),
  values: optionalTexts
}

export const defaultSwitches = Object.fromEntries(Object.entries(rules).map(([name, { initial }]) => [name, initial])) as Switches

/** The switches of a vendor as its definition documents its tokens. */
export function switchesOf({ accessTokenLifetime, refreshToken }: TokenFacts = {}): Partial<Switches> {
  return {
    ...(accessTokenLifetime !== undefined && { accessTokenSeconds: accessTokenLifetime === 'unlimited' ? undefined : accessTokenLifetime }),
    ...(refreshToken === 'kept' && { rotateRefreshTokens: false })
  }
}

/**
 * Parses switches from JSON, where `null` means undefined.
 * @throws {TypeError} naming the switch and its accepted values
 */
export function parseSwitches(input: unknown): Partial<Switches> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new TypeError('switches must be a JSON object')
  return Object.fromEntries(
    Object.entries(input).map(([name, json]) => {
      const rule = Object.hasOwn(rules, name) ? rules[name as keyof Switches] : undefined
      if (!rule) throw new TypeError(`there is no switch ${JSON.stringify(name)}; there are ${Object.keys(rules).join(', ')}`)
      const value: unknown = json ?? undefined
      if (!rule.accepts(value)) throw new TypeError(`${name} must be ${rule.expected}`)
      return [name, value]
    })
  )
}

/** The JSON form, with `null` for undefined. */
export const serializeSwitches = (switches: Switches) =>
  Object.fromEntries(Object.entries(switches).map(([name, value]) => [name, value ?? null]))
