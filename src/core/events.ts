import { type Channel, channel } from 'node:diagnostics_channel'

/** The connection that an event is about. */
type Subject = { readonly owner: string; readonly provider: string }

/** An error response of a token endpoint, without anything that was sent to it. */
type TokenErrorFacts = {
  readonly kind: string
  /** HTTP status of the response, if there was one. */
  readonly status: number | undefined
  /** The provider's own error code, else the OAuth error code. */
  readonly error: string | undefined
}

/** Why a connection no longer works and the user has to connect again. */
export type EndReason = RenewalEndReason | CheckEndReason

/** Found by a renewal. */
type RenewalEndReason =
  /** The provider said that the grant is invalid, expired or revoked. */
  | 'invalid_grant'
  /** The token endpoint rejected every refresh for ten minutes. */
  | 'refused_for_long'
  /** The token expired and there is no refresh token. */
  | 'no_refresh_token'
  /** OAuth of this provider is switched off here. */
  | 'provider_off'

/** Found by requests that the provider refused with 401. */
type CheckEndReason =
  /** The definition's check request was refused too. */
  | 'check_refused'
  /** The credential cannot be renewed, and requests to two paths were refused with no success in between. */
  | 'refused_elsewhere'
  /** The same on one path, a minute apart. */
  | 'refused_again'

/** Every event of the gateway by name, with its message. No message contains a credential. */
export type GatewayEvents = {
  /** A sign-in, an API key or an invitation made this connection, or replaced an earlier one. */
  'connection.created': Subject & { readonly method: 'oauth2' | 'api_key' }
  /** The access token of a refresh is stored. */
  'connection.renewed': Subject
  'connection.ended': Subject & {
    readonly method: 'oauth2' | 'api_key'
    readonly reason: EndReason
    /** The token endpoint's response, if that ended it. */
    readonly response?: TokenErrorFacts | undefined
    /** HTTP status of the check request's response, if that ended it. */
    readonly status?: number | undefined
  }
  /** Disconnected or signed out by the user. */
  'connection.deleted': Subject
  /** A service key was handed an access token. */
  'token.read': Subject & { readonly serviceKey: string | undefined }
  /** A refresh failed for a reason that may pass. A renewal that ends the connection is `connection.ended`; see also `renewal.lost`. */
  'renewal.failed': Subject & {
    readonly message: string
    readonly response: TokenErrorFacts
    /** The provider rejects the operator's OAuth client: only the operator can fix that. */
    readonly isClientRejected: boolean
    /** Failures in a row, this one included. */
    readonly attempt: number
    readonly retryInMs: number
  }
  /** The response to a refresh had a value of the definition in another form than it must have. The connection keeps the one it had. */
  'renewal.value-ignored': Subject & { readonly value: string }
  /** A refreshed grant could not be stored in ten minutes, or before shutdown. */
  'renewal.lost': Subject
  /** The gateway shut down during a token request: if the provider rotated the refresh token, the new one is lost. */
  'renewal.abandoned': Subject
  /** The provider or the store failed during the check whether a connection with a rejected credential has ended. */
  'check.failed': Subject & { readonly code: string | undefined }
  /** The definition's look-up of an account failed, or its response had no account: the connection is made without. */
  'account-lookup.failed': {
    readonly provider: string
    /** HTTP status of the response, if there was a complete one. */
    readonly status: number | undefined
    /** Error code, if there was none. */
    readonly code: string | undefined
  }
  /** Metadata or keys of the identity provider could not be fetched: published at the first failure, not at each. */
  'issuer.unavailable': {
    readonly issuer: string
    /** What failed, in our words. */
    readonly message: string
    readonly code: string | undefined
    /** Whether earlier ones stay in use. Without them, nobody can sign in and no bearer token is verified. */
    readonly hasKeys: boolean
  }
  /** They could be fetched again. */
  'issuer.available': { readonly issuer: string }
  /** A provider's rate limit could not be stored: other instances go on sending. */
  'rate-limit.unsaved': { readonly provider: string; readonly code: string | undefined }
  /** The outcome of a sign-in could not be saved: its callback cannot be repeated. */
  'sign-in.unsaved': { readonly provider: string; readonly code: string | undefined }
  /** The cleanup after a lost response or an unfinished sign-in failed. */
  'cleanup.failed': { readonly code: string | undefined }
  /** A provider did not confirm a revocation. */
  'revocation.failed': {
    readonly provider: string
    readonly status: number | undefined
    readonly code: string | undefined
    readonly message: string
    /** Milliseconds until the next attempt; `undefined` after the last one. */
    readonly nextTryMs: number | undefined
  }
}

export type Events = {
  /** Costs next to nothing without a subscriber. An error of a subscriber does not reach the publisher: it is an uncaught exception. */
  publish<Name extends keyof GatewayEvents>(name: Name, message: GatewayEvents[Name]): void
  /** Subscribers are called synchronously, in the order in which they subscribed. */
  subscribe<Name extends keyof GatewayEvents>(name: Name, listener: (message: GatewayEvents[Name]) => void): void
}

/**
 * What happens in one gateway, for logs, metrics and audit. Channels of `node:diagnostics_channel`, named by symbols: two gateways in one
 * process do not hear each other.
 */
export function createEvents(): Events {
  const channels = new Map<keyof GatewayEvents, Channel>()

  function channelOf(name: keyof GatewayEvents): Channel {
    const existing = channels.get(name)
    if (existing) return existing
    const created = channel(Symbol(`grantkeeper ${name}`))
    channels.set(name, created)
    return created
  }

  return {
    publish: (name, message) => channels.get(name)?.publish(message),
    subscribe: (name, listener) => channelOf(name).subscribe(message => listener(message as GatewayEvents[typeof name]))
  }
}

const names: Readonly<Record<keyof GatewayEvents, true>> = {
  'connection.created': true,
  'connection.renewed': true,
  'connection.ended': true,
  'connection.deleted': true,
  'token.read': true,
  'renewal.failed': true,
  'renewal.value-ignored': true,
  'renewal.lost': true,
  'renewal.abandoned': true,
  'check.failed': true,
  'account-lookup.failed': true,
  'issuer.unavailable': true,
  'issuer.available': true,
  'rate-limit.unsaved': true,
  'sign-in.unsaved': true,
  'cleanup.failed': true,
  'revocation.failed': true
}

export const eventNames = Object.keys(names) as Array<keyof GatewayEvents>
