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
  t.test(`no line is lost or out of order when a process ends by ${end}`, async t => {
    const { child, output } = runNode(t, writer, { LINES: `${lines}`, END: end })
    await once(child, 'close')
    t.strictSame(linesOf(output()), [...Array(lines).keys()])
  })
}

t.test('a single line is written soon, while the process runs', async t => {
  const { child, output } = runNode(t, writer, { LINES: '1', END: 'wait' })
  while (linesOf(output()).length === 0) await once(child.stdout as NodeJS.ReadableStream, 'data')
  t.equal(child.exitCode, null)
})

/** Runs a writer whose stdout is not read until it has logged all its lines. */
async function outputReadLate(t: Test, lines: number): Promise<string> {
  const { child, output } = runNode(t, writer, { LINES: `${lines}`, END: 'wait' })
  child.stdout?.pause()
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  child.kill('SIGTERM')
  child.stdout?.resume()
  await once(child, 'close')
  return output()
}

t.test('a slow reader does not block the process and gets every line', async t => {
  t.strictSame(linesOf(await outputReadLate(t, 10_000)), [...Array(10_000).keys()])
})

t.test('the queue for a slow reader is bounded, and dropped lines are counted', async t => {
  const output = await outputReadLate(t, 200_000)
  const lost = Number(/"lost":(\d+)/.exec(output)?.[1])
  const lines = linesOf(output).filter(line => line !== undefined)
  t.ok(lost > 0, `${lost} lost`)
  t.strictSame(lines, [...Array(200_000 - lost).keys()], 'all others arrive, in order')
})

t.test('a process whose reader has gone still ends', async t => {
  const { child } = runNode(t, writer, { LINES: '10', END: 'wait' })
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  child.stdout?.destroy()
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
})

t.test('a process whose reader has stopped ends after the exit timeout', async t => {
  const { child } = runNode(t, writer, { LINES: '10000', END: 'exit', EXIT_TIMEOUT_MS: '200' })
  child.stdout?.pause()
  t.strictSame(await once(child, 'exit'), [0, null])
})
