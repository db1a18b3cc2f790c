import type { Connection } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import type { VaultDependencies } from './owner-sessions.ts'
import { connectionField, expectVersion, versionOf } from './records.ts'

export type Deletion = {
  /** @returns the deleted connection as it was last stored, by a concurrent refresh for example; `undefined` when there was none */
  disconnect(key: ConnectionKey): Promise<Connection | undefined>
  /** Deletes all records of the owner: every copy of the session's cookie is invalid. @returns the connections as they were last stored */
  endSession(owner: string): Promise<Connection[]>
}

/** After this many attempts to delete exactly what was read, the records are deleted whatever they are, and not returned. */
const maxAttempts = 5

type DeletionDependencies = Pick<VaultDependencies, 'store' | 'records' | 'commit'> & {
  /** Evicts the owner from the record cache. */
  evict(owner: string): void
}

/** Deletes exactly the versions that it has read, so that it returns the newest tokens and the caller can revoke them. */
export function createDeletion({ store, records, commit, evict }: DeletionDependencies): Deletion {
  return {
    async disconnect(key) {
      const { owner, provider } = key
      const field = connectionField(provider)
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const [record] = await store.read(owner, [field])
        if (!record) return undefined
        if (await commit(owner, { expect: [expectVersion(field, versionOf(record))], remove: [field] }))
          return records.openConnection(key, record)?.value
      }
      await commit(owner, { remove: [field] })
      return undefined
    },

    async endSession(owner) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const fields = [...(await store.readAll(owner))]
        const change = {
          expect: fields.map(([field, record]) => expectVersion(field, versionOf(record))),
          remove: fields.map(([field]) => field)
        }
        if (fields.length > 0 && !(await commit(owner, change))) continue
        return [...records.connectionsIn(owner, fields).values()].map(({ value }) => value)
      }
      await store.deleteOwner(owner)
      evict(owner)
      return []
    }
  }
}
