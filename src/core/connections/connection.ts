import { randomBytes } from 'node:crypto'
import type { Variables } from '../provider/template.ts'
import { Secret } from '../secret.ts'
import { touchIntervalMs } from '../session.ts'
import type { Choice } from './choice.ts'

/** An owner's credential for one account at one provider, with its state. */
export type Connection = {
  /** Public, and unique among the owner's connections. It stays when the same account is connected again. */
  readonly id: string
  readonly provider: string
  readonly method: 'oauth2' | 'api_key'
  /** `reconnect_required`: the provider no longer accepts the grant or key, and the user has to connect again. */
  readonly status: 'connected' | 'reconnect_required'
  /** The access token or API key that proxied requests carry. */
  readonly credential: Secret
  /**
   * What gets another access token: the refresh token; the key that the credential was exchanged for; or the credential itself, where the vendor
   * renews an access token with itself.
   */
  readonly refreshToken?: Secret
  readonly expiresAtMs?: number
  /** From then on the credential is renewed before a request is proxied. */
  readonly renewAtMs?: number
  readonly scopes?: readonly string[]
  /** What the user has given for the definition's parameters and a key's fields, the key itself excepted. Some are secrets. */
  readonly parameters?: Variables
  /** What was learnt when it was made (`LearntValue`). Some are secrets. */
  readonly values?: Variables
  /** What the definition's look-up lists to choose from. */
  readonly choice?: Choice
  /** The account's name at the provider, for people. */
  readonly account?: string
  /** The account's id at the provider, which a renaming does not change. Only compared with another one, never shown. */
  readonly accountId?: string
  /** Who made it if not the owner, as `connected-by.ts` words it. */
  readonly connectedBy?: string
  readonly connectedAtMs: number
  /** When a request was last proxied with it, to the precision of `touchIntervalMs`. */
  readonly lastUsedAtMs?: number
  /** The lifetime of its access tokens, if the provider has ever given one. */
  readonly lifetimeMs?: number
  /** Set while renewals fail for transient reasons. */
  readonly backoff?: Backoff
  /** Set while a credential without renewal may have ended: where (hashed) and when it was first rejected (`unauthorized-check.ts`). */
  readonly firstUnauthorized?: { readonly place: string; readonly atMs: number }
  /** Set by a 429 of the provider: no request is proxied before. */
  readonly rateLimitedUntilMs?: number
}

export type Backoff = {
  readonly failures: number
  /** No renewal is attempted before. */
  readonly retryAtMs: number
  /** Time of the first failure. */
  readonly failingSinceMs: number
  /** Since when every failure has been a rejection of what was sent. */
  readonly rejectedSinceMs?: number
  /** The provider rejects the operator's OAuth client. */
  readonly isClientRejected?: boolean
}

/** A token response (RFC 6749 §5.1), independent of the provider's format. */
export type Grant = {
  readonly accessToken: Secret
  readonly refreshToken?: Secret
  readonly expiresInMs?: number
  /** In place of a lifetime, from vendors that give the time. Milliseconds since the epoch. */
  readonly expiresAtMs?: number
  readonly scopes?: readonly string[]
  /** As in `Connection`. */
  readonly values?: Variables
  /** The names of values in the response to a refresh that had another form than they must. The connection keeps its own. */
  readonly ignoredValues?: readonly string[]
  readonly account?: string
  readonly accountId?: string
}

/** A year. A longer lifetime is a mistake, and could overflow a date. */
export const maxLifetimeMs = 366 * 24 * 3600_000

/** Access tokens are renewed this long before they expire. */
const renewalMarginMs = 60_000

/** 128 random bits, base64url. */
export const newConnectionId = (): string => randomBytes(16).toString('base64url')

export function connectionFromGrant(grant: Grant, provider: string, requestedScopes: readonly string[], nowMs: number): Connection {
  // RFC 6749 §5.1: a token response without `scope` grants the requested scopes.
  return { ...connectionWith(grant, provider, nowMs), method: 'oauth2', scopes: grant.scopes ?? requestedScopes }
}

/** @param grant what the key was exchanged for */
export const connectionFromKey = (grant: Grant, provider: string, parameters: Variables | undefined, nowMs: number): Connection => ({
  ...connectionWith(grant, provider, nowMs),
  method: 'api_key',
  ...(grant.scopes && { scopes: grant.scopes }),
  ...(parameters && { parameters })
})

function connectionWith(grant: Grant, provider: string, nowMs: number): Omit<Connection, 'method'> {
  const lifetimeMs = grantLifetimeMs(grant, nowMs)
  return {
    id: newConnectionId(),
    provider,
    status: 'connected',
    credential: grant.accessToken,
    ...(grant.refreshToken && { refreshToken: grant.refreshToken }),
    ...lifetime(lifetimeMs, nowMs, marginOf(grant, lifetimeMs, renewalMarginMs)),
    ...(grant.values && { values: grant.values }),
    ...(grant.account !== undefined && { account: grant.account }),
    ...(grant.accountId !== undefined && { accountId: grant.accountId }),
    connectedAtMs: nowMs
  }
}

/** The connection after a refresh. What the token response leaves out stays as it was, and the account in any case; a lifetime counts from now. */
export function applyGrant(connection: Connection, grant: Grant, nowMs: number): Connection {
  const { backoff: _, expiresAtMs: _1, renewAtMs: _2, ...rest } = connection
  const lifetimeMs = grantLifetimeMs(grant, nowMs) ?? connection.lifetimeMs
  // Tokens that live for a minute or less would be refreshed before every request, and another refresh gives no longer one.
  const marginMs = marginOf(grant, lifetimeMs, Math.min(renewalMarginMs, (lifetimeMs ?? 0) / 2))
  return {
    ...rest,
    credential: grant.accessToken,
    // RFC 6749 §6: without a new refresh token the old one stays valid.
    ...(grant.refreshToken && { refreshToken: grant.refreshToken }),
    ...lifetime(lifetimeMs, nowMs, marginMs),
    ...(grant.scopes?.length && { scopes: grant.scopes }),
    ...(grant.values && { values: { ...connection.values, ...grant.values } })
  }
}

/** Of the access token, from now on. */
export function grantLifetimeMs({ expiresInMs, expiresAtMs }: Grant, nowMs: number): number | undefined {
  if (expiresInMs !== undefined || expiresAtMs === undefined) return expiresInMs
  // A time that is over says no more than a 401 will.
  return expiresAtMs > nowMs ? Math.min(expiresAtMs - nowMs, maxLifetimeMs) : undefined
}

/** A token that is renewed with itself is lost when it expires. It lives for weeks, and is renewed by whoever uses it in the second half. */
const marginOf = ({ accessToken, refreshToken }: Grant, lifetimeMs: number | undefined, usualMs: number): number =>
  refreshToken?.equals(accessToken) ? (lifetimeMs ?? 0) / 2 : usualMs

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

/** No renewal is attempted now, since the previous ones have failed. */
export const isBackingOff = ({ backoff }: Connection, nowMs: number): boolean => backoff !== undefined && backoff.retryAtMs > nowMs

export const isExpired = (connection: Connection, nowMs: number): boolean =>
  connection.expiresAtMs !== undefined && connection.expiresAtMs <= nowMs

/** An API key, or an unexpired access token without a refresh token. */
export const needsNoRenewal = (connection: Connection, nowMs: number): boolean =>
  connection.status === 'connected' && connection.refreshToken === undefined && !isExpired(connection, nowMs)

/** Whether nobody has used the connection since then, in milliseconds since the epoch. */
export const isIdleSince = ({ connectedAtMs, lastUsedAtMs = connectedAtMs }: Connection, sinceMs: number): boolean =>
  Math.max(connectedAtMs, lastUsedAtMs) <= sinceMs

/** Whether the last use was recorded long enough ago for a write. @param idleMs after which it would end without use */
export const isUseDue = ({ lastUsedAtMs = 0 }: Connection, idleMs: number, nowMs: number): boolean =>
  lastUsedAtMs <= nowMs - touchIntervalMs(idleMs)

/** When the user has to connect again, if that is known: a connection with another token to renew with outlives its access token. */
export const reconnectDueMs = ({ expiresAtMs, refreshToken, credential }: Connection): number | undefined =>
  refreshToken && !refreshToken.equals(credential) ? undefined : expiresAtMs

/** The content of a connection's record before it is sealed: JSON with the secrets in plain text. */
export function encodeConnection(connection: Connection): Buffer {
  const { credential, refreshToken, ...rest } = connection
  return Buffer.from(JSON.stringify({ ...rest, credential: credential.reveal(), refreshToken: refreshToken?.reveal() }))
}

export function decodeConnection(bytes: Buffer): Connection {
  const { credential, refreshToken, ...rest } = JSON.parse(bytes.toString())
  return { ...rest, credential: new Secret(credential), ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }) }
}
