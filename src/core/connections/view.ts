import { hasCode } from '../errors.ts'
import type { Provider, ProviderSettings } from '../provider/definition.ts'
import { baseUrlOf } from '../provider/map-templates.ts'
import type { Parameters } from '../provider/parameter.ts'
import { askedOf, asksUsers } from '../provider/parse-parameters.ts'
import { isResolved } from '../provider/template.ts'
import type { Connection } from './connection.ts'
import { definitionOf, methodOf } from './connection-definition.ts'
import { missingScopes } from './missing-scopes.ts'

/** A connection in the response of `GET /connections`: everything but its secrets. Times are RFC 3339 in UTC. */
export type ConnectionView = {
  /** Set with a connection: names it in requests when the user has several accounts. */
  id?: string
  provider: string
  title: string
  status: 'connected' | 'reconnect_required' | 'disconnected'
  /** How this provider can be connected. */
  methods: Connection['method'][]
  /** How this connection was made. */
  method?: Connection['method']
  account?: string
  /** What the user has given for the provider's parameters and the fields of a key, by their names. Never a secret. */
  parameters?: Readonly<Record<string, string>>
  /** What this connection uses, by `value`, of what the provider lists to choose from: `PUT /connections/PROVIDER/ID/choice` changes it. */
  choice?: { title: string; value: string; options: ReadonlyArray<{ value: string; name: string }> }
  /** Requests that name no account use this one. */
  isDefault?: boolean
  scopes?: readonly string[]
  /** Requested and not granted: the user declined them, or they are requested since. */
  missingScopes?: readonly string[]
  /** Who made this connection if not its user: text for people. */
  connectedBy?: string
  connectedAt?: string
  expiresAt?: string
  lastUsedAt?: string
  /** Since when every renewal has failed, for transient reasons. */
  failingSince?: string
  /**
   * Base URLs of the provider's API in its own links: an absolute URL below one of them can be requested through `/proxy`. Only with a
   * connection, since an operator's own URL is not public.
   */
  apiUrls?: string[]
  /** The same of its other bases, by name: an absolute URL below one of them can be requested through `/proxy/PROVIDER~NAME`. */
  apiBases?: Record<string, string>
  connectUrl: string
}

/** Connections by provider, the default account's first. */
type ConnectionsByProvider = { of(provider: string): ReadonlyArray<{ readonly value: Connection }> }

type ConnectionViewOptions = { connection?: Connection | undefined; isDefault?: boolean; publicUrl: string }

/** RFC 3339, in UTC. */
export const timestamp = (ms: number): string => new Date(ms).toISOString()

/** OAuth needs the operator's client; API keys need only the definition. */
const methodsOf = ({ definition: { methods }, client }: ProviderSettings): Connection['method'][] => [
  ...(methods.oauth2 && client ? (['oauth2'] as const) : []),
  ...(methods.apiKey ? (['api_key'] as const) : [])
]

/** Parameters and fields by which a connection of this method is made, in the order in which users are asked. */
export const askedForMethod = ({ parameters, methods }: Provider, method: Connection['method']): Parameters => ({
  ...askedOf(parameters),
  ...(method === 'api_key' && askedOf(methods.apiKey?.fields))
})

function shownParameters(definition: Provider, { method, parameters = {} }: Connection): Record<string, string> {
  const shown = Object.entries(askedForMethod(definition, method)).filter(
    ([name, { secret }]) => !secret && Object.hasOwn(parameters, name)
  )
  return Object.fromEntries(shown.map(([name]) => [name, parameters[name] as string]))
}

/**
 * The page where the user connects: the provider's sign-in; or ours, with the form for an API key, the choice where there is one, and what users
 * are asked for.
 */
export function connectUrl(settings: ProviderSettings, publicUrl: string): string {
  const methods = methodsOf(settings)
  const isSignIn = methods.length === 1 && methods[0] === 'oauth2' && !asksUsers(settings.definition)
  return `${publicUrl}/${isSignIn ? 'auth' : 'connect'}/${settings.definition.name}`
}

function choiceOf({ definition }: ProviderSettings, connection: Connection): Pick<ConnectionView, 'choice'> {
  const title = methodOf(definition, connection)?.lookup?.choose?.title
  const { choice } = connection
  return choice && title !== undefined ? { choice: { title, ...choice } } : {}
}

/** As they are for this connection. Nothing when it lacks a value that they need: it has to be connected again. */
function apiUrlsOf({ definition }: ProviderSettings, connection: Connection): Pick<ConnectionView, 'apiUrls' | 'apiBases'> {
  try {
    const { baseUrl, linkBases = [], bases } = definitionOf(definition, connection).api
    const known = Object.entries(bases ?? {}).filter(([, base]) => isResolved(baseUrlOf(base)))
    return {
      apiUrls: [baseUrl, ...linkBases.filter(isResolved)].map(normalized),
      ...(known.length > 0 && { apiBases: Object.fromEntries(known.map(([name, base]) => [name, normalized(baseUrlOf(base))])) })
    }
  } catch (error) {
    if (hasCode(error, 'reconnect_required')) return {}
    throw error
  }
}

/** As a browser does it, so that frontends can compare. */
const normalized = (url: string): string => new URL(url).href.replace(/\/$/, '')

export function connectionView(
  settings: ProviderSettings,
  { connection, isDefault = true, publicUrl }: ConnectionViewOptions
): ConnectionView {
  const { name, title } = settings.definition
  const common = { provider: name, title, methods: methodsOf(settings), connectUrl: connectUrl(settings, publicUrl) }
  if (!connection) return { ...common, status: 'disconnected' }
  const { id, status, method, account, scopes, connectedBy, connectedAtMs, lastUsedAtMs, expiresAtMs, backoff } = connection
  const missing = missingScopes(settings.client?.scopes ?? [], connection)
  const parameters = shownParameters(settings.definition, connection)
  return {
    id,
    ...common,
    status,
    method,
    ...(account !== undefined && { account }),
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...choiceOf(settings, connection),
    isDefault,
    ...(scopes && { scopes }),
    ...(missing.length > 0 && { missingScopes: missing }),
    ...(connectedBy !== undefined && { connectedBy }),
    connectedAt: timestamp(connectedAtMs),
    ...(expiresAtMs !== undefined && { expiresAt: timestamp(expiresAtMs) }),
    ...(lastUsedAtMs !== undefined && { lastUsedAt: timestamp(lastUsedAtMs) }),
    ...(backoff?.failingSinceMs !== undefined && { failingSince: timestamp(backoff.failingSinceMs) }),
    ...apiUrlsOf(settings, connection)
  }
}

/** One entry an account; a provider without any has one entry, `disconnected`. */
export const connectionViews = (
  providers: ReadonlyMap<string, ProviderSettings>,
  connections: ConnectionsByProvider | undefined,
  publicUrl: string
): ConnectionView[] =>
  [...providers.values()].flatMap(settings => {
    const ofProvider = connections?.of(settings.definition.name) ?? []
    if (ofProvider.length === 0) return [connectionView(settings, { publicUrl })]
    return ofProvider.map(({ value }, i) => connectionView(settings, { connection: value, isDefault: i === 0, publicUrl }))
  })
