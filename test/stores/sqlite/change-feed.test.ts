import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createSqliteChangeFeed } from '../../../src/stores/sqlite/change-feed.ts'
import { openSqliteFile } from '../../../src/stores/sqlite/file.ts'

/** A watch whose time stands until a test moves it, and another process's hand on the same file. */
function watched(t: Test) {
  const file = join(t.testdir(), 'grantkeeper.sqlite')
  const [ours, theirs] = [openSqliteFile(file), openSqliteFile(file)]
  t.teardown(() => {
    ours.close()
    theirs.close()
  })
  const time = { ms: 0 }
  const watch = createSqliteChangeFeed(ours, () => time.ms)
  let told = 0
  watch.subscribe(() => told++)
  return {
    time,
    ours,
    change: () => theirs.exec("INSERT OR REPLACE INTO claims VALUES ('key', 1)"),
    /** @returns how often it was told of a change while it was asked so many times. */
    ask: (times: number) => {
      const before = told
      t.ok(Array.from({ length: times }, () => watch.isReliable()).every(Boolean))
      return told - before
    },
    watch
  }
}

t.test('calls with time between them know of each change of another process at once', async t => {
  const { time, change, ask } = watched(t)
  for (let call = 0; call < 20; call++) {
    change()
    t.equal(ask(1), 1)
    t.equal(ask(1), 0, 'and once')
    time.ms += 5
  }
})

t.test('busy calls ask the file twice in five milliseconds, and then know of all that has changed', async t => {
  const { time, change, ask } = watched(t)
  for (let turn = 0; turn < 3; turn++) {
    for (let look = 0; look < 2; look++) {
      change()
      t.equal(ask(1), 1, `look ${look}`)
      time.ms += 1
    }
    change()
    t.equal(ask(1000), 0, 'no look is left')
    time.ms += 2.5
    t.equal(ask(1000), 0)
    time.ms += 0.5
    t.equal(ask(1), 1, 'five milliseconds after the first')
    time.ms += 5
  }
})

t.test('of a file that cannot be asked nothing is known', async t => {
  const { ours, watch } = watched(t)
  t.ok(watch.isReliable())
  ours.close()
  t.notOk(watch.isReliable())
  ours.open()
})
