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

type ConnectMethodOptions = {
  readonly account?: string | undefined
  readonly returnTo?: string
  /** For the sign-in alone. */
  readonly signInQuery?: Readonly<Record<string, string>>
  /** The user is asked for parameters first: the sign-in begins on the page of the provider. */
  readonly asksFirst?: boolean
}

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
  { account, returnTo = connectedUrl(provider, basePath, account), signInQuery = {}, asksFirst = false }: ConnectMethodOptions = {}
): ConnectMethod[] {
  return methods
    .toSorted((a, b) => Number(b === current) - Number(a === current))
    .map(method => {
      const isSignIn = method === 'oauth2' && !asksFirst
      const url = startUrl(`${publicUrl}/${startRoutes[isSignIn ? method : 'api_key']}/${provider}`, returnTo, account)
      return { method, url: isSignIn ? url + added(signInQuery) : url, account }
    })
}

/** The page of one provider, for one more account. */
export const addAccountUrl = (provider: string, { publicUrl }: Site, returnTo: string): string =>
  startUrl(`${publicUrl}/connect/${provider}`, returnTo, 'add')

type ConnectPageQuery = {
  /** Empty for the page's own default. */
  readonly returnTo: string
  readonly account: string | undefined
  readonly signInQuery: Readonly<Record<string, string>>
  /** What was given for parameters, of whatever type. */
  readonly given: Readonly<Record<string, unknown>>
}

/** The page of one provider, which asks for what is missing. */
export function connectPageUrl(provider: string, { publicUrl }: Site, { returnTo, account, signInQuery, given }: ConnectPageQuery): string {
  const texts = Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const query = new URLSearchParams({
    ...(returnTo !== '' && { return_to: returnTo }),
    ...(account !== undefined && { account }),
    ...signInQuery,
    ...Object.fromEntries(texts)
  })
  return `${publicUrl}/connect/${provider}${query.size > 0 ? `?${query}` : ''}`
}

/** Where a failed sign-in is retried: at the provider, also where `connectUrl` leads to a choice; on our page if that asks for something. */
export function retryUrl(
  { connectUrl, provider, methods }: ConnectionView,
  { publicUrl, basePath }: Site,
  { account, asksFirst = false }: Pick<ConnectMethodOptions, 'account' | 'asksFirst'> = {}
): string {
  const url = methods.includes('oauth2') && !asksFirst ? `${publicUrl}/auth/${provider}` : connectUrl
  return startUrl(url, connectedUrl(provider, basePath, account), account)
}

const startUrl = (url: string, returnTo: string, account: string | undefined) =>
  `${url}?return_to=${encodeURIComponent(returnTo)}${accountQuery(account)}`

const added = (query: Readonly<Record<string, string>>) => (Object.keys(query).length === 0 ? '' : `&${new URLSearchParams(query)}`)

const accountQuery = (account: string | undefined) => (account === undefined ? '' : `&account=${encodeURIComponent(account)}`)
