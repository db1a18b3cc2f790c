import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { env } from './programs.ts'
import { megabyte, setUp } from './setup.ts'

const run = promisify(execFile)

/** What a tool is told for every call, and what it says in the end. */
async function loaded(t: Test) {
  const s = await setUp(t)
  const file = join(t.testdir(), 'megabyte')
  await writeFile(file, megabyte)
  // By its number: not every tool tries the second address of a name.
  const url = `${s.proxy.replace('localhost', '127.0.0.1')}/json`
  const headers = Object.entries(s.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const uploads = () => s.provider.seen.api.filter(({ body }) => body.equals(megabyte)).length
  return { url, file, headers, uploads, said: async (tool: string, ...args: string[]) => (await run(tool, args, { env })).stdout }
}

t.test('ab, which speaks HTTP/1.0, gets every answer', async t => {
  const { url, file, headers, uploads, said } = await loaded(t)
  const every = (calls: number) => new RegExp(`Complete requests: +${calls}\\nFailed requests: +0\\n`)
  const got = await said('ab', '-q', '-k', '-n', '60', '-c', '4', ...headers, url)
  t.match(got, every(60))
  t.notMatch(got, /Non-2xx/)
  const put = await said('ab', '-q', '-k', '-n', '8', '-c', '2', ...headers, '-T', 'application/octet-stream', '-u', file, url)
  t.match(put, every(8))
  t.notMatch(put, /Non-2xx/)
  t.equal(uploads(), 8)
})

t.test('hey, which is the HTTP client of Go, gets every answer', async t => {
  const { url, file, headers, uploads, said } = await loaded(t)
  const got = await said('hey', '-n', '60', '-c', '4', ...headers, url)
  t.match(got, /\[200\]\s+60 responses/)
  t.notMatch(got, /Error distribution/)
  const put = await said('hey', '-n', '8', '-c', '2', ...headers, '-m', 'PUT', '-D', file, url)
  t.match(put, /\[200\]\s+8 responses/)
  t.notMatch(put, /Error distribution/)
  t.equal(uploads(), 8)
})

t.test('wrk gets no other answer than a good one', async t => {
  const { url, headers, said } = await loaded(t)
  const got = await said('wrk', '-t', '1', '-c', '4', '-d', '1s', '--timeout', '60s', ...headers, url)
  t.match(got, /[1-9]\d* requests in/)
  t.notMatch(got, /Non-2xx|Socket errors/)
})
