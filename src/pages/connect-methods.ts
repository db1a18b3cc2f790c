import type { ConnectionView } from '../core/connections/view.ts'

/** One way to connect, and the address at which it begins. */
export type ConnectMethod = { method: ConnectionView['methods'][number]; url: string }

type Connectable = Pick<ConnectionView, 'provider' | 'methods' | 'method'>

const beginnings = { oauth2: 'auth', api_key: 'connect' } as const

/** The page of connections, saying what was done. */
export const connectedUrl = (provider: string): string => `/?connected=${provider}`

/** Where an invited person ends. */
export const thanksUrl = (provider: string): string => `/invitations/thanks?provider=${provider}`

/**
 * The ways that are on, the one in use first. Their addresses are absolute: a person who opened a page under another name of this
 * host must begin where the cookies will be needed.
 */
export function connectMethods(
  { provider, methods, method: used }: Connectable,
  publicUrl: string,
  returnTo = connectedUrl(provider)
): ConnectMethod[] {
  const query = `return_to=${encodeURIComponent(returnTo)}`
  return methods
    .toSorted((a, b) => Number(b === used) - Number(a === used))
    .map(method => ({ method, url: `${publicUrl}/${beginnings[method]}/${provider}?${query}` }))
}

/** Where a refused sign-in is tried again. */
export const retryUrl = ({ connectUrl, provider }: ConnectionView): string =>
  `${connectUrl}?return_to=${encodeURIComponent(connectedUrl(provider))}`
