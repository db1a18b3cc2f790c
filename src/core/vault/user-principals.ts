import type { NamedUser } from '../users/named-user.ts'
import type { UserPrincipal } from '../users/principal.ts'
import { type User, whyNoUserId } from '../users/user.ts'
import type { OwnerNames } from './owner-names.ts'

/** Synchronous once the store was read. @throws {TypeError} for what can be no user's id */
export type UserPrincipals = (user: NamedUser) => UserPrincipal | Promise<UserPrincipal>

/** @param namespace what makes an id a user: bearers of the same gateway share it */
export function createUserPrincipals(ownerNames: OwnerNames, namespace: Pick<User, 'issuer' | 'claim'>): UserPrincipals {
  return named => {
    const { id: given, name } = typeof named === 'object' && named !== null ? named : { id: named, name: undefined }
    const id = Number.isSafeInteger(given) ? String(given) : given
    const problem = typeof id === 'string' ? whyNoUserId(id) : 'is neither a text nor a whole number'
    if (problem !== undefined || typeof id !== 'string')
      throw new TypeError(`The id of the user ${problem}. Give the text by which your application knows the user.`)
    const user: User = { ...namespace, id, ...(typeof name === 'string' && { name }) }
    const owner = ownerNames.nameOf(user)
    return owner instanceof Promise ? owner.then(found => ({ owner: found, user })) : { owner, user }
  }
}
