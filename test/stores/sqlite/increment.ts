import type { GatewayError } from '../../../src/core/errors.ts'
import { openSqliteStore } from '../../../src/stores/sqlite/store.ts'

// Runs as a process of its own: adds one to the record `n` of the owner `sum`, this many times.
const [directory, times] = process.argv.slice(2)
if (directory !== undefined) await increment(directory, Number(times))

async function increment(directory: string, times: number): Promise<void> {
  const store = openSqliteStore({ directory, clock: Date })
  for (let done = 0; done < times; ) {
    const [old] = await store.read('sum', ['n'])
    const next = Buffer.from(`${Number.parseInt(old?.toString() ?? '0', 10) + 1}.`)
    const startMs = performance.now()
    const change = { expect: [['n', old]], put: [['n', next]], ttlMs: 60_000 } as const
    if (await store.commit('sum', change).catch((error: GatewayError) => expectLocked(error, startMs))) done++
  }
  await store.close()
}

/** SQLite does not queue writers fairly: under load one may wait for the whole busy timeout in vain. @throws any other error */
function expectLocked(error: GatewayError, startMs: number): false {
  if (/database is locked/.test(String(error.cause)) && performance.now() - startMs > 400) return false
  throw error
}
