import { Secret } from '../secret.ts'

/** One session's credential at one provider. */
export type Connection = {
  readonly provider: string
  readonly method: 'oauth2' | 'api_key'
  /** `reconnect_required`: the provider no longer honours the grant or key, and only the person can mend that. */
  readonly status: 'connected' | 'reconnect_required'
  /** The access token or API key that calls carry. */
  readonly credential: Secret
  readonly refreshToken?: Secret
  readonly expiresAtMs?: number
  /** From when on the credential is renewed before a call. */
  readonly renewAtMs?: number
  readonly scopes?: readonly string[]
  readonly account?: string
  readonly connectedAtMs: number
  /** How long its access tokens live, where the provider has ever said so. */
  readonly lifetimeMs?: number
  /** Set while renewals fail for reasons that may pass. */
  readonly backoff?: Backoff
  /** Set while it is in doubt: where, in a hash, and when the provider first refused what nothing can renew (`doubts.ts`). */
  readonly firstUnauthorized?: { readonly place: string; readonly atMs: number }
  /** Set when the provider has said 429: no call before. */
  readonly rateLimitedUntilMs?: number
}

export type Backoff = {
  readonly failures: number
  /** No try before. */
  readonly retryAtMs: number
  /** Of the first failure. */
  readonly failingSinceMs: number
  /** Of the first of those that were nothing but refusals of what was sent, while there was no other in between. */
  readonly rejectedSinceMs?: number
  /** It is the operator's client that is refused. */
  readonly isClientRejected?: boolean
}

/** What a token endpoint granted (RFC 6749 §5.1), whatever shape it came in. */
export type Grant = {
  readonly accessToken: Secret
  readonly refreshToken?: Secret
  readonly expiresInMs?: number
  readonly scopes?: readonly string[]
  readonly account?: string
}

const renewAheadMs = 60_000

export function connectionFromGrant(grant: Grant, provider: string, askedScopes: readonly string[], nowMs: number): Connection {
  return {
    provider,
    method: 'oauth2',
    status: 'connected',
    credential: grant.accessToken,
    ...(grant.refreshToken && { refreshToken: grant.refreshToken }),
    ...lifetime(grant.expiresInMs, nowMs, renewAheadMs),
    // RFC 6749 §5.1: an answer without `scope` grants what was asked.
    scopes: grant.scopes ?? askedScopes,
    ...(grant.account !== undefined && { account: grant.account }),
    connectedAtMs: nowMs
  }
}

/** The connection after a refresh. What the response does not say stays as it was; of a lifetime, the time from now on. */
export function applyGrant(connection: Connection, grant: Grant, nowMs: number): Connection {
  const { backoff: _, expiresAtMs: _1, renewAtMs: _2, ...kept } = connection
  const lifetimeMs = grant.expiresInMs ?? connection.lifetimeMs
  // A provider whose tokens live for a minute or less would be asked at every call: another refresh gives no longer one.
  const marginMs = Math.min(renewAheadMs, (lifetimeMs ?? 0) / 2)
  return {
    ...kept,
    credential: grant.accessToken,
    // RFC 6749 §6: no new refresh token means keep the old one.
    ...(grant.refreshToken && { refreshToken: grant.refreshToken }),
    ...lifetime(lifetimeMs, nowMs, marginMs),
    ...(grant.scopes?.length && { scopes: grant.scopes })
  }
}

function lifetime(
  lifetimeMs: number | undefined,
  nowMs: number,
  marginMs: number
): Pick<Connection, 'lifetimeMs' | 'expiresAtMs' | 'renewAtMs'> {
  if (lifetimeMs === undefined) return {}
  const expiresAtMs = nowMs + lifetimeMs
  return { lifetimeMs, expiresAtMs, renewAtMs: expiresAtMs - marginMs }
}

export const isDueForRenewal = (connection: Connection, nowMs: number): boolean =>
  connection.renewAtMs !== undefined && connection.renewAtMs <= nowMs && connection.refreshToken !== undefined

/** No renewal is tried now, since the last ones have failed. */
export const isBackingOff = ({ backoff }: Connection, nowMs: number): boolean => backoff !== undefined && backoff.retryAtMs > nowMs

export const isExpired = (connection: Connection, nowMs: number): boolean =>
  connection.expiresAtMs !== undefined && connection.expiresAtMs <= nowMs

/** There is nothing to renew it with and, as far as we know, no need to: a key, or a grant without a refresh token that has not ended. */
export const needsNoRenewal = (connection: Connection, nowMs: number): boolean =>
  connection.status === 'connected' && connection.refreshToken === undefined && !isExpired(connection, nowMs)

/** When the person has to connect again, where that can be known: with a refresh token the access token's end is not the connection's. */
export const reconnectDueMs = ({ expiresAtMs, refreshToken }: Connection): number | undefined => (refreshToken ? undefined : expiresAtMs)

/** What the store keeps of a connection, before it is sealed: JSON, with the secrets in the clear. */
export function encodeConnection(connection: Connection): Buffer {
  const { credential, refreshToken, ...rest } = connection
  return Buffer.from(JSON.stringify({ ...rest, credential: credential.reveal(), refreshToken: refreshToken?.reveal() }))
}

export function decodeConnection(bytes: Buffer): Connection {
  const { credential, refreshToken, ...rest } = JSON.parse(bytes.toString())
  return { ...rest, credential: new Secret(credential), ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }) }
}
