import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { runNode } from './support/node-process.ts'

const writer = join(import.meta.dirname, 'support', 'log-writer.ts')

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
