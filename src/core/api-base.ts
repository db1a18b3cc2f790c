import type { Provider } from './provider.ts'

/** Where a provider's API is: `origin` as in URLs, `path` without a trailing slash. */
export type ApiBase = { readonly origin: string; readonly path: string }

const bases = new WeakMap<Provider, ApiBase>()

/** The two parts of `api.baseUrl`, parsed once: every call needs them. */
export function apiBase(provider: Provider): ApiBase {
  let base = bases.get(provider)
  if (!base) {
    const { origin, pathname } = new URL(provider.api.baseUrl)
    base = { origin, path: pathname.replace(/\/$/, '') }
    bases.set(provider, base)
  }
  return base
}
