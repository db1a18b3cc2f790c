import { bareCall, base, type Hostile } from './requests.ts'

/** What changes something, and all of /proxy. */
const routes = [
  ['GET', `${base}/x`],
  ['POST', `${base}/x`],
  ['POST', '/connections/productboard'],
  ['POST', '/connections/productboard/refresh'],
  ['POST', '/connections/productboard/invitation'],
  ['DELETE', '/connections/productboard'],
  ['POST', '/logout']
] as const

/** Almost an origin that is allowed. */
function lookAlikes(allowed: string): string[] {
  const { protocol, hostname, port, origin } = new URL(allowed)
  const at = (host: string, end = port) => `${protocol}//${host}${end === '' ? '' : `:${end}`}`
  return [
    'null',
    '*',
    '',
    'https://evil.example',
    at(`${hostname}.evil.example`),
    at(`evil-${hostname}`),
    at(`evil.${hostname}`),
    at(`${hostname}.`),
    at(hostname.toUpperCase()),
    at(hostname, '81'),
    at(hostname, `${port}0`),
    at(`user@${hostname}`),
    `${origin}/`,
    `${origin}/x`,
    `${origin} https://evil.example`,
    `https://evil.example ${origin}`,
    `${origin}, ${origin}`,
    `${origin}\\@evil.example`,
    origin.replace('://', ':'),
    hostname,
    `${protocol === 'https:' ? 'http' : 'https'}${origin.slice(protocol.length - 1)}`,
    `file://${hostname}`
  ]
}

const wrongMarks = ['0', '2', '', 'true', '01', '1.0', '1, 1', '1;', '"1"', '+1', '\xb9', '1\t1']

/** Calls that a page elsewhere could make a browser send, cookie included. */
export function foreignCalls(allowedOrigins: readonly string[]): Hostile[] {
  const refused = { status: 403, code: 'csrf_rejected' }
  const variants: Array<[what: string, lines: readonly string[]]> = [
    ...allowedOrigins.flatMap(lookAlikes).map(origin => [`Origin: ${origin}`, ['X-CSRF: 1', `Origin: ${origin}`]] as [string, string[]]),
    ...wrongMarks.map(mark => [`X-CSRF: ${mark}`, [`X-CSRF: ${mark}`]] as [string, string[]]),
    ['X-CSRF twice', ['X-CSRF: 1', 'X-CSRF: 1']],
    ['X_CSRF', ['X_CSRF: 1']],
    ['no X-CSRF', []],
    ['no X-CSRF, from an allowed origin', [`Origin: ${allowedOrigins[0]}`]],
    ['a cross-site fetch', ['X-CSRF: 1', 'Sec-Fetch-Site: cross-site']],
    ['a cross-site fetch from an allowed origin', ['X-CSRF: 1', 'Sec-Fetch-Site: cross-site', `Origin: ${allowedOrigins[0]}`]]
  ]
  const calls = variants.flatMap(([what, lines]) =>
    routes.map(
      ([method, target]): Hostile => ({
        what: `${method} ${target} with ${what}`,
        bytes: bareCall({ method, target }, ({ cookie }) => [`Cookie: ${cookie}`, ...lines, 'Content-Length: 0']),
        ...refused
      })
    )
  )
  const preflights = allowedOrigins.flatMap(lookAlikes).map(
    (origin): Hostile => ({
      what: `a preflight from ${origin}`,
      bytes: bareCall({ method: 'OPTIONS' }, () => [`Origin: ${origin}`, 'Access-Control-Request-Method: GET']),
      ...refused
    })
  )
  return [...calls, ...preflights]
}
