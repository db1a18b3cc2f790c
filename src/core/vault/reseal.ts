import type { Store } from '../ports.ts'
import type { Cipher } from './cipher.ts'
import { ownerNamesOwner } from './owner-names.ts'
import { createRecords, expectVersion, pendingOwner, versionOf } from './records.ts'

export type ResealReport = {
  /** Browsers and users, without the owners of what the gateway keeps for itself. */
  readonly owners: number
  readonly records: number
  /** Were sealed with an older key and are now sealed with the newest. */
  readonly resealed: number
  /** No key of the ring opens them. They are left unchanged and expire a day after their owner's session. */
  readonly unreadable: number
  /** Still sealed with an older key, since concurrent writes won every attempt. */
  readonly skipped: number
}

const isInternal = (owner: string): boolean => owner === pendingOwner || owner === ownerNamesOwner

const maxAttempts = 5
/** Owners that are resealed concurrently. */
const concurrency = 16

/**
 * Seals all records that an older key has sealed with the newest key. Gateways may read and write the same records meanwhile: a record
 * that has changed since it was read is read again and never overwritten. The expiry of the records does not change.
 * @param onProgress called now and then with the report so far
 */
export async function resealAll(store: Store, cipher: Cipher, onProgress?: (report: ResealReport) => void): Promise<ResealReport> {
  const { reseal } = createRecords(cipher)
  const report = { owners: 0, records: 0, resealed: 0, unreadable: 0, skipped: 0 }

  async function resealOwner(owner: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const records = [...(await store.readAll(owner))]
      const older = records.filter(([, record]) => !cipher.isNewest(record))
      const resealed = older.flatMap(([field, record]) => {
        const put = reseal(owner, field, record)
        return put ? [{ put, expect: expectVersion(field, versionOf(record)) }] : []
      })
      const change = { expect: resealed.map(({ expect }) => expect), put: resealed.map(({ put }) => put) }
      const isCommitted = resealed.length === 0 || (await store.commit(owner, change))
      if (!isCommitted && attempt < maxAttempts) continue
      report.owners += records.length > 0 && !isInternal(owner) ? 1 : 0
      report.records += records.length
      report[isCommitted ? 'resealed' : 'skipped'] += resealed.length
      report.unreadable += older.length - resealed.length
      return
    }
  }

  // The scan may yield an owner more than once.
  const seen = new Set<string>()
  for await (const owners of store.scanOwners()) {
    const unseen = owners.filter(owner => !seen.has(owner))
    for (const owner of unseen) seen.add(owner)
    for (let i = 0; i < unseen.length; i += concurrency) {
      await Promise.all(unseen.slice(i, i + concurrency).map(resealOwner))
      onProgress?.(report)
    }
  }
  return report
}
