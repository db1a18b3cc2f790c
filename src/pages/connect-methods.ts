import type { ConnectionView } from '../core/connections/view.ts'

/** A way to connect, with the absolute URL where it starts. */
export type ConnectMethod = { method: ConnectionView['methods'][number]; url: string }

type Connectable = Pick<ConnectionView, 'provider' | 'methods' | 'method'>

const startRoutes = { oauth2: 'auth', api_key: 'connect' } as const

/** The Connections page with a message that the provider is connected. */
export const connectedUrl = (provider: string): string => `/?connected=${provider}`

/** Where an accepted invitation ends. */
export const thanksUrl = (provider: string): string => `/invitations/thanks?provider=${provider}`

/**
 * The methods that this gateway offers, the one in use first. The URLs are absolute: a user who opened the page under another name of this
 * host must start under the public URL, where the cookies are needed.
 */
export function connectMethods(
  { provider, methods, method: current }: Connectable,
  publicUrl: string,
  returnTo = connectedUrl(provider)
): ConnectMethod[] {
  const query = `return_to=${encodeURIComponent(returnTo)}`
  return methods
    .toSorted((a, b) => Number(b === current) - Number(a === current))
    .map(method => ({ method, url: `${publicUrl}/${startRoutes[method]}/${provider}?${query}` }))
}

/** Where a failed sign-in is retried. */
export const retryUrl = ({ connectUrl, provider }: ConnectionView): string =>
  `${connectUrl}?return_to=${encodeURIComponent(connectedUrl(provider))}`
