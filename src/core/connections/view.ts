import type { ProviderSettings } from '../provider/definition.ts'
import type { Session } from '../session.ts'
import type { Connection } from './connection.ts'
import { missingScopes } from './missing-scopes.ts'

/** A connection in the response of `GET /connections`: everything but its secrets. Times are RFC 3339 in UTC. */
export type ConnectionView = {
  provider: string
  title: string
  status: 'connected' | 'reconnect_required' | 'disconnected'
  /** How this provider can be connected. */
  methods: Connection['method'][]
  /** How this connection was made. */
  method?: Connection['method']
  account?: string
  scopes?: readonly string[]
  /** Requested and not granted: the user declined them, or they are requested since. */
  missingScopes?: readonly string[]
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
  connectUrl: string
}

/** A session with its connections by provider. */
type SessionConnections = {
  readonly session: { readonly value: Pick<Session, 'lastUsedMs'> }
  readonly connections: ReadonlyMap<string, { readonly value: Connection }>
}

type ConnectionViewOptions = { connection?: Connection | undefined; lastUsedMs?: number | undefined; publicUrl: string }

/** RFC 3339, in UTC. */
export const timestamp = (ms: number): string => new Date(ms).toISOString()

/** OAuth needs the operator's client; API keys need only the definition. */
const methodsOf = ({ definition: { methods }, client }: ProviderSettings): Connection['method'][] => [
  ...(methods.oauth2 && client ? (['oauth2'] as const) : []),
  ...(methods.apiKey ? (['api_key'] as const) : [])
]

/** The page where the user connects: the provider's sign-in, or the form for an API key. */
export const connectUrl = ({ definition: { name }, client }: ProviderSettings, publicUrl: string): string =>
  client ? `${publicUrl}/auth/${name}` : `${publicUrl}/connect/${name}`

const apiUrlsOf = ({ definition: { api } }: ProviderSettings): string[] =>
  // Normalized as a browser does it, so that frontends can compare.
  [api.baseUrl, ...(api.linkBases ?? [])].map(url => new URL(url).href.replace(/\/$/, ''))

export function connectionView(settings: ProviderSettings, { connection, lastUsedMs, publicUrl }: ConnectionViewOptions): ConnectionView {
  const { name, title } = settings.definition
  const common = { provider: name, title, methods: methodsOf(settings), connectUrl: connectUrl(settings, publicUrl) }
  if (!connection) return { ...common, status: 'disconnected' }
  const { status, method, account, scopes, connectedAtMs, expiresAtMs, backoff } = connection
  const missing = missingScopes(settings.client?.scopes ?? [], connection)
  return {
    ...common,
    status,
    method,
    ...(account !== undefined && { account }),
    ...(scopes && { scopes }),
    ...(missing.length > 0 && { missingScopes: missing }),
    connectedAt: timestamp(connectedAtMs),
    ...(expiresAtMs !== undefined && { expiresAt: timestamp(expiresAtMs) }),
    ...(lastUsedMs !== undefined && { lastUsedAt: timestamp(lastUsedMs) }),
    ...(backoff?.failingSinceMs !== undefined && { failingSince: timestamp(backoff.failingSinceMs) }),
    apiUrls: apiUrlsOf(settings)
  }
}

export const connectionViews = (
  providers: ReadonlyMap<string, ProviderSettings>,
  opened: SessionConnections | undefined,
  publicUrl: string
): ConnectionView[] =>
  [...providers.values()].map(settings => {
    const { name } = settings.definition
    return connectionView(settings, {
      connection: opened?.connections.get(name)?.value,
      lastUsedMs: opened?.session.value.lastUsedMs[name],
      publicUrl
    })
  })
