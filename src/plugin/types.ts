import type { FastifyRequest } from 'fastify'
import type { ConfigOptions } from '../config/options.ts'
import type { ConnectionView } from '../core/connections/view.ts'
import type { GatewayEvents } from '../core/events.ts'
import type { NamedUser } from '../core/users/named-user.ts'

type MaybePromise<T> = T | Promise<T>

/** Listeners by the names of events. Their errors are logged, and change nothing. */
export type EventHooks = { readonly [Name in keyof GatewayEvents]?: (event: GatewayEvents[Name]) => unknown }

export type GrantkeeperOptions = ConfigOptions & {
  /** Below which every route is: `/integrations`. */
  readonly prefix: string
  /**
   * Who is signed in to the application: the id by which it knows the user, or an id with a name for people; `undefined` or `null` for
   * nobody. Left out, connections belong to browsers, which a session cookie of our own recognizes.
   */
  readonly identify?: (request: FastifyRequest) => MaybePromise<NamedUser | null | undefined>
  /** Where the application signs users in, to which our pages lead a browser that nobody is signed in to, with `?return_to=`. */
  readonly loginUrl?: string
  readonly hooks?: EventHooks
}

export type FetchInit = Omit<RequestInit, 'cache' | 'credentials' | 'integrity' | 'mode' | 'referrer' | 'referrerPolicy' | 'window'> & {
  /** The id of one of several accounts. Default: the default one. */
  readonly account?: string
  /** The name of one of the definition's `api.bases`. Default: `api.baseUrl`. */
  readonly base?: string
}

export type ConnectLinkOptions = {
  /** The page of the application to which the browser comes back, with `connect_code` or `connect_error` in its query. */
  readonly returnTo: string
  /** `add` for a further account, or the id of one to connect again. */
  readonly account?: string
  /** Leads to a choice where there are several ways to connect. */
  readonly choose?: boolean
  /** What the provider asks each user. Left out, the link leads to a page that asks, with `choose` or a key; else it is refused. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly loginHint?: string
  readonly prompt?: string
  readonly scopes?: readonly string[]
}

/** Times are RFC 3339 in UTC. */
export type InvitationView = {
  readonly id: string
  readonly provider: string
  readonly name?: string
  readonly createdAt: string
  readonly expiresAt: string
}

/**
 * What an application does for a user whom it names, without a request of the user's. Except `fetch`, each rejects with a `GatewayError`,
 * whose `code` is one of the gateway's error codes; with a `TypeError` for what can be no user.
 */
export type Grantkeeper = {
  /**
   * Calls a provider with the user's credential, as `/proxy/PROVIDER/PATH` does: renewed and retried, within the same limits. Redirects
   * within the API are followed unless `redirect` says otherwise.
   * @param path below the API's base, with its query
   * @returns the provider's response; where there is none, a problem document (RFC 9457), with the code in `Grantkeeper-Error`
   * @throws {TypeError} for what `fetch` would refuse; the signal's reason when it aborts
   */
  fetch(user: NamedUser, provider: string, path: string, init?: FetchInit): Promise<Response>
  /** One entry an account; a provider without any has one entry, `disconnected`. */
  connections(user: NamedUser): Promise<ConnectionView[]>
  /** Ends one account, or all of the provider's, here and at the provider. */
  disconnect(user: NamedUser, provider: string, account?: string): Promise<void>
  /** A link with which a browser connects a provider for this user. It works once, for ten minutes; `completeConnect` ends the sign-in. */
  connectLink(user: NamedUser, provider: string, options: ConnectLinkOptions): Promise<{ readonly url: string; readonly expiresAt: string }>
  /** Takes the connection that was made by a link of the same user. @param code the `connect_code` that the browser brings back */
  completeConnect(user: NamedUser, code: string): Promise<ConnectionView>
  /** A link with which somebody else connects a provider for this user, once, within seven days. */
  invite(
    user: NamedUser,
    provider: string,
    options?: { readonly name?: string; readonly account?: string }
  ): Promise<InvitationView & { readonly url: string }>
  /** That of another prefix, where the plugin is registered more than once. */
  at(prefix: string): Grantkeeper
}
