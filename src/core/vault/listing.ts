import type { Connection } from '../connections/connection.ts'
import type { Store } from '../ports.ts'
import { isUserOwner } from '../users/owner.ts'
import type { User } from '../users/user.ts'
import type { Cipher } from './cipher.ts'
import { createRecords, userField } from './records.ts'

/** A connection with whose it is; `undefined` for a browser that nobody is signed in to. */
export type ListedConnection = { readonly owner: string; readonly user: User | undefined; readonly connection: Connection }

/**
 * Yields the connections of all owners, or of one, for operators. It reads the whole store.
 * @param owner all if left out
 */
export async function* listConnections(store: Store, cipher: Cipher, owner?: string): AsyncGenerator<ListedConnection> {
  const records = createRecords(cipher)
  // The scan may yield an owner more than once.
  const seen = new Set<string>()
  for await (const owners of owner === undefined ? store.scanOwners() : [[owner]]) {
    for (const one of owners) {
      if (seen.has(one)) continue
      seen.add(one)
      const fields = await store.readAll(one)
      const user = isUserOwner(one) ? records.openUser(one, fields.get(userField))?.value : undefined
      for (const { value } of records.connectionsIn(one, fields)) yield { owner: one, user, connection: value }
    }
  }
}
