import type { TokenRefusal } from '../provider/definition.ts'
import { toSingleLine } from '../util/display-text.ts'
import { resolvePointer } from '../util/json-pointer.ts'

/** An error response of a token endpoint (RFC 6749 §5.2), or what a vendor sends instead. */
export type TokenErrorResponse = {
  /** The vendor's own code, fit for a log. */
  readonly code: string | undefined
  /** `invalid_grant`: the grant has ended. `invalid_client`: the operator's client is rejected. */
  readonly means: TokenRefusal['means'] | undefined
  /** The code says that the error is temporary or the server's. */
  readonly isTemporary: boolean
}

/** Where vendors put the code: RFC 6749 §5.2, and those that wrap it. */
const codePointers = [
  '/error',
  '/error/code',
  '/error/error',
  '/error/type',
  '/error/status',
  '/error_code',
  '/errorCode',
  '/errors/0/code',
  '/errors/0/error',
  '/errors/0/type',
  '/errors/0/errorType',
  '/code',
  '/status'
]

/**
 * Codes that say unambiguously that a refresh token is no longer valid, so that no definition has to declare them: GitHub, Slack and HubSpot
 * have one each, and the OpenID Connect codes require the user (Core §3.1.2.6).
 */
const endedCodes = new Set([
  'bad_refresh_token',
  'invalid_refresh_token',
  'expired_refresh_token',
  'revoked_refresh_token',
  'refresh_token_invalid',
  'refresh_token_expired',
  'refresh_token_revoked',
  'refresh_token_not_found',
  'token_revoked',
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required'
])

/** RFC 6749's code, and GitHub's and Slack's. */
const clientCodes = new Set([
  'invalid_client',
  'incorrect_client_credentials',
  'bad_client_secret',
  'invalid_client_id',
  'invalid_client_secret'
])

const temporaryCodes = new Set([
  'server_error',
  'temporarily_unavailable',
  'internal_error',
  'internal_server_error',
  'service_unavailable'
])

type Context = {
  /** Rules of the definition. */
  readonly declared?: readonly TokenRefusal[] | undefined
  /** Secrets that were sent, and that the response may repeat. */
  readonly sent?: readonly string[] | undefined
}

/**
 * @param status of the response. In a 5xx only OAuth's own `invalid_grant` ends the grant.
 * @returns `undefined` if the response holds no error
 */
export function readTokenError(
  document: unknown,
  status: number,
  { declared = [], sent = [] }: Context = {}
): TokenErrorResponse | undefined {
  const means = declared.find(({ pointer, oneOf }) => oneOf.some(value => value === resolvePointer(document, pointer)))?.means
  const codes = codePointers
    .map(pointer => resolvePointer(document, pointer))
    .filter(value => typeof value === 'string' && value !== '') as string[]
  if (means === undefined && codes.length === 0) return undefined
  const normalized = codes.map(normalize)
  const has = (known: ReadonlySet<string>) => normalized.some(code => known.has(code))
  return {
    code: withoutSecrets(sent, sanitize(codes[0])),
    means:
      means ??
      (normalized.includes('invalid_grant') || (status < 500 && has(endedCodes))
        ? 'invalid_grant'
        : has(clientCodes)
          ? 'invalid_client'
          : undefined),
    isTemporary: has(temporaryCodes)
  }
}

/** `BadRefreshToken`, `BAD-REFRESH-TOKEN` and `bad_refresh_token` are the same code. */
const normalize = (code: string): string =>
  code
    .trim()
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/[\s.-]+/g, '_')
    .toLowerCase()

const maxCodeCharacters = 64

/** RFC 6749 A.7: printable ASCII without quotation mark and backslash; cut to the length of a code. */
const sanitize = (code: string | undefined): string | undefined =>
  code?.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '').slice(0, maxCodeCharacters)

const descriptionPointers = ['/error_description', '/error/message', '/error_message', '/message', '/errors/0/message', '/errors/0/detail']
const maxDescriptionCharacters = 200

/** The vendor's description of the error, for a log. @param sent secrets that were sent, and that it may repeat */
export function readErrorDescription(document: unknown, sent: readonly string[] = []): string | undefined {
  const sentence = descriptionPointers
    .map(pointer => resolvePointer(document, pointer))
    .find(value => typeof value === 'string' && value !== '')
  return typeof sentence === 'string' ? withoutSecrets(sent, toSingleLine(sentence).slice(0, maxDescriptionCharacters)) : undefined
}

/** The first characters of a token already disclose it. */
const disclosingCharacters = 12

/** @returns `undefined` if the text repeats a secret */
const withoutSecrets = (sent: readonly string[], text: string | undefined): string | undefined =>
  text !== undefined && sent.some(secret => text.includes(secret.slice(0, disclosingCharacters))) ? undefined : text
