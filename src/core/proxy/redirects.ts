import type { Connection } from '../connections/connection.ts'
import type { RawHeaders } from '../guards/header-fields.ts'
import { buildRequestHeaders } from '../guards/request-headers.ts'
import type { Provider } from '../provider/definition.ts'
import { forEachField } from '../util/raw-headers.ts'
import { apiBase, apiLocation } from './api-base.ts'
import { holdsCredential } from './credential.ts'
import type { ForwardResult, ProxiedRequest } from './proxied-request.ts'
import type { ResponseHead, Send, UpstreamResponse } from './upstream.ts'

/** A download is one redirect away, or two behind a mirror. */
const maxRedirects = 5
const redirectStatuses = new Set([301, 302, 303, 307, 308])
/** Headers that a download depends on. No other goes to another host: not the credential, nor anything that an API may use as one. */
const downloadFields = /^(accept(-encoding|-language)?|range|if-[a-z-]+|user-agent)$/i

/** Whether redirects of a request are followed: it is a download, and its definition lists hosts for them. */
export const mayFollowRedirects = ({ provider, method, body }: ProxiedRequest): boolean =>
  provider.api.redirectHosts !== undefined && (method === 'GET' || method === 'HEAD') && body === undefined

/**
 * Follows redirects to the hosts that the definition lists. A browser cannot follow these, since the hosts respond without CORS headers.
 * Any other redirect is the response.
 * @throws {GatewayError} as `Send` does
 */
export async function followRedirects(send: Send, request: ProxiedRequest, first: ForwardResult): Promise<ForwardResult> {
  const { sent, provider, connection } = first
  let url = new URL(sent.path, sent.origin)
  let { response } = first
  for (let redirects = 0; redirects < maxRedirects; redirects++) {
    const target = redirectTarget(provider, connection, url, response)
    if (!target) break
    response.discard()
    url = target
    response = await send({ ...sent, origin: url.origin, path: url.pathname + url.search, headers: downloadHeaders(request) })
  }
  if (response !== first.response) makeUrlsAbsolute(response, url)
  return { ...first, response }
}

function redirectTarget(provider: Provider, connection: Connection, base: URL, { status, headers }: ResponseHead): URL | undefined {
  const { location } = headers
  const url = redirectStatuses.has(status) && typeof location === 'string' ? URL.parse(location, base) : null
  if (url?.username !== '' || url.password !== '' || !isListed(provider, url)) return undefined
  // The client reaches URLs within the API by its /proxy path, with the credential.
  if (apiLocation(provider, url) !== undefined || holdsCredential(url.href, provider, connection)) return undefined
  return url
}

/** Only https; plain http as well where the operator has configured the API with it. */
function isListed(provider: Provider, { protocol, hostname, port }: URL): boolean {
  if (protocol !== 'https:' && !(protocol === 'http:' && apiBase(provider).origin.startsWith('http:'))) return false
  return (provider.api.redirectHosts ?? []).some(entry => {
    const [host = '', requiredPort] = entry.toLowerCase().split(':')
    if (requiredPort !== undefined && requiredPort !== (port || (protocol === 'https:' ? '443' : '80'))) return false
    return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host
  })
}

function downloadHeaders({ rawHeaders }: ProxiedRequest): RawHeaders {
  const headers: RawHeaders = []
  forEachField(buildRequestHeaders(rawHeaders, {}), (name, value) => {
    if (downloadFields.test(name)) headers.push(name, value)
  })
  return headers
}

/** A relative URL from another host would be resolved against the API. */
function makeUrlsAbsolute({ headers }: UpstreamResponse, base: URL): void {
  for (const name of ['location', 'content-location']) {
    const value = headers[name]
    if (typeof value === 'string') headers[name] = URL.parse(value, base)?.href
  }
}
