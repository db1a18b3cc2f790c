import type { Connection } from '../connections/connection.ts'
import { decodeOnce, isPathWithin } from '../guards/path.ts'
import type { Placement, Provider } from '../provider/definition.ts'
import { splitTarget } from '../util/request-target.ts'
import { apiBase, pathWithinBase } from './api-base.ts'

/** What goes up: the path and query as sent, and the headers that are ours. */
export type AuthorizedTarget = { readonly path: string; readonly headers: Readonly<Record<string, string>> }

const bearer: readonly Placement[] = [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }]

/**
 * Puts a connection's credential where the provider wants it.
 * @param target guarded path and query below the API's base, or none for the base itself; it goes up byte for byte but for what the
 * placement adds
 */
export function applyCredential(provider: Provider, connection: Connection, target: string): AuthorizedTarget {
  const { path, query } = splitTarget(target)
  const { path: basePath } = apiBase(provider)
  // RFC 9112 §3.2.1: a request target has a slash at least.
  const base = basePath === '' && path === '' ? '/' : basePath
  const fixed = provider.api.headers ?? {}
  const placement = placementsOf(provider, connection).find(p => p.in !== 'path' || isPathWithin(path, p.after))
  const secret = connection.credential.reveal()

  switch (placement?.in) {
    case 'header':
      return { path: base + target, headers: { ...fixed, [placement.name]: `${placement.prefix ?? ''}${secret}` } }
    case 'basic':
      return { path: base + target, headers: { ...fixed, authorization: `Basic ${Buffer.from(`${secret}:`).toString('base64')}` } }
    case 'query': {
      const pairs = query.length > 1 ? query.slice(1).split('&') : []
      const others = pairs.filter(pair => parameterName(pair) !== placement.name)
      const own = `${encodeURIComponent(placement.name)}=${encodeURIComponent(secret)}`
      return { path: `${base}${path}?${[...others, own].join('&')}`, headers: fixed }
    }
    case 'path':
      return {
        path: `${base}${placement.after}/${encodeURIComponent(secret)}${path.slice(placement.after.length)}${query}`,
        headers: fixed
      }
    default:
      return { path: base + target, headers: fixed }
  }
}

/** Headers in which the provider takes this credential, here or elsewhere in its API: a client's own of such a name does not go up beside ours. */
export function credentialHeaderNames(provider: Provider, connection: Connection): readonly string[] {
  const placements = placementsOf(provider, connection)
  // Where there is one placement, the name is that of the header which is put on.
  return placements.length > 1 ? placements.flatMap(p => (p.in === 'header' ? [p.name] : [])) : []
}

/**
 * For an API that takes its credential in addresses, and may repeat them: whether a header of its answer holds it. `undefined` for
 * every other API.
 */
export function credentialDetector(provider: Provider, connection: Connection): ((value: string) => boolean) | undefined {
  const isInAddresses = placementsOf(provider, connection).some(p => p.in === 'path' || p.in === 'query')
  return isInAddresses ? value => holdsCredential(value, connection) : undefined
}

const placementsOf = (provider: Provider, { method }: Connection): readonly Placement[] =>
  (method === 'oauth2' ? provider.methods.oauth2?.placements : provider.methods.apiKey?.placements) ?? bearer

/** As a form decoder reads it, so that no spelling of the name stands beside ours. */
const parameterName = (pair: string): string | undefined => new URLSearchParams(pair).keys().next().value

/**
 * A `Location` of the provider, for the client: inside the API it becomes its `/proxy` address, anywhere else an absolute
 * URL that the browser may follow without us. `undefined` when it must not be shown: because it holds the credential, or because it
 * leads to our own origin, where a browser that follows it acts in the person's name, with method, body and `X-CSRF` as before.
 * @param sent the path and query that were sent
 * @param ownHost of our own address, with its port
 */
export function rewriteLocation(
  provider: Provider,
  connection: Connection,
  { sent, ownHost }: { sent: string; ownHost: string },
  location: string
): string | undefined {
  const base = apiBase(provider)
  const url = URL.parse(location, new URL(sent, base.origin))
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  if (holdsCredential(url.href, connection)) return undefined
  const below = pathWithinBase(provider, url)
  if (below !== undefined) return `/proxy/${provider.name}${below}`
  return url.host === ownHost ? undefined : url.href
}

export const holdsCredential = (written: string, { credential }: Connection): boolean => holds(written, credential.reveal())

/** Also encoded, and encoded again as in a URL within a URL. */
function holds(written: string, secret: string): boolean {
  for (let depth = 0, text = written; depth < 5; depth++) {
    if (text.includes(secret)) return true
    text = decodeOnce(text)
  }
  return false
}
