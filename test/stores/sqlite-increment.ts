import { openSqliteStore } from '../../src/stores/sqlite.ts'

// Run as a process of its own: adds one to the record `n` of the owner `sum`, as often as it is told.
const [directory = '', times = '0'] = process.argv.slice(2)
const store = openSqliteStore({ directory, clock: Date })

for (let done = 0; done < Number(times); ) {
  const [old] = await store.read('sum', ['n'])
  const next = Buffer.from(`${Number.parseInt(old?.toString() ?? '0', 10) + 1}.`)
  if (await store.commit('sum', { expect: [['n', old]], put: [['n', next]], ttlMs: 60_000 })) done++
}
await store.close()
