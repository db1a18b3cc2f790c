import { type Connection, decodeConnection, encodeConnection } from '../connections/connection.ts'
import { type Flow, flowLifetimeMs } from '../flow.ts'
import type { Clock, Store } from '../ports.ts'
import type { User } from '../users/user.ts'
import type { Cipher } from '../vault/cipher.ts'
import { createSingleUseTokens, type SingleUseTokens } from '../vault/single-use-tokens.ts'
import type { SignInParams } from './sign-in-params.ts'

/** A sign-in that a user's bearer begins, before a browser has opened its link. */
export type SignInLink = {
  readonly owner: string
  readonly user: User
  readonly provider: string
  readonly returnTo: string
  /** Where there is a choice of methods, the link leads to it, and not to the provider at once. */
  readonly offersChoice?: true
} & SignInParams &
  Pick<Flow, 'parameters'>

/** A grant that waits for the bearer of the user who began its sign-in. */
export type UncompletedGrant = {
  readonly owner: string
  readonly account?: string
  readonly connection: Connection
  /** Its revocation is in the queue for the case that nobody comes. */
  readonly revocation?: string
}

export type ConnectCodes = ReturnType<typeof createConnectCodes>

type Dependencies = { readonly store: Store; readonly cipher: Cipher; readonly clock: Clock }

/**
 * The two steps between which a browser is at the provider. Whoever opens the link may connect their account, but only the bearer of the
 * user who began it can take the grant, with the code that this browser brings: nobody gets somebody else's account by sending a link.
 */
export function createConnectCodes(dependencies: Dependencies): {
  readonly links: SingleUseTokens<SignInLink>
  readonly codes: SingleUseTokens<UncompletedGrant>
} {
  return {
    links: createSingleUseTokens<SignInLink>({
      ...dependencies,
      purpose: 'sign-in-link',
      ttlMs: flowLifetimeMs,
      encode: value => JSON.stringify(value),
      decode: text => JSON.parse(text)
    }),
    codes: createSingleUseTokens<UncompletedGrant>({
      ...dependencies,
      purpose: 'connect-code',
      ttlMs: flowLifetimeMs,
      encode: ({ connection, ...rest }) => JSON.stringify({ ...rest, connection: encodeConnection(connection).toString() }),
      decode: text => {
        const { connection, ...rest } = JSON.parse(text)
        return { ...rest, connection: decodeConnection(Buffer.from(connection)) }
      }
    })
  }
}
