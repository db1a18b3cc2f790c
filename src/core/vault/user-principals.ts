import type { NamedUser } from '../users/named-user.ts'
import type { UserPrincipal } from '../users/principal.ts'
import { type User, whyNoUserId } from '../users/user.ts'
import type { OwnerNames } from './owner-names.ts'

/** Synchronous once the store was read. @throws {TypeError} for what can be no user's id */
export type UserPrincipals = (user: NamedUser) => UserPrincipal | Promise<UserPrincipal>

/** @param namespace what makes an id a user: bearers of the same gateway share it */
export function createUserPrincipals(ownerNames: OwnerNames, namespace: Pick<User, 'issuer' | 'claim'>): UserPrincipals {
  return named => {
    const { id, name } = typeof named === 'string' ? { id: named, name: undefined } : (named ?? {})
    const problem = typeof id === 'string' ? whyNoUserId(id) : 'is not a text'
    if (problem !== undefined) throw new TypeError(`The id of the user ${problem}. Give the text by which your application knows the user.`)
    const user: User = { ...namespace, id, ...(name !== undefined && { name }) }
    const owner = ownerNames.nameOf(user)
    return owner instanceof Promise ? owner.then(found => ({ owner: found, user })) : { owner, user }
  }
}
