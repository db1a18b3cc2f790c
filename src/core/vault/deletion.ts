import type { Connection } from '../connections/connection.ts'
import type { Change } from '../ports.ts'
import type { StoredConnection } from './owned-connections.ts'
import type { VaultDependencies } from './owner-sessions.ts'
import {
  connectionField,
  connectionPrefix,
  defaultField,
  expectRecord,
  expectVersion,
  type FieldMap,
  keyOfField,
  versionOf
} from './records.ts'

export type Deletion = {
  /**
   * Deletes the connections to a provider, or the one with this id. If the default account's goes, the oldest other one becomes the default.
   * @returns the deleted connections as they were last stored, by a concurrent refresh for example; `undefined` when none has this id
   */
  disconnect(owner: string, provider: string, id?: string): Promise<readonly Connection[] | undefined>
  /** Deletes all records of the owner: every copy of a session's cookie is invalid. @returns the connections as they were last stored */
  deleteOwner(owner: string): Promise<Connection[]>
}

/** After this many attempts to delete exactly what was read, the records are deleted whatever they are, and not returned. */
const maxAttempts = 5

type DeletionDependencies = Pick<VaultDependencies, 'store' | 'records' | 'commit'> & {
  /** Evicts the owner from the record cache. */
  evict(owner: string): void
}

/** Deletes exactly the versions that it has read, so that it returns the newest tokens and the caller can revoke them. */
export function createDeletion({ store, records, commit, evict }: DeletionDependencies): Deletion {
  const defaultAfter = (owner: string, provider: string, [next]: readonly StoredConnection[]): Change =>
    next ? { put: [records.sealDefault(owner, provider, next.key.slot)] } : { remove: [defaultField(provider)] }

  return {
    async disconnect(owner, provider, id) {
      for (let attempt = 1; ; attempt++) {
        const fields = await store.readAll(owner)
        const ofProvider = records.connectionsIn(owner, fields).of(provider)
        const doomed = id === undefined ? ofProvider : ofProvider.filter(({ value }) => value.id === id)
        if (id !== undefined && doomed.length === 0) return undefined
        // Those that do not open here go too, unless one is named: another key may open them.
        const doomedFields = id === undefined ? fieldsOf(owner, provider, fields) : doomed.map(({ key }) => connectionField(key))
        if (doomedFields.length === 0) return []
        const next = defaultAfter(
          owner,
          provider,
          ofProvider.filter(stored => !doomed.includes(stored))
        )
        const isForced = attempt > maxAttempts
        const isCommitted = await commit(owner, {
          ...next,
          expect: isForced
            ? []
            : [
                ...doomed.map(({ key, version }) => expectVersion(connectionField(key), version)),
                expectRecord(defaultField(provider), fields.get(defaultField(provider)))
              ],
          remove: [...doomedFields, ...(next.remove ?? [])]
        })
        if (isCommitted) return isForced ? [] : doomed.map(({ value }) => value)
        if (isForced) return []
      }
    },

    async deleteOwner(owner) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const fields = [...(await store.readAll(owner))]
        const change = {
          expect: fields.map(([field, record]) => expectVersion(field, versionOf(record))),
          remove: fields.map(([field]) => field)
        }
        if (fields.length > 0 && !(await commit(owner, change))) continue
        return [...records.connectionsIn(owner, fields)].map(({ value }) => value)
      }
      await store.deleteOwner(owner)
      evict(owner)
      return []
    }
  }
}

const fieldsOf = (owner: string, provider: string, fields: FieldMap): string[] =>
  [...fields.keys()].filter(field => field.startsWith(connectionPrefix) && keyOfField(owner, field).provider === provider)
