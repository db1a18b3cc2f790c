import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { openSqliteStore } from '../../../src/stores/sqlite/store.ts'
import { bytes, minute, records } from '../records.ts'

const record = bytes('record')
const run = promisify(execFile)

function openIn(t: Test, directory: string) {
  const store = openSqliteStore({ directory, clock: Date })
  t.teardown(() => store.close())
  return { store, file: join(directory, 'grantkeeper.sqlite') }
}

t.test('only the owner of the process can read the files', async t => {
  const directory = join(t.testdir(), 'made', 'when missing')
  const { store, file } = openIn(t, directory)
  await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
  t.equal(mode(directory), '700')
  t.same([file, `${file}-wal`, `${file}-shm`].map(mode), ['600', '600', '600'])
})

t.test('an existing file is made private', async t => {
  const directory = t.testdir({ 'grantkeeper.sqlite': '' })
  const { file } = openIn(t, directory)
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('the error names a file that cannot be opened', async t => {
  const directory = t.testdir({ 'grantkeeper.sqlite': 'this is a text and not a database'.repeat(20), file: '' })
  const open = (directory: string) => () => openSqliteStore({ directory, clock: Date })
  t.throws(open(directory), {
    name: 'Error',
    message: /^Cannot open the store .*grantkeeper\.sqlite: file is not a database\. DATA_DIR must/
  })
  t.throws(open(join(directory, 'file')), { message: /file\/grantkeeper\.sqlite: .*(ENOTDIR|EEXIST)/ })
  mkdirSync(join(directory, 'taken', 'grantkeeper.sqlite'), { recursive: true })
  t.throws(open(join(directory, 'taken')), { message: /taken\/grantkeeper\.sqlite: unable to open/ })
})

t.test('while the file is locked writes are store_unavailable and reads succeed', async t => {
  const { store, file } = openIn(t, t.testdir())
  await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
  const holder = new DatabaseSync(file)
  t.teardown(() => holder.close())
  holder.exec('BEGIN EXCLUSIVE')
  const start = performance.now()
  await t.rejects(store.ping(), {
    code: 'store_unavailable',
    retryAfter: 1,
    cause: { message: /grantkeeper\.sqlite failed: database is locked/ }
  })
  // The busy timeout is half a second; with slack for a slow machine, and below the ten seconds of opening.
  t.ok(performance.now() - start < 5000)
  t.same(await store.read('owner', ['a']), [record])
  holder.exec('ROLLBACK')
  await store.ping()
})

t.test('a failed write changes nothing and the next one works', async t => {
  const { store, file } = openIn(t, t.testdir())
  const other = new DatabaseSync(file)
  t.teardown(() => other.close())
  other.exec(`CREATE TRIGGER full BEFORE INSERT ON records WHEN new.field = 'b' BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
  await t.rejects(
    store.commit('owner', {
      put: records({ a: '1', b: '2' }),
      ttlMs: minute
    }),
    { code: 'store_unavailable' }
  )
  t.equal((await store.readAll('owner')).size, 0)
  t.ok(await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute }))
})

const fill = `
  import { openSqliteStore } from ${JSON.stringify(import.meta.resolve('../../../src/stores/sqlite/store.ts'))}
  const store = openSqliteStore({ directory: process.argv[1], clock: Date })
  try {
    for (let i = 0; i < 100; i++) await store.commit('owner ' + i, { put: [['a', Buffer.alloc(100_000)]], ttlMs: 60_000 })
  } catch ({ code, cause }) {
    const [record] = await store.read('owner 0', ['a'])
    process.stdout.write(code + ': ' + cause.message + '; ' + record.length + ' bytes are read')
  }
`

t.test('on a full disk writes are store_unavailable and reads succeed', async t => {
  const { stdout } = await run('sh', [
    '-c',
    'ulimit -f 500; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    fill,
    t.testdir()
  ])
  t.match(stdout, /^store_unavailable: The store .*grantkeeper\.sqlite failed: disk I\/O error; 100000 bytes are read$/)
})

t.test('a ping detects a deleted file', async t => {
  const { store, file } = openIn(t, t.testdir())
  rmSync(file)
  await t.rejects(store.ping(), { code: 'store_unavailable', cause: { message: /ENOENT/ } })
})

t.test('a file damaged while open is store_unavailable', async t => {
  const { store, file } = openIn(t, t.testdir())
  await store.commit('owner', { put: records({ a: 'record' }), ttlMs: minute })
  await store.close()
  const damaged = openIn(t, join(file, '..'))
  writeFileSync(file, Buffer.alloc(statSync(file).size, 7))
  await t.rejects(damaged.store.readAll('owner'), { code: 'store_unavailable', cause: { message: /malformed|not a database/ } })
})

t.test('deleted bytes are overwritten in the file', async t => {
  const { store, file } = openIn(t, t.testdir())
  const secret = bytes('a record that must not be found')
  await store.commit('owner', { put: [['a', secret]], ttlMs: minute })
  await store.deleteOwner('owner')
  await store.close()
  t.notOk(readFileSync(file).includes(secret))
})
