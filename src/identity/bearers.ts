import { readBearer } from '../core/users/bearer.ts'
import type { Bearers } from '../core/users/bearers.ts'
import type { UserPrincipal } from '../core/users/principal.ts'
import { parseRequestedUser } from '../core/users/requested-user.ts'
import type { ServiceKeys } from '../core/users/service-keys.ts'
import type { User } from '../core/users/user.ts'
import type { OwnerNames } from '../core/vault/owner-names.ts'
import type { BearerTokens, VerifiedToken } from './bearer-tokens.ts'
import { tokenInvalid } from './jwt-rules.ts'

type BearersOptions = {
  /** `undefined` when no token is accepted. */
  readonly tokens: BearerTokens | undefined
  readonly serviceKeys: ServiceKeys
  readonly ownerNames: OwnerNames
  /** What makes an id a user: all ways to sign in share it. */
  readonly namespace: Pick<User, 'issuer' | 'claim'>
}

/** Who the bearers of requests speak for: a token for the user whom it names, a service key for the one that the request names. */
export function createBearers({ tokens, serviceKeys, ownerNames, namespace }: BearersOptions): Bearers {
  /** A remembered token costs neither a derivation nor a tick. */
  const principals = new WeakMap<VerifiedToken, UserPrincipal>()

  function ofToken(verified: VerifiedToken): UserPrincipal | Promise<UserPrincipal> {
    const known = principals.get(verified)
    if (known) return known
    const { userId, name } = verified
    const user: User = { ...namespace, id: userId, ...(name !== undefined && { name }) }
    const remember = (owner: string): UserPrincipal => {
      const principal = { owner, user }
      principals.set(verified, principal)
      return principal
    }
    const owner = ownerNames.nameOf(user)
    return owner instanceof Promise ? owner.then(remember) : remember(owner)
  }

  function ofServiceKey(key: string, rawHeaders: readonly string[]): UserPrincipal | Promise<UserPrincipal> {
    const found = serviceKeys.find(key)
    if (!found) throw tokenInvalid('is neither a JSON Web Token nor a known service key')
    const user: User = { ...namespace, id: parseRequestedUser(rawHeaders) }
    const { name: serviceKey, mayReadTokens } = found
    const owner = ownerNames.nameOf(user)
    return owner instanceof Promise
      ? owner.then(name => ({ owner: name, user, serviceKey, mayReadTokens }))
      : { owner, user, serviceKey, mayReadTokens }
  }

  return {
    read: readBearer,
    identify(bearer, rawHeaders) {
      // A JSON Web Token has two dots, and a service key that we made has none.
      if (!tokens || !hasTwoDots(bearer)) return ofServiceKey(bearer, rawHeaders)
      const verified = tokens.verify(bearer)
      return verified instanceof Promise ? verified.then(ofToken) : ofToken(verified)
    }
  }
}

function hasTwoDots(text: string): boolean {
  const first = text.indexOf('.')
  const second = first === -1 ? -1 : text.indexOf('.', first + 1)
  return second !== -1 && text.indexOf('.', second + 1) === -1
}
