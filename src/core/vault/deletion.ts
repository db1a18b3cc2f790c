import type { Connection } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import type { Change, Store } from '../ports.ts'
import { connectionField, type createRecords, expectVersion, versionOf } from './records.ts'

export type Deletion = {
  /** @returns the connection that is gone now, as it stood then: a refresh may have ended just before. */
  disconnect(key: ConnectionKey): Promise<Connection | undefined>
  /** The session, every connection in it, every copy of its cookie. @returns the connections, as they stood then. */
  endSession(owner: string): Promise<Connection[]>
}

/** What changes while it is erased is read again, so that nothing is erased unseen; but not for ever. */
const eraseTrials = 5

type ErasureParts = {
  store: Store
  records: ReturnType<typeof createRecords>
  commit(owner: string, change: Change): Promise<boolean>
  /** Nothing of this owner's is held any more. */
  evict(owner: string): void
}

/** Erasing, with word of what stood in the moment of it, so that all of it can be revoked. */
export function createDeletion({ store, records: { openConnection, connectionsIn }, commit, evict }: ErasureParts): Deletion {
  return {
    async disconnect(key) {
      const { owner, provider } = key
      const field = connectionField(provider)
      for (let trial = 0; trial < eraseTrials; trial++) {
        const [record] = await store.read(owner, [field])
        if (!record) return undefined
        if (await commit(owner, { expect: [expectVersion(field, versionOf(record))], remove: [field] }))
          return openConnection(key, record)?.value
      }
      await commit(owner, { remove: [field] })
      return undefined
    },

    async endSession(owner) {
      for (let trial = 0; trial < eraseTrials; trial++) {
        const records = [...(await store.readAll(owner))]
        const erased = {
          expect: records.map(([field, record]) => expectVersion(field, versionOf(record))),
          remove: records.map(([field]) => field)
        }
        if (records.length > 0 && !(await commit(owner, erased))) continue
        return [...connectionsIn(owner, records).values()].map(({ value }) => value)
      }
      await store.deleteOwner(owner)
      evict(owner)
      return []
    }
  }
}
