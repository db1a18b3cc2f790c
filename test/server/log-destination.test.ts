import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runNode } from '../support/node-process.ts'

const writer = join(import.meta.dirname, 'log-writer.ts')

const linesOf = (output: string): number[] =>
  output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line).line)

for (const [end, lines] of [
  ['exit', 5_000],
  ['return', 3],
  ['throw', 500]
] as const) {
  t.test(`no line is lost, and all are in order, when a process says ${lines} and ends by ${end}`, async t => {
    const { child, output } = runNode(t, writer, { LINES: `${lines}`, END: end })
    await once(child, 'close')
    t.strictSame(linesOf(output()), [...Array(lines).keys()])
  })
}

t.test('a line that nothing follows leaves soon all the same', async t => {
  const { child, output } = runNode(t, writer, { LINES: '1', END: 'wait' })
  while (linesOf(output()).length === 0) await once(child.stdout as NodeJS.ReadableStream, 'data')
  t.equal(child.exitCode, null, 'while its process goes on')
})

/** A writer whose lines nobody reads until it has said that it goes on. */
async function unread(t: Test, lines: number): Promise<string> {
  const { child, output } = runNode(t, writer, { LINES: `${lines}`, END: 'wait' })
  child.stdout?.pause()
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  child.kill('SIGTERM')
  child.stdout?.resume()
  await once(child, 'close')
  return output()
}

t.test('a reader who takes his time holds nobody up, and misses nothing', async t => {
  t.strictSame(linesOf(await unread(t, 10_000)), [...Array(10_000).keys()])
})

t.test('what waits for a reader is bounded: what is beyond it is counted, and the count is said', async t => {
  const output = await unread(t, 200_000)
  const lost = Number(/"lost":(\d+)/.exec(output)?.[1])
  const said = linesOf(output).filter(line => line !== undefined)
  t.ok(lost > 0, `${lost} lost`)
  t.strictSame(said, [...Array(200_000 - lost).keys()], 'all others came, in order')
})
