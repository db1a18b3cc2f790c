import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { bufferFlag } from '../../src/server/v8-flags.ts'

const run = promisify(execFile)

t.test('V8 knows the option by which buffers are collected as the heap is', async t => {
  t.match(await run(process.execPath, [bufferFlag, '--print', '"it runs"']), { stdout: 'it runs\n', stderr: '' })
  const other = await run(process.execPath, [`${bufferFlag}-x`, '--print', '""']).catch(error => error)
  t.match(other.stderr, /bad option/, 'as it would say of another')
})
