import { isPathWithin } from '../guards/path.ts'
import type { Provider } from '../provider/definition.ts'

/** The parsed base URL of a provider's API. */
export type ApiBase = {
  readonly origin: string
  /** Without a trailing slash. */
  readonly path: string
  /** The base URL, and others that the API's redirects and links may use for it. */
  readonly aliases: readonly URL[]
}

const bases = new WeakMap<Provider, ApiBase>()

/** `api.baseUrl`, parsed once: every request needs it. */
export function apiBase(provider: Provider): ApiBase {
  let base = bases.get(provider)
  if (!base) {
    const { baseUrl, linkBases = [] } = provider.api
    const aliases = [baseUrl, ...linkBases].map(url => new URL(url))
    const [url] = aliases as [URL]
    base = { origin: url.origin, path: basePath(url), aliases }
    bases.set(provider, base)
  }
  return base
}

/** The part of a URL below the API's base, by any of its aliases; `undefined` for a URL outside of the API. */
export function pathWithinBase(provider: Provider, url: URL): string | undefined {
  for (const alias of apiBase(provider).aliases) {
    const path = basePath(alias)
    if (isSameHost(alias, url) && isPathWithin(url.pathname, path)) return url.pathname.slice(path.length) + url.search + url.hash
  }
  return undefined
}

const basePath = ({ pathname }: URL): string => pathname.replace(/\/$/, '')

/**
 * The same origin, or the same with plain http: a server behind a TLS terminator may write its URLs so. The gateway itself sends requests to
 * the https origin only.
 */
function isSameHost(alias: URL, { protocol, hostname, port, origin }: URL): boolean {
  if (origin === alias.origin) return true
  if (protocol !== 'http:' || alias.protocol !== 'https:' || hostname !== alias.hostname) return false
  return port === '' || port === (alias.port === '' ? '443' : alias.port)
}
