import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { bufferFlag } from '../../src/server/v8-flags.ts'

const run = promisify(execFile)

t.test('V8 supports the flag that counts buffers towards the heap limit', async t => {
  t.match(await run(process.execPath, [bufferFlag, '--print', '"it runs"']), { stdout: 'it runs\n', stderr: '' })
  const unknown = await run(process.execPath, [`${bufferFlag}-x`, '--print', '""']).catch(error => error)
  t.match(unknown.stderr, /bad option/, 'an unknown flag is an error')
})
