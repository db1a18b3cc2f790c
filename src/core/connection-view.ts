import type { Connection } from './connection.ts'
import type { Provider, ProviderSettings } from './provider.ts'
import type { Held } from './vault.ts'

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
  connectedAt?: string
  expiresAt?: string
  lastUsedAt?: string
  connectUrl: string
}

type Facts = { connection?: Connection | undefined; lastUsedMs?: number | undefined; connectUrl: string }

const timestamp = (ms: number): string => new Date(ms).toISOString()

export function describe(provider: Provider, { connection, lastUsedMs, connectUrl }: Facts): ConnectionView {
  const { name, title } = provider
  const common = { provider: name, title, methods: ['oauth2' as const], connectUrl }
  if (!connection) return { ...common, status: 'disconnected' }
  const { status, method, account, scopes, connectedAtMs, expiresAtMs } = connection
  return {
    ...common,
    status,
    method,
    ...(account !== undefined && { account }),
    ...(scopes && { scopes }),
    connectedAt: timestamp(connectedAtMs),
    ...(expiresAtMs !== undefined && { expiresAt: timestamp(expiresAtMs) }),
    ...(lastUsedMs !== undefined && { lastUsedAt: timestamp(lastUsedMs) })
  }
}

export const describeConnections = (
  providers: ReadonlyMap<string, ProviderSettings>,
  held: Held | undefined,
  connectUrl: (name: string) => string
): ConnectionView[] =>
  [...providers.values()].map(({ definition }) =>
    describe(definition, {
      connection: held?.connections.get(definition.name)?.value,
      lastUsedMs: held?.session.value.lastUsedMs[definition.name],
      connectUrl: connectUrl(definition.name)
    })
  )
