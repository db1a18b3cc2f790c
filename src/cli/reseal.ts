// `npm run reseal`, with the gateway's environment: reseals all records with the first key, before an old key is removed from TOKEN_KEYS.
import { readConfig } from '../config/config.ts'
import { loadProviders } from '../config/load-providers.ts'
import { createCipher } from '../core/vault/cipher.ts'
import { type ResealReport, resealAll } from '../core/vault/reseal.ts'
import { exitCode, startupErrorMessage } from '../server/startup-error.ts'
import { openStore } from '../stores/open-store.ts'
import { pollUntil } from '../stores/wait-for-store.ts'

const storeTimeoutMs = 5_000

async function reseal(): Promise<void> {
  const { keys, redis, dataDir } = readConfig(process.env, await loadProviders())
  const store = await openStore({ redis, dataDir, clock: { now: Date.now } })
  try {
    // The connection may not be established yet. If it still is not after the timeout, resealAll reports why.
    await pollUntil(store.ping, storeTimeoutMs)
    const resealed = await resealAll(store, createCipher(keys.token))
    process.stdout.write(`${store.description}\n${report(resealed)}\n`)
    if (resealed.skipped > 0 || resealed.unreadable > 0) process.exitCode = 1
  } finally {
    await store.close()
  }
}

function report({ owners, records, resealed, unreadable, skipped }: ResealReport): string {
  const format = (value: number) => value.toLocaleString('en-US')
  return [
    `${format(records)} records of ${format(owners)} users: ${format(resealed)} resealed with the first of TOKEN_KEYS, ${format(records - resealed - unreadable - skipped)} were already.`,
    ...(unreadable > 0
      ? [
          `${format(unreadable)} cannot be opened with any of TOKEN_KEYS. If a key is missing from TOKEN_KEYS, add it and run this again; if it is lost, the users of these records are asked to connect again.`
        ]
      : []),
    ...(skipped > 0 ? [`${format(skipped)} kept changing and were skipped. Run this again.`] : []),
    ...(skipped + unreadable === 0
      ? ['No record needs the older keys any more. Links of open invitations may need them for up to 7 days.']
      : [])
  ].join('\n')
}

reseal().catch((error: Error) => {
  process.stderr.write(`${startupErrorMessage(error)}\n`)
  process.exit(exitCode(error))
})
