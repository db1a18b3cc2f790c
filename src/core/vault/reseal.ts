import type { Store } from '../ports.ts'
import type { Cipher } from './cipher.ts'
import { createRecords, expectVersion, pendingOwner, versionOf } from './records.ts'

export type ResealReport = {
  /** People. Revocations that wait are records of nobody. */
  readonly owners: number
  readonly records: number
  /** Were under an older key, and are under the newest now. */
  readonly sealedAnew: number
  /** No key of the ring opens them. They stay as they are, and end a day after their owner's session. */
  readonly unreadable: number
  /** Were written by others, again and again, while they should have been sealed anew. */
  readonly left: number
}

/** Writing over what has just changed is tried again so often. */
const tries = 5
/** Owners that are worked on at once. */
const abreast = 16

/**
 * Seals every record that an older key sealed under the newest one, beside gateways that read and write the same records: what has
 * changed in between is read again, never written over. No record ends earlier or later for it.
 */
export async function resealAll(store: Store, cipher: Cipher): Promise<ResealReport> {
  const { reseal } = createRecords(cipher)
  const sum = { owners: 0, records: 0, sealedAnew: 0, unreadable: 0, left: 0 }

  async function ofOwner(owner: string): Promise<void> {
    for (let trial = 1; ; trial++) {
      const records = [...(await store.readAll(owner))]
      const stale = records.filter(([, record]) => !cipher.isNewest(record))
      const anew = stale.map(([field, record]) => ({ expect: expectVersion(field, versionOf(record)), put: reseal(owner, field, record) }))
      const put = anew.map(({ put }) => put).filter(put => put !== undefined)
      const expect = anew.filter(({ put }) => put !== undefined).map(({ expect }) => expect)
      const written = put.length === 0 || (await store.commit(owner, { expect, put }))
      if (!written && trial < tries) continue
      sum.owners += records.length > 0 && owner !== pendingOwner ? 1 : 0
      sum.records += records.length
      sum[written ? 'sealedAnew' : 'left'] += put.length
      sum.unreadable += stale.length - put.length
      return
    }
  }

  const seen = new Set<string>()
  for await (const owners of store.scanOwners()) {
    const fresh = owners.filter(owner => !seen.has(owner))
    for (const owner of fresh) seen.add(owner)
    for (let i = 0; i < fresh.length; i += abreast) await Promise.all(fresh.slice(i, i + abreast).map(ofOwner))
  }
  return sum
}
