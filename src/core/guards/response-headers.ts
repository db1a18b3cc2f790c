import { memoizeByName } from '../util/memoize.ts'
import { addConnectionOptions, hopByHopFields, isFieldValue, isToken, type RawHeaders } from './header-fields.ts'

const droppedHeaders = new Set([
  ...hopByHopFields,
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'strict-transport-security',
  'alt-svc',
  'refresh',
  'www-authenticate',
  'service-worker-allowed',
  // Set by Grantkeeper for every proxied answer, or about the provider's own site.
  'content-security-policy',
  'content-security-policy-report-only',
  'x-content-type-options',
  'x-frame-options',
  'public-key-pins',
  'grantkeeper-error',
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
  // What newer browsers do for an origin that says so: sessions, sign-in status, dictionaries, prefetches, hints to ask for.
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
  // Orders to the proxy or CDN in front, which would take them for ours: files to send, and caches that do not read Cache-Control.
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
/** RFC 9213: `CDN-Cache-Control` and its kin. */
const targetedCacheControl = '-cache-control'
const droppedPrefixes = ['proxy-', 'access-control-']

const passesBack = memoizeByName(
  name =>
    !droppedHeaders.has(name) &&
    !name.endsWith(targetedCacheControl) &&
    !droppedPrefixes.some(prefix => name.startsWith(prefix)) &&
    isToken(name)
)

const own: RawHeaders = [
  'x-content-type-options',
  'nosniff',
  // A frame of another site would show what `sandbox` leaves of it (CSP3 §6.4.2).
  'content-security-policy',
  "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy'
]
/** X-CSRF as well: what a browser has stored for a call with it must not serve an `<img>` or `<script>` of a sibling subdomain, which has none. */
const ownVary = 'Cookie, Origin, X-CSRF'

/** Who may load a response without CORS (Fetch §3.7): pages of our own origin, or of our own site. */
export type ResourcePolicy = 'same-origin' | 'same-site'

/** What the client is shown of an address that a header names; `undefined` when it must not see the header. */
export type RewriteUrl = (address: string) => string | undefined

/**
 * The provider's headers that reach the client, and those that make its body harmless on our origin.
 * @param headers lower-case names
 * @param isSecret whether a value must not be shown
 */
export function buildResponseHeaders(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  shownAs: RewriteUrl,
  isSecret?: (value: string) => boolean,
  resourcePolicy: ResourcePolicy = 'same-origin'
): RawHeaders {
  const { connection } = headers
  const named = connection === undefined ? undefined : addConnectionOptions(joined(connection))
  const kept: RawHeaders = []
  let vary = ownVary
  let caching: string | string[] | undefined
  let length: string | string[] | undefined
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || !passesBack(name) || named?.has(name) || !isSendable(value)) continue
    if (isSecret && [value].flat().some(isSecret)) continue
    switch (name) {
      case 'cache-control':
        caching = value
        break
      case 'vary':
        vary = `${joined(value)}, ${ownVary}`
        break
      case 'content-length':
        // RFC 9110 §8.6: there is none in a 204, and a length would have the next hop wait for a body.
        if (status !== 204) length = value
        break
      case 'content-type':
        put(kept, name, value)
        // nginx in front would collect the events of a stream before it passes any on.
        if (isEventStream(value)) kept.push('x-accel-buffering', 'no')
        break
      case 'location':
      case 'content-location':
        put(kept, name, shownAs(String(value)))
        break
      default:
        put(kept, name, value)
    }
  }
  kept.push('cache-control', privateCaching(caching), 'vary', vary, ...own, resourcePolicy)
  // At the end: of an answer whose length it knows already, node:http reads a Content-Disposition as UTF-8, and may refuse what it finds.
  put(kept, 'content-length', length)
  return kept
}

const isEventStream = (value: string | string[]): boolean => /^text\/event-stream\b/i.test(String(value))

const isSendable = (value: string | string[]): boolean => (typeof value === 'string' ? isFieldValue(value) : value.every(isFieldValue))

function put(list: RawHeaders, name: string, value: string | string[] | undefined): void {
  if (typeof value === 'string') list.push(name, value)
  else for (const one of value ?? []) list.push(name, one)
}

const joined = (value: string | string[]): string => (typeof value === 'string' ? value : value.join(', '))

/** One person's answer: never for a shared cache (RFC 9111 §5.2.2), and stored unasked by none. */
function privateCaching(value: string | string[] | undefined): string {
  if (value === undefined) return 'private, no-cache'
  // Without the field names of `no-cache="a, b"`: the bare directive is the stricter one, and no comma in quotes is left.
  const kept = [value]
    .flat()
    .join(',')
    .replace(/=?"[^"]*"?/g, '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '' && !/^(public|private|s-maxage|proxy-revalidate)\b/i.test(part))
  return ['private', ...kept].join(', ')
}
