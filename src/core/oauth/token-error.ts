import type { TokenRefusal } from '../provider/provider.ts'
import { toSingleLine } from '../util/display-text.ts'
import { resolvePointer } from '../util/json-pointer.ts'

/** What a token endpoint says instead of granting a token. */
export type TokenErrorResponse = {
  /** The vendor's own word, as a log may hold it. */
  readonly code: string | undefined
  /** `invalid_grant`: the grant is over. `invalid_client`: the operator's client is refused. */
  readonly means: TokenRefusal['means'] | undefined
  /** It says itself that it will pass, or that the fault is the server's. */
  readonly isTemporary: boolean
}

/** Where vendors put the word: RFC 6749 §5.2, and those that wrap it. */
const defaultPlaces = [
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
 * Words that say of a refresh token that it is of no use any more, so plainly that no definition need declare them: GitHub, Slack and
 * HubSpot have one each, and the OpenID Connect codes ask for the person (Core §3.1.2.6).
 */
const overWords = new Set([
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

/** GitHub's and Slack's words beside RFC 6749's. */
const clientWords = new Set([
  'invalid_client',
  'incorrect_client_credentials',
  'bad_client_secret',
  'invalid_client_id',
  'invalid_client_secret'
])

const passingWords = new Set(['server_error', 'temporarily_unavailable', 'internal_error', 'internal_server_error', 'service_unavailable'])

type Known = {
  /** By the definition. */
  readonly declared?: readonly TokenRefusal[] | undefined
  /** Secrets that were sent, and may be repeated. */
  readonly sent?: readonly string[] | undefined
}

/**
 * @param status of the response. A fault of the server (5xx) is believed that the grant is over only in OAuth's own word for it.
 * @returns `undefined` where nothing in it is a refusal
 */
export function readTokenError(
  document: unknown,
  status: number,
  { declared = [], sent = [] }: Known = {}
): TokenErrorResponse | undefined {
  const means = declared.find(({ pointer, oneOf }) => oneOf.some(value => value === resolvePointer(document, pointer)))?.means
  const said = defaultPlaces
    .map(pointer => resolvePointer(document, pointer))
    .filter(value => typeof value === 'string' && value !== '') as string[]
  if (means === undefined && said.length === 0) return undefined
  const words = said.map(spelled)
  const has = (word: string | ReadonlySet<string>) => words.some(said => (typeof word === 'string' ? said === word : word.has(said)))
  return {
    code: without(sent, logged(said[0])),
    means:
      means ??
      (has('invalid_grant') || (status < 500 && has(overWords)) ? 'invalid_grant' : has(clientWords) ? 'invalid_client' : undefined),
    isTemporary: has(passingWords)
  }
}

/** `BadRefreshToken`, `BAD-REFRESH-TOKEN` and `bad_refresh_token` are one word. */
const spelled = (word: string): string =>
  word
    .trim()
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/[\s.-]+/g, '_')
    .toLowerCase()

const maxLoggedCharacters = 64

/** RFC 6749 A.7: visible ASCII and blanks, without the marks that quote; and not longer than a code is. */
const logged = (code: string | undefined): string | undefined =>
  code?.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '').slice(0, maxLoggedCharacters)

const defaultSentences = ['/error_description', '/error/message', '/error_message', '/message', '/errors/0/message', '/errors/0/detail']
const maxDescribedCharacters = 200

/** What a vendor says of its refusal in a sentence, for a log. @param sent secrets that were sent, and may be repeated */
export function readErrorDescription(document: unknown, sent: readonly string[] = []): string | undefined {
  const sentence = defaultSentences
    .map(pointer => resolvePointer(document, pointer))
    .find(value => typeof value === 'string' && value !== '')
  return typeof sentence === 'string' ? without(sent, toSingleLine(sentence).slice(0, maxDescribedCharacters)) : undefined
}

/** A token that is told by its beginning is told. */
const tellingCharacters = 12

/** @returns `undefined` when it repeats anything of what was sent */
const without = (sent: readonly string[], text: string | undefined): string | undefined =>
  text !== undefined && sent.some(secret => text.includes(secret.slice(0, tellingCharacters))) ? undefined : text
