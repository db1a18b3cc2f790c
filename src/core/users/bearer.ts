import { GatewayError } from '../errors.ts'

const maxCharacters = 8_192

const name = 'authorization'
/** The scheme is case-insensitive (RFC 9110 §11.1), and ends where no further character of a token follows: `Bearer\t` is one, `Bearers` is not. */
const bearerScheme = /^bearer(?![\w!#$%&'*+.^`|~-])/i
/** `b64token` of RFC 6750 §2.1, after one or more spaces. */
const bearerCredentials = /^.{6} +([A-Za-z0-9._~+/-]+=*)$/

/**
 * The bearer token of a request (RFC 6750 §2.1).
 * @param rawHeaders name, value, name, value, as node:http has them
 * @returns `undefined` without `Authorization`, or with another scheme
 * @throws `token_invalid` for a malformed or overlong token, and for a second `Authorization` beside one with a bearer: two servers could
 * read such a request differently
 */
export function readBearer(rawHeaders: readonly string[]): string | undefined {
  let credentials: string | undefined
  let isRepeated = false
  let hasBearer = false
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const field = rawHeaders[i] as string
    // Of each request only few names have this length, so that most are not copied in lower case.
    if (field.length !== name.length || field.toLowerCase() !== name) continue
    isRepeated = credentials !== undefined
    credentials = rawHeaders[i + 1] as string
    if (bearerScheme.test(credentials)) hasBearer = true
  }
  if (credentials === undefined || !hasBearer) return undefined
  if (isRepeated) throw invalid('The request has more than one Authorization header. Send one.')
  if (credentials.length > maxCharacters + 'Bearer '.length)
    throw invalid(`The bearer token is longer than ${maxCharacters} characters. Send a shorter one.`)
  const token = simpleToken(credentials) ?? bearerCredentials.exec(credentials)?.[1]
  if (token === undefined)
    throw invalid('The Authorization header is malformed: after "Bearer" it must have a space and one token (RFC 6750 §2.1).')
  return token
}

/**
 * The usual form, without a look at each of a token's many characters, which takes as long as all of the rest: whoever verifies it finds
 * those that no token has.
 */
const simpleToken = (credentials: string): string | undefined =>
  credentials.startsWith('Bearer ') && credentials.length > 7 && credentials.indexOf(' ', 7) === -1 ? credentials.slice(7) : undefined

const invalid = (detail: string) => new GatewayError('token_invalid', detail)
