import { connectionNames, hopByHop, isFieldValue, isToken, perName } from './header-names.ts'

export type Headers = Record<string, string | string[]>

const answerStops = new Set([
  ...hopByHop,
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'strict-transport-security',
  'alt-svc',
  'refresh',
  'www-authenticate',
  'service-worker-allowed',
  // Set by Latchkey for every proxied answer, or about the provider's own site.
  'content-security-policy',
  'content-security-policy-report-only',
  'x-content-type-options',
  'x-frame-options',
  'public-key-pins',
  'latchkey-error',
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
const answerStopPrefixes = ['proxy-', 'access-control-']

const passesBack = perName(
  name =>
    !answerStops.has(name) &&
    !name.endsWith(targetedCacheControl) &&
    !answerStopPrefixes.some(prefix => name.startsWith(prefix)) &&
    isToken(name)
)

const owned: Headers = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'"
}

/**
 * The provider's headers that reach the client, and those that make its body harmless on our origin.
 * @param headers lower-case names
 */
export function answerHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const named = connectionNames([headers.connection ?? []].flat().flatMap(value => ['connection', value]))
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || named?.has(name)) continue
    if (!passesBack(name) || !(Array.isArray(value) ? value.every(isFieldValue) : isFieldValue(value))) continue
    kept[name] = value
  }
  kept['cache-control'] = privateCaching(kept['cache-control'])
  kept.vary = [kept.vary ?? [], 'Cookie, Origin'].flat().join(', ')
  return Object.assign(kept, owned)
}

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
