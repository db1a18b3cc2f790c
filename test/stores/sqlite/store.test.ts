import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { openSqliteStore } from '../../../src/stores/sqlite/store.ts'
import { storeContract } from '../contract.ts'
import { bytes, minute, records } from '../records.ts'

const record = bytes('record')
const run = promisify(execFile)

/** A clock that only the test advances. */
function manualClock() {
  let nowMs = 1_800_000_000_000
  const advance = (ms: number) => {
    nowMs += ms
  }
  return { now: () => nowMs, advance }
}

function openIn(t: Test, directory: string, clock = manualClock()) {
  const store = openSqliteStore({ directory, clock })
  t.teardown(() => store.close())
  return { store, clock, file: join(directory, 'grantkeeper.sqlite') }
}

t.test('the contract', t =>
  storeContract(t, async t => {
    const directory = t.testdir()
    const { store, clock } = openIn(t, directory)
    return { store, other: openIn(t, directory, clock).store, elapse: async ms => clock.advance(ms), ttlMs: 200 }
  })
)

t.test('records, claims and leases survive a restart', async t => {
  const directory = t.testdir()
  const before = openIn(t, directory)
  await before.store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
  await before.store.claim('key', minute)
  await before.store.acquire('owner', 'key', minute)
  await before.store.close()
  const { store } = openIn(t, directory, before.clock)
  t.same(await store.read('owner', ['a']), [record])
  t.notOk(await store.claim('key', minute))
  t.notOk(await store.acquire('owner', 'key', minute))
})

t.test('records expire at the exact millisecond', async t => {
  const { store, clock } = openIn(t, t.testdir())
  await store.commit('owner', { put: records({ a: 'record' }), ttlMs: 1000 })
  clock.advance(999)
  t.same(await store.read('owner', ['a']), [record])
  clock.advance(1)
  t.same(await store.read('owner', ['a']), [undefined])
})

t.test('processes that start and write together lose nothing and print nothing', async t => {
  const directory = t.testdir()
  const child = join(import.meta.dirname, 'increment.ts')
  const outputs = await Promise.all(Array.from({ length: 3 }, () => run(process.execPath, [child, directory, '50'])))
  for (const { stderr } of outputs) t.equal(stderr, '', 'no experimental warning')
  const store = openSqliteStore({ directory, clock: Date })
  t.teardown(() => store.close())
  t.same(await store.read('sum', ['n']), [bytes('150.')])
})

t.test('writes sweep expired rows, a bounded number at a time', async t => {
  const { store, clock, file } = openIn(t, t.testdir())
  const rows = new DatabaseSync(file, { readOnly: true })
  t.teardown(() => rows.close())
  const count = (table: string) => rows.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n
  const counts = () => ['owners', 'records', 'claims', 'stored_values', 'leases'].map(count)

  for (let i = 0; i < 150; i++) {
    await store.commit(`owner ${i}`, {
      put: records({ a: '1', b: '2' }),
      ttlMs: minute
    })
    await store.claim(`key ${i}`, minute)
    await store.setValue(`key ${i}`, record, minute)
    await store.acquire('owner', `key ${i}`, minute)
  }
  t.same(counts(), [150, 300, 150, 150, 150])
  clock.advance(minute)
  t.same(await store.readAll('owner 1'), new Map())
  t.same(counts(), [150, 300, 150, 150, 150], 'a read sweeps nothing')
  await store.ping()
  t.same(counts(), [50, 100, 50, 50, 50])
  await store.ping()
  t.same(counts(), [0, 0, 0, 0, 0])
})
