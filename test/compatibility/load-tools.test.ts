import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { env } from './programs.ts'
import { megabyte, setUp } from './setup.ts'

const run = promisify(execFile)

/** @returns the arguments that every tool needs, and a function that runs one and returns its output. */
async function setUpLoad(t: Test) {
  const s = await setUp(t)
  const file = join(t.testdir(), 'megabyte')
  await writeFile(file, megabyte)
  // An IP address, since not every tool tries the second address of a name.
  const url = `${s.proxy.replace('localhost', '127.0.0.1')}/json`
  const headers = Object.entries(s.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const uploads = () => s.provider.seen.api.filter(({ body }) => body.equals(megabyte)).length
  return { url, file, headers, uploads, runTool: async (tool: string, ...args: string[]) => (await run(tool, args, { env })).stdout }
}

t.test('ab (HTTP/1.0) completes every request', async t => {
  const { url, file, headers, uploads, runTool } = await setUpLoad(t)
  const allComplete = (count: number) => new RegExp(`Complete requests: +${count}\\nFailed requests: +0\\n`)
  const got = await runTool('ab', '-q', '-k', '-n', '60', '-c', '4', ...headers, url)
  t.match(got, allComplete(60))
  t.notMatch(got, /Non-2xx/)
  const put = await runTool('ab', '-q', '-k', '-n', '8', '-c', '2', ...headers, '-T', 'application/octet-stream', '-u', file, url)
  t.match(put, allComplete(8))
  t.notMatch(put, /Non-2xx/)
  t.equal(uploads(), 8)
})

t.test('hey (Go net/http) completes every request', async t => {
  const { url, file, headers, uploads, runTool } = await setUpLoad(t)
  const got = await runTool('hey', '-n', '60', '-c', '4', ...headers, url)
  t.match(got, /\[200\]\s+60 responses/)
  t.notMatch(got, /Error distribution/)
  const put = await runTool('hey', '-n', '8', '-c', '2', ...headers, '-m', 'PUT', '-D', file, url)
  t.match(put, /\[200\]\s+8 responses/)
  t.notMatch(put, /Error distribution/)
  t.equal(uploads(), 8)
})

t.test('wrk gets only 2xx responses', async t => {
  const { url, headers, runTool } = await setUpLoad(t)
  const got = await runTool('wrk', '-t', '1', '-c', '4', '-d', '1s', '--timeout', '60s', ...headers, url)
  t.match(got, /[1-9]\d* requests in/)
  t.notMatch(got, /Non-2xx|Socket errors/)
})
