import type { Store } from '../ports.ts'
import type { Cipher } from './cipher.ts'
import { ownerNamesOwner } from './owner-names.ts'
import { createRecords } from './records.ts'

export type RecordSample = {
  /** Whether these are all that are stored. */
  readonly isComplete: boolean
  /** Owners whose records were read. */
  readonly owners: number
  readonly records: number
  /** Sealed with a key of the ring that is not the first. */
  readonly older: number
  /** No key of the ring opens them. */
  readonly unreadable: number
  /** Whether the secret that names users is among the unreadable ones: without it every user is another one. */
  readonly isOwnerSecretUnreadable: boolean
}

type SampledStore = Pick<Store, 'readAll' | 'scanOwners'>

type SampleLimits = {
  readonly maxOwners: number
  /** Ends the search: a database that other programs share may take minutes to scan. */
  readonly signal: AbortSignal
}

/** Opens the records of some owners, and the secret that names users. It changes nothing. */
export async function sampleRecords(store: SampledStore, cipher: Cipher, { maxOwners, signal }: SampleLimits): Promise<RecordSample> {
  const { open } = createRecords(cipher)
  const sample = { isComplete: false, owners: 0, records: 0, older: 0, unreadable: 0, isOwnerSecretUnreadable: false }

  async function read(owner: string): Promise<void> {
    const records = await store.readAll(owner)
    sample.owners += records.size > 0 ? 1 : 0
    for (const [field, record] of records) {
      sample.records++
      const opened = open(owner, field, record, () => true)
      if (opened && !cipher.isNewest(record)) sample.older++
      if (opened) continue
      sample.unreadable++
      if (owner === ownerNamesOwner) sample.isOwnerSecretUnreadable = true
    }
  }

  await read(ownerNamesOwner)
  // The scan may yield an owner more than once.
  const seen = new Set([ownerNamesOwner])
  for await (const owners of store.scanOwners()) {
    for (const owner of owners) {
      if (seen.has(owner)) continue
      if (sample.owners >= maxOwners) return sample
      seen.add(owner)
      await read(owner)
    }
    if (signal.aborted) return sample
  }
  sample.isComplete = true
  return sample
}
