// `npm run reseal`, with the gateway's environment: the last step before an old key leaves TOKEN_KEYS.
import { readConfig } from '../config/config.ts'
import { loadProviders } from '../config/load-providers.ts'
import { createCipher } from '../core/vault/cipher.ts'
import { type ResealReport, resealAll } from '../core/vault/reseal.ts'
import { exitCode, startupErrorMessage } from '../server/startup-error.ts'
import { pollUntil } from '../server/wait-for-store.ts'
import { openStore } from '../stores/open-store.ts'

const firstContactMs = 5_000

async function reseal(): Promise<void> {
  const { keys, redis, dataDir } = readConfig(process.env, await loadProviders())
  const store = await openStore({ redis, dataDir, clock: { now: Date.now } })
  try {
    // A connection that is not there yet is no reason to give up; after that, what goes wrong is said.
    await pollUntil(store.ping, firstContactMs)
    const resealed = await resealAll(store, createCipher(keys.token))
    process.stdout.write(`${store.description}\n${report(resealed)}\n`)
    if (resealed.left > 0 || resealed.unreadable > 0) process.exitCode = 1
  } finally {
    await store.close()
  }
}

function report({ owners, records, sealedAnew, unreadable, left }: ResealReport): string {
  const number = (value: number) => value.toLocaleString('en-US')
  return [
    `${number(records)} records of ${number(owners)} people: ${number(sealedAnew)} sealed anew under the first of TOKEN_KEYS, ${number(records - sealedAnew - unreadable - left)} were already.`,
    ...(unreadable > 0
      ? [
          `${number(unreadable)} cannot be opened with any of TOKEN_KEYS. If a key is missing here, add it and run this once more; if it is gone, their people are asked to connect again.`
        ]
      : []),
    ...(left > 0 ? [`${number(left)} changed again and again and are left. Run this once more.`] : []),
    ...(left + unreadable === 0 ? ['No record needs the other keys any more. Links of open invitations may, for up to 7 days.'] : [])
  ].join('\n')
}

reseal().catch((error: Error) => {
  process.stderr.write(`${startupErrorMessage(error)}\n`)
  process.exit(exitCode(error))
})
