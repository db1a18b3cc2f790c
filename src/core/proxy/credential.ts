import type { Connection } from '../connections/connection.ts'
import { decodeOnce, isPathWithin } from '../guards/path.ts'
import type { Provider } from '../provider/definition.ts'
import type { Placement } from '../provider/request-template.ts'
import { splitTarget } from '../util/request-target.ts'
import { apiBase, pathWithinBase } from './api-base.ts'

/** What is sent: path and query, and the headers that the gateway adds. */
export type AuthorizedTarget = { readonly path: string; readonly headers: Readonly<Record<string, string>> }

const bearer: readonly Placement[] = [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }]

/**
 * Adds a connection's credential where the provider expects it.
 * @param target guarded path and query below the API's base, empty for the base itself; sent byte for byte, apart from the credential
 */
export function applyCredential(provider: Provider, connection: Connection, target: string): AuthorizedTarget {
  const { path, query } = splitTarget(target)
  const { path: basePath } = apiBase(provider)
  // RFC 9112 §3.2.1: a request target is at least a slash.
  const base = basePath === '' && path === '' ? '/' : basePath
  const apiHeaders = provider.api.headers ?? {}
  const placement = placementsOf(provider, connection).find(p => p.in !== 'path' || isPathWithin(path, p.after))
  const secret = connection.credential.reveal()

  switch (placement?.in) {
    case 'header':
      return { path: base + target, headers: { ...apiHeaders, [placement.name]: `${placement.prefix ?? ''}${secret}` } }
    case 'basic':
      return { path: base + target, headers: { ...apiHeaders, authorization: `Basic ${Buffer.from(`${secret}:`).toString('base64')}` } }
    case 'query': {
      const pairs = query.length > 1 ? query.slice(1).split('&') : []
      const others = pairs.filter(pair => parameterName(pair) !== placement.name)
      const own = `${encodeURIComponent(placement.name)}=${encodeURIComponent(secret)}`
      return { path: `${base}${path}?${[...others, own].join('&')}`, headers: apiHeaders }
    }
    case 'path':
      return {
        path: `${base}${placement.after}/${encodeURIComponent(secret)}${path.slice(placement.after.length)}${query}`,
        headers: apiHeaders
      }
    default:
      return { path: base + target, headers: apiHeaders }
  }
}

/** Headers in which the provider accepts this credential, for this path or another one: a client's header of that name is stripped. */
export function credentialHeaderNames(provider: Provider, connection: Connection): readonly string[] {
  const placements = placementsOf(provider, connection)
  // A single placement is the one that `applyCredential` uses, whose header replaces the client's anyway.
  return placements.length > 1 ? placements.flatMap(p => (p.in === 'header' ? [p.name] : [])) : []
}

/**
 * Detects the credential in response headers, for an API that takes it in the URL and may repeat that URL. `undefined` for every other
 * API.
 */
export function credentialDetector(provider: Provider, connection: Connection): ((value: string) => boolean) | undefined {
  const isInUrl = placementsOf(provider, connection).some(p => p.in === 'path' || p.in === 'query')
  return isInUrl ? value => holdsCredential(value, connection) : undefined
}

const placementsOf = (provider: Provider, { method }: Connection): readonly Placement[] =>
  (method === 'oauth2' ? provider.methods.oauth2?.placements : provider.methods.apiKey?.placements) ?? bearer

/** Decoded as a form parser does it, so that no other spelling of the name stays beside the gateway's parameter. */
const parameterName = (pair: string): string | undefined => new URLSearchParams(pair).keys().next().value

/**
 * Rewrites a provider's `Location` for the client: a URL within the API becomes its `/proxy` path, any other one an absolute URL that the
 * browser follows without the gateway. `undefined` when the client must not see it: it contains the credential, or it points to the
 * gateway's own origin, where a browser that follows it repeats method, body and `X-CSRF` in the user's session.
 * @param sent the path and query that were sent
 * @param ownHost host and port of the gateway
 * @param basePath of the gateway's routes
 */
export function rewriteLocation(
  provider: Provider,
  connection: Connection,
  { sent, ownHost, basePath = '' }: { sent: string; ownHost: string; basePath?: string },
  location: string
): string | undefined {
  const base = apiBase(provider)
  const url = URL.parse(location, new URL(sent, base.origin))
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  if (holdsCredential(url.href, connection)) return undefined
  const below = pathWithinBase(provider, url)
  if (below !== undefined) return `${basePath}/proxy/${provider.name}${below}`
  return url.host === ownHost ? undefined : url.href
}

export const holdsCredential = (text: string, { credential }: Connection): boolean => holds(text, credential.reveal())

/** Also percent-encoded, and encoded again as in a URL within a URL. */
function holds(text: string, secret: string): boolean {
  for (let depth = 0, decoded = text; depth < 5; depth++) {
    if (decoded.includes(secret)) return true
    decoded = decodeOnce(decoded)
  }
  return false
}
