import { GatewayError } from '../errors.ts'
import { forEachField } from '../util/raw-headers.ts'
import { userRequired, whyNoUserId } from './user.ts'

const headerName = 'grantkeeper-user'
/** Keeps a byte order mark: without it, two names would be one user. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The user for whom a backend with a service key acts: the header `Grantkeeper-User`. Bytes above 0x7f are UTF-8, so that the id is the same
 * text as in a JWT. White space around it is no part of a header's value (RFC 9110 §5.5): an id that begins or ends with a blank cannot be
 * named here.
 * @param rawHeaders name, value, name, value, as node:http has them, one character a byte
 * @throws `user_required` with 400 if it is missing or empty; `header_rejected` if it is repeated or cannot be a user's id
 */
export function parseRequestedUser(rawHeaders: readonly string[]): string {
  const values: string[] = []
  forEachField(rawHeaders, (name, value) => {
    if (name.length === headerName.length && name.toLowerCase() === headerName) values.push(value)
  })
  const [value = '', second] = values
  if (second !== undefined) throw rejected('is sent more than once')
  if (value === '')
    throw userRequired(
      'A service key acts for a user. Name the user in the header Grantkeeper-User, by the id that your own tokens have.',
      400
    )
  const id = decode(value)
  if (id === undefined) throw rejected('is not valid UTF-8')
  const problem = whyNoUserId(id)
  if (problem !== undefined) throw rejected(problem)
  return id
}

/** @returns `undefined` if it is not UTF-8 */
function decode(value: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(value, 'latin1'))
  } catch {
    return undefined
  }
}

const rejected = (problem: string) =>
  new GatewayError('header_rejected', `The header Grantkeeper-User ${problem}. Send the id of one user in it.`)
