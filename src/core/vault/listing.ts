import type { Connection } from '../connections/connection.ts'
import type { Store } from '../ports.ts'
import { isUserOwner } from '../users/owner.ts'
import type { User } from '../users/user.ts'
import type { Cipher } from './cipher.ts'
import { connectionPrefix, createRecords, userField } from './records.ts'

/** A connection with whose it is; `undefined` for a browser that nobody is signed in to. */
export type ListedConnection = { readonly owner: string; readonly user: User | undefined; readonly connection: Connection }

/**
 * Yields the connections of all owners, or of one, for operators. It reads the whole store.
 * @param owner all if left out
 * @param onUnreadable called with the number of an owner's connections that no key opens
 */
export async function* listConnections(
  store: Store,
  cipher: Cipher,
  owner: string | undefined,
  onUnreadable: (count: number) => void
): AsyncGenerator<ListedConnection> {
  const records = createRecords(cipher)
  // The scan may yield an owner more than once.
  const seen = new Set<string>()
  for await (const owners of owner === undefined ? store.scanOwners() : [[owner]]) {
    for (const one of owners) {
      if (seen.has(one)) continue
      seen.add(one)
      const fields = await store.readAll(one)
      const user = isUserOwner(one) ? records.openUser(one, fields.get(userField))?.value : undefined
      const connections = records.connectionsIn(one, fields)
      onUnreadable([...fields.keys()].filter(field => field.startsWith(connectionPrefix)).length - connections.size)
      for (const { value } of connections) yield { owner: one, user, connection: value }
    }
  }
}

type FoundOwners = { readonly owners: readonly string[]; readonly unreadable: number }

/**
 * The users whom their stored records call by this id, whatever issuer or claim named them. It reads the whole store.
 * @param onProgress called now and then with the number of users that have been read
 */
export async function findOwners(store: Store, cipher: Cipher, id: string, onProgress?: (read: number) => void): Promise<FoundOwners> {
  const records = createRecords(cipher)
  const owners = new Set<string>()
  const unreadable = new Set<string>()
  let read = 0
  for await (const batch of store.scanOwners())
    for (const owner of batch.filter(isUserOwner)) {
      onProgress?.(++read)
      const [record] = await store.read(owner, [userField])
      const user = records.openUser(owner, record)?.value
      if (user?.id === id) owners.add(owner)
      else if (record && !user) unreadable.add(owner)
    }
  return { owners: [...owners], unreadable: unreadable.size }
}
