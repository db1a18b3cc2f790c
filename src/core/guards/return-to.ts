import { GatewayError } from '../errors.ts'
import { decodeOnce, maxDecodings } from '../util/percent-decoding.ts'

/** Maximum length of a return URL, as given and normalized: it must fit into the sign-in's cookie. */
const maxCharacters = 2000

/**
 * Checks the URL to which a sign-in redirects the browser: a path on this host, or a URL on an allowed origin. Rejects every form that some
 * browser or proxy reads as another origin (CWE-601; oauth2-proxy CVE-2020-4037, -11053, CVE-2021-21291).
 * @param ownOrigin the gateway's own serialized origin
 * @param allowedOrigins serialized origins, the gateway's own among them
 * @returns the normalized URL, ASCII only
 * @throws {GatewayError} `return_to_rejected`
 */
export function guardReturnTo(returnTo: string, ownOrigin: string, allowedOrigins: Pick<ReadonlySet<string>, 'has'>): string {
  const reject = (why: string): never => {
    throw new GatewayError('return_to_rejected', `return_to ${why}. Give a path on this host ("/done") or a URL on an allowed origin.`)
  }
  const checkLength = (text: string): string => (text.length > maxCharacters ? reject(`is longer than ${maxCharacters} characters`) : text)
  if (hasControlCharacter(checkLength(returnTo)) || /[\\ ]/.test(returnTo)) reject('holds a character that is not valid in a URL')

  const isPath = returnTo.startsWith('/')
  if (!isPath && !/^https?:\/\/[^/]/i.test(returnTo)) reject('is neither a path nor an absolute URL')
  const url = URL.parse(returnTo, ownOrigin) ?? reject('is not a URL')
  if (url.username !== '' || url.password !== '' || /^[a-z]+:\/\/[^/?#]*@/i.test(returnTo)) reject('holds a user name')
  if (!allowedOrigins.has(url.origin)) reject('is on an origin that is not allowed')
  if (!isPath) return checkLength(url.href)

  if (url.origin !== ownOrigin) reject('leaves this host')
  for (let round = 0, path = url.pathname; ; round++) {
    if (/^\/[/\\]/.test(path) || hasControlByte(path) || path.includes('\\')) reject('would be read as another host')
    const next = decodeOnce(path)
    if (next === path) break
    if (round === maxDecodings) reject('is encoded too many times')
    path = next
  }
  return checkLength(url.pathname + url.search + url.hash)
}

const hasControlCharacter = (text: string): boolean => /[\p{Cc}\u2028\u2029]/u.test(text)
/** For a path decoded to one character a byte, where 80 to 9f are parts of letters. */
const hasControlByte = (text: string): boolean => /[^\x20-\x7e\x80-\xff]/.test(text)

/**
 * Reads the `return_to` parameter of a query.
 * @param defaultUrl returned if the parameter is absent or empty
 * @throws {GatewayError} `return_to_rejected`
 */
export function parseReturnTo(
  param: unknown,
  defaultUrl: string,
  ownOrigin: string,
  allowedOrigins: Pick<ReadonlySet<string>, 'has'>
): string {
  if (param === undefined || param === '') return defaultUrl
  if (typeof param !== 'string') throw new GatewayError('return_to_rejected', 'return_to is given twice. Give it once.')
  return guardReturnTo(param, ownOrigin, allowedOrigins)
}

/**
 * Adds query parameters before the fragment of a URL from `guardReturnTo`, and changes nothing else. They replace those of the same name, and
 * the outcome of an earlier sign-in: a page reads the first of two, and comes back to its own address, which may still have one.
 */
export function appendParams(url: string, params: Readonly<Record<string, string>>): string {
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(.*)$/.exec(url) ?? []
  const isReplaced = (pair: string) => [...new URLSearchParams(pair).keys()].some(name => Object.hasOwn(params, name) || isOutcome(name))
  const kept = query.split('&').filter(pair => pair !== '' && !isReplaced(pair))
  return `${path}?${[...kept, new URLSearchParams(params)].join('&')}${fragment}`
}

const isOutcome = (name: string) => name === 'connect_code' || name === 'connect_error'
