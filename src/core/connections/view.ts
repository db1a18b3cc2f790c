import type { ProviderSettings } from '../provider/definition.ts'
import type { Session } from '../session.ts'
import type { Connection } from './connection.ts'
import { missingScopes } from './missing-scopes.ts'

/** A connection as `GET /connections` shows it: everything but the credential. Times are RFC 3339 in UTC. */
export type ConnectionView = {
  provider: string
  title: string
  status: 'connected' | 'reconnect_required' | 'disconnected'
  /** How a connection can be made here. */
  methods: Connection['method'][]
  /** How this one was made. */
  method?: Connection['method']
  account?: string
  scopes?: readonly string[]
  /** Asked for and not granted: the person left them out, or they are asked for since. */
  missingScopes?: readonly string[]
  connectedAt?: string
  expiresAt?: string
  lastUsedAt?: string
  /** Since when renewing its access has failed, for reasons that may pass. */
  failingSince?: string
  /**
   * The bases by which the provider's own links name its API: below them an absolute URL is one of `/proxy`. Only where there is a
   * connection, since an operator's own address is nobody else's business.
   */
  apiUrls?: string[]
  connectUrl: string
}

/** What a session holds, as it was read. */
type Held = {
  readonly session: { readonly value: Pick<Session, 'lastUsedMs'> }
  readonly connections: ReadonlyMap<string, { readonly value: Connection }>
}

type Facts = { connection?: Connection | undefined; lastUsedMs?: number | undefined; publicUrl: string }

/** RFC 3339, as all times are told. */
export const timestamp = (ms: number): string => new Date(ms).toISOString()

/** The ways to connect that are on: OAuth by the operator's client, keys by the definition. */
const methodsOf = ({ definition: { methods }, client }: ProviderSettings): Connection['method'][] => [
  ...(methods.oauth2 && client ? (['oauth2'] as const) : []),
  ...(methods.apiKey ? (['api_key'] as const) : [])
]

/** Where a person's browser begins: at the provider's sign-in, or where a key is pasted. */
export const connectUrl = ({ definition: { name }, client }: ProviderSettings, publicUrl: string): string =>
  client ? `${publicUrl}/auth/${name}` : `${publicUrl}/connect/${name}`

const apiUrlsOf = ({ definition: { api } }: ProviderSettings): string[] =>
  // As a browser spells them, so that it can compare.
  [api.baseUrl, ...(api.linkBases ?? [])].map(url => new URL(url).href.replace(/\/$/, ''))

export function connectionView(settings: ProviderSettings, { connection, lastUsedMs, publicUrl }: Facts): ConnectionView {
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
  held: Held | undefined,
  publicUrl: string
): ConnectionView[] =>
  [...providers.values()].map(settings => {
    const { name } = settings.definition
    return connectionView(settings, {
      connection: held?.connections.get(name)?.value,
      lastUsedMs: held?.session.value.lastUsedMs[name],
      publicUrl
    })
  })
