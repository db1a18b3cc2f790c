import type { GatewayError } from '../../../src/core/errors.ts'
import { openSqliteStore } from '../../../src/stores/sqlite/store.ts'

// Run as a process of its own: adds one to the record `n` of the owner `sum`, as often as it is told.
const [directory = '', times = '0'] = process.argv.slice(2)
const store = openSqliteStore({ directory, clock: Date })

for (let done = 0; done < Number(times); ) {
  const [old] = await store.read('sum', ['n'])
  const next = Buffer.from(`${Number.parseInt(old?.toString() ?? '0', 10) + 1}.`)
  const startMs = performance.now()
  const change = { expect: [['n', old]], put: [['n', next]], ttlMs: 60_000 } as const
  if (await store.commit('sum', change).catch((error: GatewayError) => hadNoTurn(error, startMs))) done++
}
await store.close()

/** Nobody sees to it that all of several busy writers have their turn: one may wait in vain for the half second that a call waits. */
function hadNoTurn(error: GatewayError, startMs: number): false {
  if (/database is locked/.test(String(error.cause)) && performance.now() - startMs > 400) return false
  throw error
}
