import { isPathWithin } from '../guards/path.ts'
import type { Provider } from '../provider/definition.ts'

/** Where a provider's API is: `origin` as in URLs, `path` without a trailing slash. */
export type ApiBase = {
  readonly origin: string
  readonly path: string /** By these too its own redirects and links may name it. */
  readonly aliases: readonly URL[]
}

const bases = new WeakMap<Provider, ApiBase>()

/** The parts of `api.baseUrl`, parsed once: every call needs them. */
export function apiBase(provider: Provider): ApiBase {
  let base = bases.get(provider)
  if (!base) {
    const { baseUrl, linkBases = [] } = provider.api
    const aliases = [baseUrl, ...linkBases].map(url => new URL(url))
    const [{ origin, pathname }] = aliases as [URL]
    base = { origin, path: pathOf(pathname), aliases }
    bases.set(provider, base)
  }
  return base
}

/** What follows the API's base in a URL that names it or lies below it, by whichever of its names; `undefined` for any other. */
export function pathWithinBase(provider: Provider, url: URL): string | undefined {
  for (const name of apiBase(provider).aliases) {
    const path = pathOf(name.pathname)
    if (isHostOf(name, url) && isPathWithin(url.pathname, path)) return url.pathname.slice(path.length) + url.search + url.hash
  }
  return undefined
}

const pathOf = (pathname: string): string => pathname.replace(/\/$/, '')

/** The same origin; or its plain http, as a server says that does not know of the TLS in front of it. Only we call there, and by https. */
function isHostOf(name: URL, { protocol, hostname, port, origin }: URL): boolean {
  if (origin === name.origin) return true
  if (protocol !== 'http:' || name.protocol !== 'https:' || hostname !== name.hostname) return false
  return port === '' || port === (name.port === '' ? '443' : name.port)
}
