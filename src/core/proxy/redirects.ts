import type { Connection } from '../connections/connection.ts'
import type { RawHeaders } from '../guards/header-fields.ts'
import { buildRequestHeaders } from '../guards/request-headers.ts'
import type { Provider } from '../provider/definition.ts'
import { forEachField } from '../util/raw-headers.ts'
import { apiBase, pathWithinBase } from './api-base.ts'
import { holdsCredential } from './credential.ts'
import type { Exchanged, ProxiedRequest } from './forward.ts'
import type { ResponseHead, Send, UpstreamResponse } from './upstream.ts'

/** A download is one away, or behind a mirror two. */
const maxHops = 5
const redirectStatuses = new Set([301, 302, 303, 307, 308])
/** What a download depends on. Of everything else, a credential and whatever an API may call one, nothing goes to another host. */
const kept = /^(accept(-encoding|-language)?|range|if-[a-z-]+|user-agent)$/i

/** Whether a call may be answered from where the provider sends it: a download, and a definition that names such places. */
export const mayFollowRedirects = ({ provider, method, body }: ProxiedRequest): boolean =>
  provider.api.redirectHosts !== undefined && (method === 'GET' || method === 'HEAD') && body === undefined

/**
 * Follows the provider's redirects to the hosts of its definition: a browser's own fetch may not, since they respond without CORS headers.
 * Any other redirect is the response.
 * @throws {GatewayError} as `Send` does
 */
export async function followRedirects(send: Send, call: ProxiedRequest, { request, connection, response }: Exchanged): Promise<Exchanged> {
  let at = new URL(request.path, request.origin)
  let last = response
  for (let hops = 0; hops < maxHops; hops++) {
    const to = targetOf(call.provider, connection, at, last)
    if (!to) break
    last.discard()
    at = to
    last = await send({ ...request, origin: to.origin, path: to.pathname + to.search, headers: downloadHeaders(call) })
  }
  if (last !== response) makeAddressesAbsolute(last, at)
  return { request, connection, response: last }
}

function targetOf(provider: Provider, connection: Connection, at: URL, { status, headers }: ResponseHead): URL | undefined {
  const { location } = headers
  const url = redirectStatuses.has(status) && typeof location === 'string' ? URL.parse(location, at) : null
  if (url?.username !== '' || url.password !== '' || !isListed(provider, url)) return undefined
  // The client comes there by its /proxy address, with the credential.
  if (pathWithinBase(provider, url) !== undefined || holdsCredential(url.href, connection)) return undefined
  return url
}

/** By https; by plain http where the operator has the API called so as well. */
function isListed(provider: Provider, { protocol, hostname, port }: URL): boolean {
  if (protocol !== 'https:' && !(protocol === 'http:' && apiBase(provider).origin.startsWith('http:'))) return false
  return (provider.api.redirectHosts ?? []).some(entry => {
    const [host = '', onlyPort] = entry.toLowerCase().split(':')
    if (onlyPort !== undefined && onlyPort !== (port || (protocol === 'https:' ? '443' : '80'))) return false
    return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host
  })
}

function downloadHeaders({ rawHeaders }: ProxiedRequest): RawHeaders {
  const headers: RawHeaders = []
  forEachField(buildRequestHeaders(rawHeaders, {}), (name, value) => {
    if (kept.test(name)) headers.push(name, value)
  })
  return headers
}

/** A relative URL of another host would be read as one of the API. */
function makeAddressesAbsolute({ headers }: UpstreamResponse, base: URL): void {
  for (const name of ['location', 'content-location']) {
    const value = headers[name]
    if (typeof value === 'string') headers[name] = URL.parse(value, base)?.href
  }
}
