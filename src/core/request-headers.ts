import { GatewayError } from './errors.ts'
import { canonical, connectionNames, hopByHop, isFieldValue, isToken, type RawHeaders } from './header-names.ts'
import { perName } from './per-name.ts'

/** What calls say they come from when their client does not: some vendors answer 403 to a call without it. */
export const userAgent = 'latchkey'

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

const requestName = perName(name => {
  const key = canonical(name)
  return { key, stops: requestStops.has(key) || requestStopPrefixes.some(prefix => key.startsWith(prefix)), isToken: isToken(name) }
})

/**
 * The client's headers that go up, and then ours, which nothing in the client's can remove or double.
 * @param own the credential among them
 * @param withheld further names of the client's that stop
 * @throws {GatewayError} `header_rejected`
 */
export function requestHeaders(
  raw: readonly string[],
  own: Readonly<Record<string, string>>,
  withheld: readonly string[] = []
): RawHeaders {
  const named = connectionNames(raw)
  const ours = [...Object.keys(own), ...withheld].map(name => requestName(name).key)
  const headers: RawHeaders = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    const { key, stops, isToken } = requestName(name)
    if (stops || named?.has(key) || ours.includes(key)) continue
    if (!isToken || !isFieldValue(value))
      throw new GatewayError('header_rejected', `The header ${JSON.stringify(name)} is not one that HTTP allows.`)
    headers.push(name, value)
  }
  for (const [name, value] of Object.entries(own)) headers.push(name, value)
  return headers
}
