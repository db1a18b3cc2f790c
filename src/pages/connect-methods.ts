import type { ConnectionView } from '../core/connections/view.ts'
import type { Site } from '../core/site.ts'

/** A way to connect, with the absolute URL where it starts. */
export type ConnectMethod = {
  readonly method: ConnectionView['methods'][number]
  readonly url: string
  /** `add` for one more account, or the id of the connection to make anew; nothing for the default one. */
  readonly account?: string | undefined
}

type Connectable = Pick<ConnectionView, 'provider' | 'methods' | 'method'>

const startRoutes = { oauth2: 'auth', api_key: 'connect' } as const

/** The Connections page with a message that the provider is connected. The account is for another attempt, in case it fails. */
export const connectedUrl = (provider: string, basePath: string, account?: string): string =>
  `${basePath}/?connected=${provider}${accountQuery(account)}`

/** Where an accepted invitation ends. */
export const thanksUrl = (provider: string, basePath: string): string => `${basePath}/invitations/thanks?provider=${provider}`

/**
 * The methods that this gateway offers, the one in use first. The URLs are absolute: a user who opened the page under another name of this
 * host must start under the public URL, where the cookies are needed.
 */
export function connectMethods(
  { provider, methods, method: current }: Connectable,
  { publicUrl, basePath }: Site,
  {
    account,
    returnTo = connectedUrl(provider, basePath, account)
  }: { readonly account?: string | undefined; readonly returnTo?: string } = {}
): ConnectMethod[] {
  return methods
    .toSorted((a, b) => Number(b === current) - Number(a === current))
    .map(method => ({ method, url: startUrl(`${publicUrl}/${startRoutes[method]}/${provider}`, returnTo, account), account }))
}

/** The page of one provider, for one more account. */
export const addAccountUrl = (provider: string, { publicUrl }: Site, returnTo: string): string =>
  startUrl(`${publicUrl}/connect/${provider}`, returnTo, 'add')

/** Where a failed sign-in is retried: at the provider, also where `connectUrl` leads to a choice. */
export function retryUrl({ connectUrl, provider, methods }: ConnectionView, { publicUrl, basePath }: Site, account?: string): string {
  const url = methods.includes('oauth2') ? `${publicUrl}/auth/${provider}` : connectUrl
  return startUrl(url, connectedUrl(provider, basePath, account), account)
}

const startUrl = (url: string, returnTo: string, account: string | undefined) =>
  `${url}?return_to=${encodeURIComponent(returnTo)}${accountQuery(account)}`

const accountQuery = (account: string | undefined) => (account === undefined ? '' : `&account=${encodeURIComponent(account)}`)
