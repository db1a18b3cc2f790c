import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { development, problemsOf, production } from './support.ts'

const problem = (path: string, reason: string) => [
  `DATA_DIR: ${JSON.stringify(path)} cannot be used: ${reason}. Set a directory that this process can write to, for example DATA_DIR=/var/lib/grantkeeper.`
]

t.test('DATA_DIR is a directory, or can be created as one', async t => {
  const directory = t.testdir({ existing: {}, file: '' })
  for (const environment of [development, production]) {
    for (const name of ['existing', 'new', join('new', 'in', 'new')])
      t.strictSame(problemsOf({ ...environment, DATA_DIR: join(directory, name) }), [])
    const file = join(directory, 'file')
    for (const path of [file, join(file, 'data'), join(file, 'a', 'b')])
      t.strictSame(problemsOf({ ...environment, DATA_DIR: path }), problem(path, `${file} is not a directory`), path)
  }
  t.notOk(existsSync(join(directory, 'new')), 'the check creates nothing')
})

t.test('DATA_DIR is not checked when Redis and keys are configured', async t => {
  const file = join(t.testdir({ file: '' }), 'file')
  t.strictSame(problemsOf({ ...production, DATA_DIR: file, REDIS_URL: 'redis://h' }), [])
})

t.test('a directory without write permission is a problem', async t => {
  const directory = t.testdir({ readonly: {} })
  const readonly = join(directory, 'readonly')
  const canSwitchUser = process.getuid?.() === 0 && process.setegid && process.seteuid
  chmodSync(readonly, 0o500)
  // root can write anywhere: the test runs as nobody.
  if (canSwitchUser) process.seteuid?.(65_534)
  try {
    for (const path of [readonly, join(readonly, 'data')])
      t.match(problemsOf({ ...development, DATA_DIR: path }), [/^DATA_DIR: .* cannot be used: .* is not writable \(EACCES\)\. /])
  } finally {
    if (canSwitchUser) process.seteuid?.(0)
    chmodSync(readonly, 0o700)
  }
})
