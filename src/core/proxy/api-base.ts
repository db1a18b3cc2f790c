import { connectionIncomplete } from '../connections/errors.ts'
import { GatewayError } from '../errors.ts'
import { isPathWithin } from '../guards/path.ts'
import type { ApiBase as ApiBaseDefinition, Provider } from '../provider/definition.ts'
import { baseUrlOf } from '../provider/map-templates.ts'
import { isResolved, variablesIn } from '../provider/template.ts'
import { didYouMean } from '../util/nearest-name.ts'

/** The parsed base URL of a provider's API. */
export type ApiBase = {
  readonly origin: string
  /** Without a trailing slash. */
  readonly path: string
  /** The base URL first, then others that the API's redirects and links may use for the same API or another base of it. */
  readonly aliases: readonly Alias[]
}

/** A URL of the API, and the base to which it belongs: `undefined` for `api.baseUrl`. */
type Alias = { readonly url: URL; readonly base: string | undefined }

/** Where in the API a URL is. */
export type ApiLocation = {
  readonly base: string | undefined
  /** Path, query and fragment below the base. */
  readonly below: string
}

const parsed = new WeakMap<Provider, ApiBase>()
const derived = new WeakMap<Provider, Map<string, Provider>>()

/** The base of the API, parsed once: every request needs it. */
export function apiBase(provider: Provider): ApiBase {
  let base = parsed.get(provider)
  if (!base) {
    base = parse(provider, undefined)
    parsed.set(provider, base)
  }
  return base
}

/**
 * The definition as it is for one of its bases: with that URL and the placements of that base, so that neither reaches another host.
 * @param provider resolved for a connection
 * @returns the same object for the same base; the definition itself without one
 * @throws {GatewayError} `provider_unknown`, naming the bases that there are; `reconnect_required` when the base needs a value that the connection
 * was made without
 */
export function withBase(provider: Provider, base: string | undefined): Provider {
  if (base === undefined) return provider
  let ofProvider = derived.get(provider)
  if (!ofProvider) {
    ofProvider = new Map()
    derived.set(provider, ofProvider)
  }
  let result = ofProvider.get(base)
  if (!result) {
    result = derive(provider, base)
    ofProvider.set(base, result)
    parsed.set(result, parse(provider, base))
  }
  return result
}

/** @throws {GatewayError} `provider_unknown` unless the definition has the base */
export function assertHasBase({ name, title, api: { bases = {} } }: Provider, base: string | undefined): void {
  if (base === undefined || Object.hasOwn(bases, base)) return
  const names = Object.keys(bases)
  const there = names.length === 0 ? `${title} has one base alone: /proxy/${name}` : `There are: ${names.join(', ')}`
  throw new GatewayError('provider_unknown', `${title} has no base of this name. ${there}.${didYouMean(base, names)}`, { provider: name })
}

function derive(provider: Provider, name: string): Provider {
  assertHasBase(provider, name)
  const { bases = {}, linkBases: _, ...api } = provider.api
  const base = bases[name] ?? ''
  const missing = variablesIn(baseUrlOf(base))
  if (missing.length > 0) throw connectionIncomplete(provider, missing)
  return { ...provider, api: { ...api, baseUrl: baseUrlOf(base) }, methods: methodsAt(provider, base) }
}

/** The methods as they place the credential at a base. */
function methodsAt({ methods }: Provider, base: ApiBaseDefinition | undefined): Provider['methods'] {
  const placements = typeof base === 'object' ? base.placements : undefined
  if (!placements) return methods
  const { oauth2, apiKey } = methods
  return { ...(oauth2 && { oauth2: { ...oauth2, placements } }), ...(apiKey && { apiKey: { ...apiKey, placements } }) }
}

/** The definition as it is for a URL that the gateway requests itself: with the placements of the base below which that is. */
export function withOrigin(provider: Provider, url: URL): Provider {
  const { bases = {}, linkBases: _, ...api } = provider.api
  // Another base may not be known yet, before a look-up.
  const declared = Object.values(bases).find(base => {
    const at = URL.parse(baseUrlOf(base))
    return at?.origin === url.origin && isPathWithin(url.pathname, basePath(at))
  })
  return { ...provider, api: { ...api, baseUrl: url.origin }, methods: methodsAt(provider, declared) }
}

function parse({ api: { baseUrl, linkBases = [], bases = {} } }: Provider, own: string | undefined): ApiBase {
  const main = [baseUrl, ...linkBases.filter(isResolved)].map(url => ({ url: new URL(url), base: undefined }))
  const known = Object.entries(bases).filter(([, declared]) => isResolved(baseUrlOf(declared)))
  const others = known.map(([base, declared]) => ({ url: new URL(baseUrlOf(declared)), base }))
  // A URL below two bases belongs to the longer one, and in any case to the base itself from which a response comes.
  const byLength = [...main, ...others].sort((a, b) => b.url.pathname.length - a.url.pathname.length)
  const isOwn = ({ base }: Alias) => base === own
  const aliases = [...(own === undefined ? main : others.filter(isOwn)), ...byLength.filter(alias => !isOwn(alias))]
  const [{ url }] = aliases as [Alias]
  return { origin: url.origin, path: basePath(url), aliases }
}

/** Where in the API a URL is, by any of its aliases; `undefined` for a URL outside of the API. */
export function apiLocation(provider: Provider, url: URL): ApiLocation | undefined {
  for (const { url: alias, base } of apiBase(provider).aliases) {
    const path = basePath(alias)
    if (isSameHost(alias, url) && isPathWithin(url.pathname, path))
      return { base, below: url.pathname.slice(path.length) + url.search + url.hash }
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
