import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createSqliteChangeFeed } from '../../../src/stores/sqlite/change-feed.ts'
import { openSqliteFile } from '../../../src/stores/sqlite/file.ts'

/** A change feed with a clock that the test sets, and a second connection to the same file, as of another process. */
function openFeed(t: Test) {
  const file = join(t.testdir(), 'grantkeeper.sqlite')
  const [db, otherDb] = [openSqliteFile(file), openSqliteFile(file)]
  t.teardown(() => {
    db.close()
    otherDb.close()
  })
  const time = { ms: 0 }
  const feed = createSqliteChangeFeed(db, () => time.ms)
  let reports = 0
  feed.subscribe(() => reports++)
  return {
    time,
    db,
    change: () => otherDb.exec("INSERT OR REPLACE INTO claims VALUES ('key', 1)"),
    /** Calls `isReliable` this often. @returns how many changes were reported */
    check: (times: number) => {
      const before = reports
      t.ok(Array.from({ length: times }, () => feed.isReliable()).every(Boolean))
      return reports - before
    },
    feed
  }
}

t.test('calls with time between them report each change of another process at once', async t => {
  const { time, change, check } = openFeed(t)
  for (let call = 0; call < 20; call++) {
    change()
    t.equal(check(1), 1)
    t.equal(check(1), 0, 'once')
    time.ms += 5
  }
})

t.test('frequent calls check the file twice in five milliseconds', async t => {
  const { time, change, check } = openFeed(t)
  for (let turn = 0; turn < 3; turn++) {
    for (let i = 0; i < 2; i++) {
      change()
      t.equal(check(1), 1, `check ${i}`)
      time.ms += 1
    }
    change()
    t.equal(check(1000), 0, 'the limit is reached')
    time.ms += 2.5
    t.equal(check(1000), 0)
    time.ms += 0.5
    t.equal(check(1), 1, 'five milliseconds after the first check')
    time.ms += 5
  }
})

t.test('without a readable file the feed is not reliable', async t => {
  const { db, feed } = openFeed(t)
  t.ok(feed.isReliable())
  db.close()
  t.notOk(feed.isReliable())
  db.open()
})
