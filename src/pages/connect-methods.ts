import type { ConnectionView } from '../core/connections/view.ts'

/** One way to connect, and the address at which it begins. */
export type Way = { method: ConnectionView['methods'][number]; url: string }

type Connectable = Pick<ConnectionView, 'provider' | 'methods' | 'method'>

const beginnings = { oauth2: 'auth', api_key: 'connect' } as const

/** The page of connections, saying what was done. */
export const homeAfter = (provider: string): string => `/?connected=${provider}`

/** Where an invited person ends. */
export const thanksAt = (provider: string): string => `/invitations/thanks?provider=${provider}`

/**
 * The ways that are on, the one in use first. Their addresses are absolute: a person who opened a page under another name of this
 * host must begin where the cookies will be needed.
 */
export function waysOf({ provider, methods, method: used }: Connectable, publicUrl: string, returnTo = homeAfter(provider)): Way[] {
  const query = `return_to=${encodeURIComponent(returnTo)}`
  return methods
    .toSorted((a, b) => Number(b === used) - Number(a === used))
    .map(method => ({ method, url: `${publicUrl}/${beginnings[method]}/${provider}?${query}` }))
}

/** Where a refused sign-in is tried again. */
export const connectAddress = ({ connectUrl, provider }: ConnectionView): string =>
  `${connectUrl}?return_to=${encodeURIComponent(homeAfter(provider))}`
