import { GatewayError } from './errors.ts'

/** Raw header list, as node:http gives it: name, value, name, value. */
export type RawHeaders = string[]
export type Headers = Record<string, string | string[]>

// RFC 9110 §7.6.1, and what older servers treat the same.
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'http2-settings'
]

const requestStops = new Set([
  ...hopByHop,
  // The client's own credentials and framing, which are not the provider's business.
  'authorization',
  'cookie',
  'cookie2',
  'content-length',
  'expect',
  'host',
  'x-csrf',
  // What a proxy in front says of the client, or a client pretends one said.
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'client-ip',
  'cf-connecting-ip',
  'x-original-url',
  'x-original-host',
  'x-original-uri',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  // About the page that called, and about a CORS exchange that ends here.
  'origin',
  'referer',
  'access-control-request-method',
  'access-control-request-headers',
  'access-control-request-private-network'
])
const requestStopPrefixes = ['proxy-', 'x-forwarded-', 'sec-']

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

const isToken = (name: string): boolean => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(name)
// undici refuses more than node:http lets in, and a refusal inside its dispatch can cost a connection of the pool.
const isFieldValue = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value)

/** Many servers make `_` and `-` the same (CGI, WSGI), so a look-alike stops where the real name stops. */
const canonical = (name: string): string => name.toLowerCase().replaceAll('_', '-')

/** What a name alone decides. The same few names come again and again; others may not fill the memory. */
function perName<T>(decide: (name: string) => T): (name: string) => T {
  const decided = new Map<string, T>()
  return name => {
    let verdict = decided.get(name)
    if (verdict === undefined) {
      verdict = decide(name)
      if (decided.size < mostNamesRemembered && name.length <= mostCharactersRemembered) decided.set(name, verdict)
    }
    return verdict
  }
}
const mostNamesRemembered = 1_000
const mostCharactersRemembered = 100

const requestName = perName(name => {
  const key = canonical(name)
  return { key, stops: requestStops.has(key) || requestStopPrefixes.some(prefix => key.startsWith(prefix)), isToken: isToken(name) }
})

const passesBack = perName(
  name =>
    !answerStops.has(name) &&
    !name.endsWith(targetedCacheControl) &&
    !answerStopPrefixes.some(prefix => name.startsWith(prefix)) &&
    isToken(name)
)

/**
 * The client's headers that go up, and then ours, which nothing in the client's can remove or double.
 * @param own the credential among them
 * @throws {GatewayError} `header_rejected`
 */
export function requestHeaders(raw: readonly string[], own: Readonly<Record<string, string>>): RawHeaders {
  const named = connectionNames(raw)
  const ours = new Set(Object.keys(own).map(name => requestName(name).key))
  const headers: RawHeaders = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    const { key, stops, isToken } = requestName(name)
    if (stops || named?.has(key) || ours.has(key)) continue
    if (!isToken || !isFieldValue(value))
      throw new GatewayError('header_rejected', `The header ${JSON.stringify(name)} is not one that HTTP allows.`)
    headers.push(name, value)
  }
  for (const [name, value] of Object.entries(own)) headers.push(name, value)
  return headers
}

/** Names that `Connection` lists: they belong to this hop (RFC 9110 §7.6.1). */
function connectionNames(raw: readonly string[]): Set<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const value = raw[i + 1] as string
    if (requestName(raw[i] as string).key !== 'connection' || value === 'keep-alive' || value === 'close') continue
    names ??= new Set()
    for (const name of value.split(',')) names.add(canonical(name.trim()))
  }
  return names
}

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
