import { GatewayError } from '../errors.ts'
import { type HttpMethod, httpMethods, type Provider } from '../provider/definition.ts'
import { memoizeByName } from '../util/memoize.ts'
import { canonicalName, connectionOptions, hopByHopFields, isFieldValue, isToken, type RawHeaders } from './header-fields.ts'

/** What calls say they come from when their client does not: some vendors answer 403 to a call without it. */
export const userAgent = 'grantkeeper'
const agentName = 'user-agent'

const requestStops = new Set([
  ...hopByHopFields,
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
  // About the page that called, and about a CORS exchange that ends here.
  'origin',
  'referer',
  'access-control-request-method',
  'access-control-request-headers',
  'access-control-request-private-network'
])
const requestStopPrefixes = ['proxy-', 'x-forwarded-', 'sec-']

/** By which many servers take another method for the call's own. */
const methodOverrides = new Set(['x-http-method', 'x-http-method-override', 'x-method-override'])

const requestName = memoizeByName(name => {
  const key = canonicalName(name)
  const stops = requestStops.has(key) || requestStopPrefixes.some(prefix => key.startsWith(prefix))
  return { key, stops, isToken: isToken(name), isOverride: methodOverrides.has(key) }
})

/** The call that headers belong to. */
type Of = { readonly method: HttpMethod; readonly provider: Provider }

/**
 * The client's headers that go up, and then ours, which nothing in the client's can remove or double.
 * @param own the credential among them
 * @param withheld further names of the client's that stop
 * @param call without it no header may ask for another method
 * @throws {GatewayError} `header_rejected`; `method_not_allowed` when a header asks for a method that is not forwarded
 */
export function buildRequestHeaders(
  raw: readonly string[],
  own: Readonly<Record<string, string>>,
  withheld: readonly string[] = [],
  call?: Of
): RawHeaders {
  const named = connectionOptions(raw)
  const ours = [...Object.keys(own), ...withheld].map(name => requestName(name).key)
  const headers: RawHeaders = []
  let hasAgent = ours.includes(agentName)
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    const { key, stops, isToken, isOverride } = requestName(name)
    // Before all that stops one in silence: then the call would go up as what it does not mean to be.
    if (isOverride && !mayOverride(name, value, call)) continue
    if (stops || named?.has(key) || ours.includes(key)) continue
    if (!isToken || !isFieldValue(value))
      throw new GatewayError('header_rejected', `The header ${JSON.stringify(name)} is not one that HTTP allows.`)
    if (key === agentName) {
      if (value === '') continue
      hasAgent = true
    }
    headers.push(name, value)
  }
  if (!hasAgent) headers.push(agentName, userAgent)
  for (const [name, value] of Object.entries(own)) headers.push(name, value)
  return headers
}

/**
 * Whether a header goes up that asks for another method: where the definition lets it, and the method is one that may be forwarded.
 * One that repeats the call's own says nothing, and stops.
 */
function mayOverride(name: string, value: string, call: Of | undefined): boolean {
  const method = value.trim().toUpperCase()
  if (method === call?.method) return false
  const { api, name: provider, title } = call?.provider ?? {}
  if (!api?.methodOverride) {
    const detail = `The header ${JSON.stringify(name)} asks for another method than the call has, and is not forwarded. Make the call with that method.`
    throw new GatewayError('header_rejected', detail, { ...(provider !== undefined && { provider }) })
  }
  const methods: readonly string[] = api.methods ?? httpMethods
  if (methods.includes(method)) return true
  throw new GatewayError('method_not_allowed', `The header ${JSON.stringify(name)} asks for a method that is not forwarded to ${title}.`, {
    ...(provider !== undefined && { provider }),
    allow: methods
  })
}
