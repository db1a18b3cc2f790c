import type { SessionRef } from '../session.ts'
import type { User } from './user.ts'

/** A user whom a token, a service key or an embedding application names: no session is involved. */
export type UserPrincipal = {
  readonly owner: string
  readonly id?: undefined
  readonly user: User
  /** Name of the service key that acts for the user. */
  readonly serviceKey?: string
  /** The service key may be handed access tokens. */
  readonly mayReadTokens?: boolean
}

/** Who a request acts for: a browser's session, or a user. */
export type Principal = (SessionRef & { readonly user?: undefined }) | UserPrincipal

export const isSessionRef = (principal: Principal): principal is SessionRef & { readonly user?: undefined } => principal.id !== undefined
