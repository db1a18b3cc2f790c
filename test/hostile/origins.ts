import { base, buildBareRequest, type HostileRequest } from './requests.ts'

/** The routes that change state, and /proxy with any method. */
const routes = [
  ['GET', `${base}/x`],
  ['POST', `${base}/x`],
  ['POST', '/connections/productboard'],
  ['POST', '/connections/productboard/refresh'],
  ['POST', '/connections/productboard/invitation'],
  ['DELETE', '/connections/productboard'],
  ['POST', '/logout']
] as const

/** Origins that resemble an allowed one. */
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

const wrongCsrfValues = ['0', '2', '', 'true', '01', '1.0', '1, 1', '1;', '"1"', '+1', '\xb9', '1\t1']

/** Requests that a page of another origin could make a browser send, with the session cookie. */
export function crossOriginRequests(allowedOrigins: readonly string[]): HostileRequest[] {
  const rejected = { status: 403, code: 'csrf_rejected' }
  const variants: Array<[title: string, lines: readonly string[]]> = [
    ...allowedOrigins.flatMap(lookAlikes).map(origin => [`Origin: ${origin}`, ['X-CSRF: 1', `Origin: ${origin}`]] as [string, string[]]),
    ...wrongCsrfValues.map(value => [`X-CSRF: ${value}`, [`X-CSRF: ${value}`]] as [string, string[]]),
    ['X-CSRF twice', ['X-CSRF: 1', 'X-CSRF: 1']],
    ['X_CSRF', ['X_CSRF: 1']],
    ['no X-CSRF', []],
    ['no X-CSRF, from an allowed origin', [`Origin: ${allowedOrigins[0]}`]],
    ['a cross-site fetch', ['X-CSRF: 1', 'Sec-Fetch-Site: cross-site']],
    ['a cross-site fetch from an allowed origin', ['X-CSRF: 1', 'Sec-Fetch-Site: cross-site', `Origin: ${allowedOrigins[0]}`]]
  ]
  const requests = variants.flatMap(([title, lines]) =>
    routes.map(
      ([method, target]): HostileRequest => ({
        title: `${method} ${target} with ${title}`,
        bytes: buildBareRequest({ method, target }, ({ cookie }) => [`Cookie: ${cookie}`, ...lines, 'Content-Length: 0']),
        ...rejected
      })
    )
  )
  const preflights = allowedOrigins.flatMap(lookAlikes).map(
    (origin): HostileRequest => ({
      title: `a preflight from ${origin}`,
      bytes: buildBareRequest({ method: 'OPTIONS' }, () => [`Origin: ${origin}`, 'Access-Control-Request-Method: GET']),
      ...rejected
    })
  )
  return [...requests, ...preflights]
}
