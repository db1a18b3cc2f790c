import { GatewayError } from '../errors.ts'
import { type HttpMethod, httpMethods, type Provider } from '../provider/definition.ts'
import { memoizeByName } from '../util/memoize.ts'
import { canonicalName, connectionOptions, hopByHopFields, isFieldValue, isToken, type RawHeaders } from './header-fields.ts'

/** The User-Agent of requests whose client sends none: some vendors respond with 403 to a request without one. */
export const userAgent = 'grantkeeper'

const strippedNames = new Set([
  ...hopByHopFields,
  // The client's own credentials and framing, which do not concern the provider.
  'authorization',
  'cookie',
  'cookie2',
  'content-length',
  'expect',
  'host',
  'x-csrf',
  // About the user and the account, which the gateway alone decides.
  'grantkeeper-user',
  'grantkeeper-connection',
  // Set by a proxy in front of the gateway, or forged by a client.
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
  // About the page that sent the request, and about a CORS exchange that ends at the gateway.
  'origin',
  'referer',
  'access-control-request-method',
  'access-control-request-headers',
  'access-control-request-private-network'
])
const strippedPrefixes = ['proxy-', 'x-forwarded-', 'sec-']

/** Many servers take the method of a request from these. */
const methodOverrides = new Set(['x-http-method', 'x-http-method-override', 'x-method-override'])

const classify = memoizeByName(name => {
  const key = canonicalName(name)
  const isStripped = strippedNames.has(key) || strippedPrefixes.some(prefix => key.startsWith(prefix))
  return { key, isStripped, isToken: isToken(name), isMethodOverride: methodOverrides.has(key) }
})

/** What decides whether a header may override the method. */
type RequestPolicy = { readonly method: HttpMethod; readonly provider: Provider }

/**
 * The client's headers that are forwarded, followed by the gateway's own, which no client header can remove or duplicate.
 * @param own the gateway's headers, the credential among them
 * @param stripped further names to strip from the client's headers
 * @param request if omitted, no header may override the method
 * @throws {GatewayError} `header_rejected`; `method_not_allowed` if a header asks for a method that is not forwarded
 */
export function buildRequestHeaders(
  raw: readonly string[],
  own: Readonly<Record<string, string>>,
  stripped: readonly string[] = [],
  request?: RequestPolicy
): RawHeaders {
  const hopByHop = connectionOptions(raw)
  const reserved = [...Object.keys(own), ...stripped].map(name => classify(name).key)
  const headers: RawHeaders = []
  let hasUserAgent = reserved.includes('user-agent')
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    const { key, isStripped, isToken, isMethodOverride } = classify(name)
    // Checked before anything is stripped: a request without its override header would run with a method that the client did not mean.
    if (isMethodOverride && !isOverrideForwarded(name, value, request)) continue
    if (isStripped || hopByHop?.has(key) || reserved.includes(key)) continue
    if (!isToken || !isFieldValue(value))
      throw new GatewayError('header_rejected', `The header ${JSON.stringify(name)} is not valid in HTTP.`)
    if (key === 'user-agent') {
      if (value === '') continue
      hasUserAgent = true
    }
    headers.push(name, value)
  }
  if (!hasUserAgent) headers.push('user-agent', userAgent)
  for (const [name, value] of Object.entries(own)) headers.push(name, value)
  return headers
}

/**
 * Whether a method override is forwarded: the definition must allow it, and the method must be one that is forwarded. An override that
 * repeats the request's own method is stripped.
 */
function isOverrideForwarded(name: string, value: string, request: RequestPolicy | undefined): boolean {
  const method = value.trim().toUpperCase()
  if (method === request?.method) return false
  const { api, name: provider, title } = request?.provider ?? {}
  if (!api?.methodOverride) {
    const detail = `The header ${JSON.stringify(name)} asks for another method than the request has, and is not forwarded. Send the request with that method.`
    throw new GatewayError('header_rejected', detail, { ...(provider !== undefined && { provider }) })
  }
  const methods: readonly string[] = api.methods ?? httpMethods
  if (methods.includes(method)) return true
  throw new GatewayError('method_not_allowed', `The header ${JSON.stringify(name)} asks for a method that is not forwarded to ${title}.`, {
    ...(provider !== undefined && { provider }),
    allow: methods
  })
}
