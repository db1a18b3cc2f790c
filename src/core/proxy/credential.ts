import type { Connection } from '../connections/connection.ts'
import { connectionIncomplete } from '../connections/errors.ts'
import { secretsOf } from '../connections/secrets.ts'
import { isPathWithin } from '../guards/path.ts'
import type { Provider } from '../provider/definition.ts'
import type { Placement } from '../provider/request-template.ts'
import { expand, TemplateError, type Variables } from '../provider/template.ts'
import { decodeOnce } from '../util/percent-decoding.ts'
import { splitTarget } from '../util/request-target.ts'
import { apiBase, apiLocation } from './api-base.ts'

/** What is sent: path and query, and the headers that the gateway adds. */
export type AuthorizedTarget = { readonly path: string; readonly headers: Readonly<Record<string, string>> }

const bearer: readonly Placement[] = [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }]

/**
 * Adds a connection's credential where the provider expects it, and the parameters and headers of the definition.
 * @param provider resolved for the connection
 * @param target guarded path and query below the API's base, empty for the base itself; sent byte for byte, apart from what is added
 * @throws {GatewayError} `reconnect_required` when a placement needs a value that the connection was made without
 */
export function applyCredential(provider: Provider, connection: Connection, target: string): AuthorizedTarget {
  const { path, query } = splitTarget(target)
  const { path: basePath } = apiBase(provider)
  // RFC 9112 §3.2.1: a request target is at least a slash.
  const base = basePath === '' && path === '' ? '/' : basePath
  const { headers: apiHeaders = {}, query: apiQuery } = provider.api
  const sent = apiQuery ? `${path}${withParameters(query, Object.entries(apiQuery))}` : target
  const placement = placementsOf(provider, connection).find(p => p.in !== 'path' || isPathWithin(path, p.after))
  const secret = connection.credential.reveal()

  switch (placement?.in) {
    case 'header': {
      const { name, prefix = '', value } = placement
      const field = value === undefined ? `${prefix}${secret}` : expanded('header', value, provider, connection)
      return { path: base + sent, headers: { ...apiHeaders, [name]: field } }
    }
    case 'basic': {
      const { username, password } = placement
      const user = username === undefined ? secret : expanded('text', username, provider, connection)
      const pass = password === undefined ? '' : expanded('text', password, provider, connection)
      return { path: base + sent, headers: { ...apiHeaders, authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}` } }
    }
    case 'query': {
      const all = withParameters(sent.slice(path.length), [[placement.name, secret]])
      return { path: `${base}${path}${all}`, headers: apiHeaders }
    }
    case 'path':
      return {
        path: `${base}${placement.after}/${encodeURIComponent(secret)}${sent.slice(placement.after.length)}`,
        headers: apiHeaders
      }
    default:
      return { path: base + sent, headers: apiHeaders }
  }
}

/** A query with these parameters in place of others of the same names, in whatever spelling. */
function withParameters(query: string, parameters: ReadonlyArray<readonly [name: string, value: string]>): string {
  if (parameters.length === 0) return query
  const pairs = query.length > 1 ? query.slice(1).split('&') : []
  const kept = pairs.filter(pair => !parameters.some(([name]) => parameterName(pair) === name))
  const own = parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return `?${[...kept, ...own].join('&')}`
}

function expanded(kind: 'header' | 'text', template: string, provider: Provider, connection: Connection): string {
  try {
    return expand[kind](template, credentialVariables(connection))
  } catch (error) {
    if (error instanceof TemplateError) throw connectionIncomplete(provider, [error.variable])
    throw error
  }
}

/** What the template of a placement may name. A key that was exchanged for the credential is what renews it. */
function credentialVariables({ method, parameters, values, credential, refreshToken }: Connection): Variables {
  const key = (method === 'api_key' && refreshToken) || credential
  return { ...parameters, ...values, key: key.reveal(), access_token: credential.reveal() }
}

/** Headers in which the provider accepts this credential, for this path or another one: a client's header of that name is stripped. */
export function credentialHeaderNames(provider: Provider, connection: Connection): readonly string[] {
  const placements = placementsOf(provider, connection)
  // A single placement is the one that `applyCredential` uses, whose header replaces the client's anyway.
  return placements.length > 1 ? placements.flatMap(p => (p.in === 'header' ? [p.name] : [])) : []
}

/**
 * Detects the connection's secrets in response headers, for an API that takes one in the URL and may repeat that URL. `undefined` for every
 * other API.
 */
export function credentialDetector(provider: Provider, connection: Connection): ((value: string) => boolean) | undefined {
  const isInUrl = placementsOf(provider, connection).some(p => p.in === 'path' || p.in === 'query') || hasSecretInUrl(provider, connection)
  if (!isInUrl) return undefined
  const secrets = secretsOf(provider, connection)
  return value => holdsAny(value, secrets)
}

/** A secret parameter may be part of every query. */
function hasSecretInUrl(provider: Provider, connection: Connection): boolean {
  const { query } = provider.api
  return query !== undefined && Object.values(query).some(value => holdsCredential(value, provider, connection))
}

const placementsOf = (provider: Provider, { method }: Connection): readonly Placement[] =>
  (method === 'oauth2' ? provider.methods.oauth2?.placements : provider.methods.apiKey?.placements) ?? bearer

/** Decoded as a form parser does it, so that no other spelling of the name stays beside the gateway's parameter. */
const parameterName = (pair: string): string | undefined => new URLSearchParams(pair).keys().next().value

type LocationContext = {
  /** The path and query that were sent. */
  readonly sent: string
  /** Host and port of the gateway. */
  readonly ownHost: string
  /** Of the gateway's routes. */
  readonly basePath?: string
  /** Id of the connection, if the request's path has named it. */
  readonly account?: string | undefined
}

/**
 * Rewrites a provider's `Location` for the client: a URL within the API becomes its `/proxy` path, any other one an absolute URL that the
 * browser follows without the gateway. `undefined` when the client must not see it: it contains a secret, or it points to the
 * gateway's own origin, where a browser that follows it repeats method, body and `X-CSRF` in the user's session.
 */
export function rewriteLocation(
  provider: Provider,
  connection: Connection,
  { sent, ownHost, basePath = '', account }: LocationContext,
  location: string
): string | undefined {
  const url = URL.parse(location, new URL(sent, apiBase(provider).origin))
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  if (holdsCredential(url.href, provider, connection)) return undefined
  const within = apiLocation(provider, url)
  if (!within) return url.host === ownHost ? undefined : url.href
  const { base, below } = within
  return `${basePath}/proxy/${provider.name}${base === undefined ? '' : `~${base}`}${account === undefined ? '' : `@${account}`}${below}`
}

export const holdsCredential = (text: string, provider: Provider, connection: Connection): boolean =>
  holdsAny(text, secretsOf(provider, connection))

const holdsAny = (text: string, secrets: readonly string[]): boolean => secrets.some(secret => holds(text, secret))

/** Also percent-encoded, and encoded again as in a URL within a URL. */
function holds(text: string, secret: string): boolean {
  for (let depth = 0, decoded = text; depth < 5; depth++) {
    if (decoded.includes(secret)) return true
    decoded = decodeOnce(decoded)
  }
  return false
}
