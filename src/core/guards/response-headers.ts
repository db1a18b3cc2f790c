import { memoizeByName } from '../util/memoize.ts'
import { addConnectionOptions, hopByHopFields, isFieldValue, isToken, type RawHeaders } from './header-fields.ts'

const strippedNames = new Set([
  ...hopByHopFields,
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'strict-transport-security',
  'alt-svc',
  'refresh',
  'www-authenticate',
  'service-worker-allowed',
  // Grantkeeper sets these itself.
  'content-security-policy',
  'x-content-type-options',
  'grantkeeper-error',
  // Policies of the provider's own site.
  'content-security-policy-report-only',
  'x-frame-options',
  'public-key-pins',
  'cross-origin-opener-policy',
  'cross-origin-embedder-policy',
  'cross-origin-resource-policy',
  'origin-agent-cluster',
  'report-to',
  'reporting-endpoints',
  'nel',
  'permissions-policy',
  'referrer-policy',
  'timing-allow-origin',
  // Opt-ins of an origin to newer browser features: sessions, sign-in status, dictionaries, prefetches, client hints.
  'accept-ch',
  'critical-ch',
  'secure-session-challenge',
  'secure-session-registration',
  'sec-session-challenge',
  'sec-session-registration',
  'set-login',
  'sourcemap',
  'speculation-rules',
  'use-as-dictionary',
  'x-sourcemap',
  // Instructions to the proxy or CDN in front of the gateway, which would take them as the gateway's: what to cache, which file to serve.
  'surrogate-control',
  'x-accel-buffering',
  'x-accel-charset',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-redirect',
  'x-lighttpd-send-file',
  'x-reproxy-url',
  'x-sendfile'
])
/** RFC 9213: `CDN-Cache-Control` and similar fields. */
const strippedSuffix = '-cache-control'
const strippedPrefixes = ['proxy-', 'access-control-']

/** Exact names: unlike a server with `_` and `-` in a request (CGI), no browser or cache treats the two alike. */
const isForwarded = memoizeByName(
  name =>
    !strippedNames.has(name) && !name.endsWith(strippedSuffix) && !strippedPrefixes.some(prefix => name.startsWith(prefix)) && isToken(name)
)

const ownHeaders: RawHeaders = [
  'x-content-type-options',
  'nosniff',
  // `frame-ancestors`, because another site's frame would still show a sandboxed page (CSP3 §6.4.2).
  'content-security-policy',
  "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy'
]
/**
 * All by which a request chooses whose response it gets: a browser's own cache must not serve one user or account what another got.
 * X-CSRF is listed so that a response cached for a request with it is not reused for an `<img>` or `<script>` of a sibling subdomain, which
 * sends none.
 */
const ownVary = 'Authorization, Grantkeeper-Connection, Grantkeeper-User, Cookie, Origin, X-CSRF'

/** The pages that may load a response without CORS (Fetch §3.7): of the gateway's origin, of its site, or all of them. */
export type ResourcePolicy = 'same-origin' | 'same-site' | 'cross-origin'

/** Rewrites a URL in a header for the client; `undefined` strips the header. */
export type RewriteUrl = (url: string) => string | undefined

/**
 * The provider's headers that are forwarded to the client, and the gateway's own that make the body harmless on its origin.
 * @param headers lower-case names
 * @param isSecret whether a value must not reach the client; its header is stripped
 */
export function buildResponseHeaders(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  rewriteUrl: RewriteUrl,
  isSecret?: (value: string) => boolean,
  resourcePolicy: ResourcePolicy = 'same-origin'
): RawHeaders {
  const { connection } = headers
  const hopByHop = connection === undefined ? undefined : addConnectionOptions(join(connection))
  const forwarded: RawHeaders = []
  let vary = ownVary
  let cacheControl: string | string[] | undefined
  let contentLength: string | string[] | undefined
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || !isForwarded(name) || hopByHop?.has(name) || !isSendable(value)) continue
    if (isSecret && [value].flat().some(isSecret)) continue
    switch (name) {
      case 'cache-control':
        cacheControl = value
        break
      case 'vary':
        vary = `${join(value)}, ${ownVary}`
        break
      case 'content-length':
        // RFC 9110 §8.6: not allowed in a 204, where it would make the next hop wait for a body.
        if (status !== 204) contentLength = value
        break
      case 'content-type':
        append(forwarded, name, value)
        // Without this, an nginx in front buffers the events of a stream.
        if (isEventStream(value)) forwarded.push('x-accel-buffering', 'no')
        break
      case 'location':
      case 'content-location':
        append(forwarded, name, rewriteUrl(String(value)))
        break
      default:
        append(forwarded, name, value)
    }
  }
  forwarded.push('cache-control', toPrivate(cacheControl), 'vary', vary, ...ownHeaders, resourcePolicy)
  // Last, because node:http reads a Content-Disposition that follows Content-Length as UTF-8, and may throw on it.
  append(forwarded, 'content-length', contentLength)
  return forwarded
}

const isEventStream = (value: string | string[]): boolean => /^text\/event-stream\b/i.test(String(value))

const isSendable = (value: string | string[]): boolean => (typeof value === 'string' ? isFieldValue(value) : value.every(isFieldValue))

function append(headers: RawHeaders, name: string, value: string | string[] | undefined): void {
  if (typeof value === 'string') headers.push(name, value)
  else for (const item of value ?? []) headers.push(name, item)
}

const join = (value: string | string[]): string => (typeof value === 'string' ? value : value.join(', '))

/** A response belongs to one user: no shared cache may store it (RFC 9111 §5.2.2), and a private one only if the provider allows it. */
function toPrivate(value: string | string[] | undefined): string {
  if (value === undefined) return 'private, no-cache'
  // Removes the field names of `no-cache="a, b"`: the bare directive is stricter, and the split below must not meet a quoted comma.
  const directives = [value]
    .flat()
    .join(',')
    .replace(/=?"[^"]*"?/g, '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '' && !/^(public|private|s-maxage|proxy-revalidate)\b/i.test(part))
  return ['private', ...directives].join(', ')
}
