import type { Store } from '../core/ports.ts'
import { createCipher } from '../core/vault/cipher.ts'
import { sampleRecords } from '../core/vault/record-sample.ts'
import { openStore } from '../stores/open-store.ts'
import { openExistingSqliteFile } from '../stores/sqlite/file.ts'
import { openSqliteStore, sqliteFileIn } from '../stores/sqlite/store.ts'
import { pollUntil } from '../stores/wait-for-store.ts'
import type { DoctorContext } from './context.ts'
import { statOf } from './file-mode.ts'
import type { Check, Reporter } from './finding.ts'

const maxOwners = 100
const scanTimeoutMs = 3_000
const connectTimeoutMs = 2_500

/**
 * Whether the keys that are configured open what is stored.
 * @param isConnected whether Redis can be reached, when that is known
 */
export const recordsCheck = (context: DoctorContext, isConnected: Promise<boolean>): Check => ({
  area: 'records',
  subject: 'TOKEN_KEYS',
  async run(report, signal) {
    // Malformed keys are findings of the configuration.
    if (context.keys.token && !context.tokenKeys) return
    if (context.settings.redis && !(await isConnected)) {
      report.warning('no record could be read: the store is not reachable', 'Cure the findings about the store, then run the check again.')
      return
    }
    const store = await openReadOnly(context)
    if (store === undefined) return
    const close = () => store.close()
    signal.addEventListener('abort', close)
    try {
      await reportSample(report, store, context)
    } finally {
      signal.removeEventListener('abort', close)
      await close()
    }
  }
})

/** @returns `undefined` if nothing is stored, or if it cannot be opened, which the check of the store tells */
async function openReadOnly({ settings, isEmbedded, clock }: DoctorContext): Promise<Store | undefined> {
  const { redis, dataDir } = settings
  if (redis) return openStore({ redis, dataDir, clock })
  if (!isEmbedded || statOf(sqliteFileIn(dataDir)) === undefined) return undefined
  try {
    return openSqliteStore({ directory: dataDir, clock, open: openExistingSqliteFile })
  } catch {
    return undefined
  }
}

async function reportSample(report: Reporter, store: Store, { tokenKeys, keys, settings }: DoctorContext): Promise<void> {
  // The connection may be under way.
  await pollUntil(() => tryRead(store), connectTimeoutMs)
  // Any key tells whether there is a record. This one opens none.
  const sample = await sampleRecords(store, createCipher(tokenKeys ?? [Buffer.alloc(32)]), {
    maxOwners,
    signal: AbortSignal.timeout(scanTimeoutMs)
  }).catch(() => undefined)
  if (sample === undefined) {
    report.warning(
      'stored records cannot be sampled',
      'Cure the findings about the store (with Redis, its user needs +scan), then run the check again.'
    )
    return
  }
  const { isComplete, owners, records, older, unreadable, isOwnerSecretUnreadable } = sample
  const sampled = `${records.toLocaleString('en-US')} records of ${owners} owners`
  if (records === 0) report.ok(isComplete ? 'nothing is stored yet' : `no record was found within ${scanTimeoutMs / 1000} s`)
  else if (isOwnerSecretUnreadable || unreadable > 0)
    report.error(
      `${unreadable} of ${sampled} do not open${isOwnerSecretUnreadable ? ', the secret that names users among them' : ''}`,
      keys.token === undefined && !settings.production
        ? 'Restore DATA_DIR/keys.json, or set TOKEN_KEYS to the keys that sealed them.'
        : 'Add to TOKEN_KEYS, after the first, the key that sealed them. If it is lost, these users have to connect again.'
    )
  else if (older > 0)
    report.warning(
      `${older} of ${sampled} are sealed with an older key`,
      'Keep all keys, and run grantkeeper reseal before you remove one.'
    )
  else report.ok(`${sampled} open, sealed with the first key`)
}

/** Rejects while there is no connection, and not when the user lacks the right to read. */
async function tryRead(store: Store): Promise<void> {
  await store.read('check', ['none']).catch((error: Error) => {
    if (!/NOPERM/.test(String(error.cause))) throw error
  })
}
