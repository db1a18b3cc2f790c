import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { development, problemsOf, production } from './support.ts'

const said = (path: string, why: string) => [
  `DATA_DIR: ${JSON.stringify(path)} cannot be used: ${why}. Give a folder in which this process may write, for example DATA_DIR=/var/lib/grantkeeper.`
]

t.test('DATA_DIR is a folder, or can become one', async t => {
  const directory = t.testdir({ folder: {}, file: '' })
  for (const environment of [development, production]) {
    for (const name of ['folder', 'new', join('new', 'in', 'new')])
      t.strictSame(problemsOf({ ...environment, DATA_DIR: join(directory, name) }), [])
    const file = join(directory, 'file')
    for (const path of [file, join(file, 'data'), join(file, 'a', 'b')])
      t.strictSame(problemsOf({ ...environment, DATA_DIR: path }), said(path, `${file} is not a folder`), path)
  }
  t.notOk(existsSync(join(directory, 'new')), 'nothing is made for the question')
})

t.test('with Redis and keys nobody needs DATA_DIR', async t => {
  const file = join(t.testdir({ file: '' }), 'file')
  t.strictSame(problemsOf({ ...production, DATA_DIR: file, REDIS_URL: 'redis://h' }), [])
})

t.test('a folder that this process may not write in is told before anything listens', async t => {
  const directory = t.testdir({ closed: {} })
  const closed = join(directory, 'closed')
  const asOther = process.getuid?.() === 0 && process.setegid && process.seteuid
  chmodSync(closed, 0o500)
  // Who may do everything is kept from nothing.
  if (asOther) process.seteuid?.(65_534)
  try {
    for (const path of [closed, join(closed, 'data')])
      t.match(problemsOf({ ...development, DATA_DIR: path }), [/^DATA_DIR: .* cannot be used: .* cannot be written to \(EACCES\)\. /])
  } finally {
    if (asOther) process.seteuid?.(0)
    chmodSync(closed, 0o700)
  }
})
