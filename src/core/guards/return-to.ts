import { GatewayError } from '../errors.ts'
import { decodeOnce, maxDecodings } from './path.ts'

/** Longest return address in characters, as given and in its normal form: it has to fit into the cookie of the sign-in. */
const maxCharacters = 2000

/**
 * Where a sign-in may send the browser afterwards: a path here, or a URL on an allowed origin. Refuses every form that
 * some browser or proxy reads as another origin (CWE-601; oauth2-proxy CVE-2020-4037, -11053, CVE-2021-21291).
 * @param allowedOrigins serialized origins, the gateway's own among them
 * @returns the address in its normal form, ASCII only
 * @throws {GatewayError} `return_to_rejected`
 */
export function guardReturnTo(address: string, publicUrl: string, allowedOrigins: ReadonlySet<string>): string {
  const reject = (why: string): never => {
    throw new GatewayError('return_to_rejected', `return_to ${why}. Give a path on this host ("/done") or a URL on an allowed origin.`)
  }
  const fit = (text: string): string => (text.length > maxCharacters ? reject(`is longer than ${maxCharacters} characters`) : text)
  if (hasControl(fit(address)) || /[\\ ]/.test(address)) reject('holds a character that no URL has')

  const isPath = address.startsWith('/')
  if (!isPath && !/^https?:\/\/[^/]/i.test(address)) reject('is neither a path nor an absolute URL')
  const url = URL.parse(address, publicUrl) ?? reject('is not a URL')
  if (url.username !== '' || url.password !== '' || /^[a-z]+:\/\/[^/?#]*@/i.test(address)) reject('holds a user name')
  if (!allowedOrigins.has(url.origin)) reject('is on an origin that is not allowed')
  if (!isPath) return fit(url.href)

  if (url.origin !== new URL(publicUrl).origin) reject('leaves this host')
  for (let round = 0, path = url.pathname; ; round++) {
    if (/^\/[/\\]/.test(path) || hasControlByte(path) || path.includes('\\')) reject('would be read as another host')
    const next = decodeOnce(path)
    if (next === path) break
    if (round === maxDecodings) reject('is encoded too many times')
    path = next
  }
  return fit(url.pathname + url.search + url.hash)
}

const hasControl = (text: string): boolean => /[\p{Cc}\u2028\u2029]/u.test(text)
/** In a path of which every byte is a character: 80 to 9f are parts of letters there. */
const hasControlByte = (text: string): boolean => /[^\x20-\x7e\x80-\xff]/.test(text)

/**
 * The `return_to` of a query, made safe.
 * @param usual where to go without one
 * @throws {GatewayError} `return_to_rejected`
 */
export function parseReturnTo(asked: unknown, usual: string, publicUrl: string, allowedOrigins: ReadonlySet<string>): string {
  if (asked === undefined || asked === '') return usual
  if (typeof asked !== 'string') throw new GatewayError('return_to_rejected', 'return_to is given twice. Give it once.')
  return guardReturnTo(asked, publicUrl, allowedOrigins)
}

/** Adds parameters to an address that `guardReturnTo` gave, before its fragment, and leaves the rest as it is. */
export function appendParams(address: string, params: Readonly<Record<string, string>>): string {
  const [, base = '', fragment = ''] = /^([^#]*)(.*)$/.exec(address) ?? []
  return `${base}${base.includes('?') ? '&' : '?'}${new URLSearchParams(params)}${fragment}`
}
