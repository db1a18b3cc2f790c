import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import type { DoctorOptions } from '../../src/doctor/doctor.ts'
import { openSqliteStore } from '../../src/stores/sqlite/store.ts'
import { fixedLookup } from '../support/dns.ts'
import { examine, soundProduction, soundVariables } from './support.ts'

const area = 'store'
const fileIn = (directory: string) => join(directory, 'grantkeeper.sqlite')
/** What statfs(2) tells of a file system with 10 GiB of free space. */
const fileSystem = (change: Partial<ReturnType<NonNullable<DoctorOptions['statfs']>>> = {}): DoctorOptions => ({
  statfs: () => ({ type: 0xef53, bsize: 4096, bavail: 2_621_440, ...change }),
  resolve: fixedLookup('127.0.0.1')
})

/** A store that a gateway has used before. */
async function existingStore(t: Test) {
  const variables = soundVariables(t)
  const store = openSqliteStore({ directory: variables.DATA_DIR, clock: { now: Date.now } })
  await store.close()
  return { variables, file: fileIn(variables.DATA_DIR) }
}

t.test('a store that does not exist yet is well, and is not created', async t => {
  const variables = soundVariables(t)
  const { has, hasNoError } = await examine(t, variables)
  has({ level: 'ok', area, message: /does not exist yet/ })
  hasNoError()
  t.strictSame(readdirSync(variables.DATA_DIR), [])
})

t.test('a store that a gateway has open can be examined', async t => {
  const { variables } = await existingStore(t)
  const store = openSqliteStore({ directory: variables.DATA_DIR, clock: { now: Date.now } })
  t.teardown(() => store.close())
  const { has, hasNoError } = await examine(t, variables)
  has({ level: 'ok', area, message: /can be read and written/ })
  hasNoError()
})

t.test('a store that others may read is an error', async t => {
  const { variables, file } = await existingStore(t)
  chmodSync(file, 0o644)
  const { has } = await examine(t, variables)
  has({ level: 'error', area, message: /mode 0644: others on this machine may read it/, cure: /chmod 600/ })
})

t.test('a file that is no database is an error, and stays as it is', async t => {
  const variables = soundVariables(t)
  writeFileSync(fileIn(variables.DATA_DIR), 'not a database, and longer than the header of one'.repeat(100), { mode: 0o600 })
  const { has } = await examine(t, variables)
  has({ level: 'error', area, message: /cannot be used: .*not a database/, cure: /[Rr]estore/ })
})

t.test('an empty file, as a start that was killed leaves it, is well', async t => {
  const variables = soundVariables(t)
  writeFileSync(fileIn(variables.DATA_DIR), '', { mode: 0o600 })
  const { has, hasNoError } = await examine(t, variables)
  has({ level: 'ok', area, message: /can be read and written/ })
  hasNoError()
  t.equal(statSync(fileIn(variables.DATA_DIR)).size, 0)
})

t.test('a store that another process has locked is a warning', async t => {
  const { variables, file } = await existingStore(t)
  const other = new DatabaseSync(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const { has, hasNoError } = await examine(t, variables)
  has({ level: 'warning', area, message: /locked/, cure: /lsof/ })
  hasNoError()
})

t.test('a network file system is a warning', async t => {
  const { has, hasNoError } = await examine(t, soundVariables(t), fileSystem({ type: 0x6969 }))
  has({ level: 'warning', area, message: /NFS/, cure: /local disk, or use Redis/ })
  hasNoError()
})

t.test('the layer of a container is a warning in production', async t => {
  const { has } = await examine(t, soundProduction(t), fileSystem({ type: 0x794c7630 }))
  has({ level: 'warning', area, message: /ends with it/, cure: /volume/ })
})

t.test('a full disk is an error', async t => {
  const { has } = await examine(t, soundVariables(t), fileSystem({ bavail: 100 }))
  has({ level: 'error', area, message: /0 MiB are free/, cure: /Free disk space/ })
})

t.test('a disk that is almost full is a warning', async t => {
  const { has, hasNoError } = await examine(t, soundVariables(t), fileSystem({ bavail: 25_600 }))
  has({ level: 'warning', area, message: /100 MiB are free/ })
  hasNoError()
})

t.test('the file system of a directory that does not exist yet is that of its parent', async t => {
  const variables = soundVariables(t)
  const DATA_DIR = join(variables.DATA_DIR, 'a', 'b')
  const seen: string[] = []
  const statfs: DoctorOptions['statfs'] = path => {
    seen.push(path)
    return { type: 0xef53, bsize: 4096, bavail: 2_621_440 }
  }
  await examine(t, { ...variables, DATA_DIR }, { statfs })
  t.strictSame(seen, [variables.DATA_DIR])
  t.notOk(existsSync(DATA_DIR))
})
